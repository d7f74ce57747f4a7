"""In light and in dark each colour stands out from its ground, and no letter is too small."""

import re
import sys
from functools import cache
from pathlib import Path

import pytest

from qwen_lab.views.theme import STYLES

THEMES = ("light", "dark")
CSS = {path.stem: path.read_text(encoding="utf-8") for path in STYLES.glob("*.css")}
RULE = re.compile(r"([^{}]+)\{([^{}]*)\}")
HEX = r"#[0-9a-f]{6}"
PAIR = re.compile(rf"--ql-([\w-]+): [^;]*light-dark\(({HEX}), ({HEX})\)")
# JupyterLab's own, which come first where they are.
JUPYTERLAB = {"text": "content-font-color1", "ground": "layout-color0"}
# What text stands on; all other colours are text or a shape. A line only parts what stands apart.
GROUNDS = re.compile("ground|soft|heat-[1-4]")
UNSEEN = {"line"}
PAINTS = "color|background(?:-image)?|border[a-z-]*|outline|fill|stroke"


def luminance(colour):
    """The relative luminance of red, green and blue from 0 to 255, as WCAG 2.2 defines it."""
    linear = [
        part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4
        for part in (each / 255 for each in colour)
    ]
    return sum(w * part for w, part in zip((0.2126, 0.7152, 0.0722), linear, strict=True))


def contrast(one, other):
    low, high = sorted((luminance(one), luminance(other)))
    return (high + 0.05) / (low + 0.05)


def read(colour, ground=(255, 255, 255)):
    """A colour of CSS as red, green and blue; one that lets its ground through stands on it."""
    if found := re.match(r"rgba?\(([\d., ]+)\)", colour):
        *parts, alpha = [float(part) for part in f"{found[1]},1".split(",")][:4]
        pairs = zip(parts, ground, strict=True)
        return tuple(alpha * over + (1 - alpha) * under for over, under in pairs)
    digits = {"white": "ffffff", "black": "000000"}.get(colour, colour.lstrip("#"))
    digits = "".join(2 * digit for digit in digits) if len(digits) == 3 else digits
    return tuple(bytes.fromhex(digits))


@cache
def jupyterlab(theme):
    """The text and the ground of JupyterLab's theme, as its own CSS has them."""
    themes = Path(sys.prefix, "share/jupyter/lab/themes/@jupyterlab")
    css = (themes / f"theme-{theme}-extension" / "index.css").read_text(encoding="utf-8")
    found = {name: re.search(rf"--jp-{own}:\s*([^;}}]+)", css) for name, own in JUPYTERLAB.items()}
    return {name: value[1] for name, value in found.items()}


def palettes(css):
    """The colours by name, as each theme has them, within JupyterLab and without."""
    for at, theme in enumerate(THEMES):
        own = {name: pair[at] for name, *pair in PAIR.findall(css["theme"])}
        yield f"{theme}, any page", own
        yield f"{theme}, JupyterLab", own | jupyterlab(theme)


def used(css):
    """What stands on what: the colour, its ground, and how far they must be apart."""
    for body in (body for sheet in css.values() for _, body in RULE.findall(sheet)):
        paints = re.findall(rf"(?:^|[;\s])({PAINTS}): ?([^;]+)", body)
        named = [
            (what, name) for what, value in paints for name in re.findall(r"--ql-([\w-]+)", value)
        ]
        grounds = [name for _, name in named if GROUNDS.fullmatch(name)]
        texts = [name for what, name in named if what == "color"]
        shapes = [name for what, name in named if what != "color" and name not in grounds]
        if "on" in texts:
            yield from (("on", shape, 4.5) for shape in shapes)
        else:
            for ground in grounds or ["ground", "soft"]:
                yield from ((text, ground, 4.5) for text in texts or ["text"])
        for shape in {*shapes} - UNSEEN:
            yield from ((shape, ground, 3) for ground in ("ground", "soft"))


def faults(css):
    """Each pair that is too close, and by how much."""
    for where, colours in palettes(css):
        for one, other, least in sorted(set(used(css))):
            ground = read(colours[other])
            if (found := contrast(read(colours[one], ground), ground)) < least:
                yield f"{where}: {one} on {other} is {found:.2f} : 1, not {least} : 1"


def test_the_formula_gives_the_figures_of_wcag():
    assert contrast((0, 0, 0), (255, 255, 255)) == pytest.approx(21)
    assert contrast(read("#777777"), read("white")) == pytest.approx(4.48, abs=0.005)


def test_every_colour_stands_out_from_its_ground_in_both_themes():
    assert not list(faults(CSS))


def test_every_colour_of_the_theme_is_used_and_a_paler_one_is_noticed():
    for name, light, _ in PAIR.findall(CSS["theme"]):
        if GROUNDS.fullmatch(name) or name in UNSEEN | {"on"}:
            continue
        paler = "#" + "".join(f"{round(255 - 0.4 * (255 - part)):02x}" for part in read(light))
        theme = re.sub(rf"(--ql-{name}: .*){light}", rf"\g<1>{paler}", CSS["theme"])
        assert any(f": {name} on" in fault for fault in faults(CSS | {"theme": theme})), name


def test_no_part_has_a_colour_of_its_own():
    for part, sheet in CSS.items():
        for _, body in RULE.findall(sheet):
            for value in re.findall(rf"(?:^|[;\s])(?:{PAINTS}): ?([^;]+)", body):
                value = re.sub(r"var\(--ql-[\w-]+\)", "", value)
                assert not re.search(r"#|rgb|hsl|--jp|white|black|grey|red|green", value), part


def test_no_part_has_a_width_of_its_own_for_text_or_for_what_is_wider():
    for part, css in CSS.items():
        for value in re.findall(r"[{;\s]max-width: ([^;}]+)", css):
            # Names in a table are cut short, and a teacher's page fills its window.
            assert "var(--ql-" in value or value in (
                "60%",
                "100%",
                "none",
                "clamp(96px, 60vw - 501px, 320px)",
                "80px",
            ), part


def test_what_stands_on_heat_has_the_colour_of_text():
    hot = [body for sheet in CSS.values() for _, body in RULE.findall(sheet) if "ql-heat" in body]
    painted = [body for body in hot if "--ql-heat-1:" not in body]
    assert len(painted) == 5 and all("color: var(--ql-text)" in body for body in painted)


def test_no_letter_is_smaller_than_thirteen_pixels():
    sizes = re.findall(r"(?:font-size|--ql-type|--ql-small): ([^;}]+)", " ".join(CSS.values()))
    assert "13px" in sizes
    for size in sizes:
        inherited = size == "inherit" or re.fullmatch(r"var\(--ql-(small|type)\)", size)
        assert inherited or int(size.removesuffix("px")) >= 13
    # A page by itself makes these smaller.
    assert "small { color: var(--ql-quiet); font-size: var(--ql-small)" in CSS["theme"]
