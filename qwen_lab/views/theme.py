"""How all that the lab shows looks: one set of colours, spaces and sizes, and each part's CSS."""

import re
from functools import cache
from pathlib import Path

# In `theme.css` the `--ql-` variables and what everything has in common; for each part that has
# more of its own a file of its name, such as `wire.css` for what has the class `qwen-wire`.
STYLES = Path(__file__).with_name("styles")


@cache
def sheet(*parts: str) -> str:
    """The CSS of the parts, after the theme, as short as it can be: every output stores it."""
    css = " ".join(
        (STYLES / f"{part}.css").read_text(encoding="utf-8") for part in ("theme", *parts)
    )
    css = " ".join(re.sub(r"/\*.*?\*/", "", css, flags=re.S).split())
    css = re.sub(r" ?([{};]) ?|(?<=[:,]) ", r"\1", css).replace(";}", "}")
    # A size stands where it is used, and what none of the parts uses is left out.
    for name, size in re.findall(r"(--ql-[\w-]+):(\d+px);", css):
        css = css.replace(f"{name}:{size};", "").replace(f"var({name})", size)
    names, used = (set(re.findall(rf"--ql-[\w-]+(?={end})", css)) for end in (":", r"\)"))
    for name in names - used:
        css = re.sub(rf"{name}:[^;]+;", "", css)
    return css


def styled(page: str) -> str:
    """HTML after the CSS of the parts whose classes are in it."""
    classes = set(re.findall(r"qwen-(\w+)", page))
    parts = sorted(path.stem for path in STYLES.glob("*.css") if path.stem in classes)
    return f"<style>{sheet(*parts)}</style>{page}"
