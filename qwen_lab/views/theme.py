"""How all that the lab shows looks: one set of colours, spaces and sizes, and each part's CSS."""

from functools import cache
from pathlib import Path

# In `theme.css` the `--ql-` variables and what everything has in common; in `html.css` the views,
# in `panel.css` the widgets, and for each part that has more of its own a file of its name.
STYLES = Path(__file__).with_name("styles")


@cache
def sheet(*parts: str) -> str:
    """The CSS of the parts, after the theme that they stand on."""
    return "".join(
        "\n" + (STYLES / f"{part}.css").read_text(encoding="utf-8")
        for part in ("theme", *filter(None, parts))
    )
