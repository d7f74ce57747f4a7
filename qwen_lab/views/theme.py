"""How all that the lab shows looks: one set of colours, spaces and sizes, and each part's CSS."""

import re
from functools import cache
from pathlib import Path

# In `theme.css` the `--ql-` variables and what everything has in common; in `html.css` the views,
# in `panel.css` the widgets, and for each part that has more of its own a file of its name.
STYLES = Path(__file__).with_name("styles")


@cache
def sheet(*parts: str) -> str:
    """The CSS of the parts, after the theme, in one line: every output of a lesson stores it."""
    css = " ".join(
        (STYLES / f"{part}.css").read_text(encoding="utf-8")
        for part in ("theme", *filter(None, parts))
    )
    return " ".join(re.sub(r"/\*.*?\*/", "", css, flags=re.S).split())
