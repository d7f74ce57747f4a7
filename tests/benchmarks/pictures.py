"""Draws all views, widgets and pages in the states that matter: to look at around a change.

`pictures FOLDER` writes LANGUAGE-THEME-WIDTH/NAME.png, and in index.txt what each ought to show.
`--lang`, `--theme`, `--width` and `--only` (names, or how they begin) choose some. Widths are those
of the window. Needs Chromium; the lessons' tapes answer, and else the local Qwen. Goal: no state is
missing.
"""

import itertools
import os
import sys
import tempfile
import time
from argparse import ArgumentParser, Namespace
from collections.abc import Iterator
from functools import partial
from pathlib import Path

from browser import chromium, jupyter
from playwright.sync_api import Browser, Locator, Page
from states import KNOWN, answers, offers, pages, panels, tables, widgets  # noqa: F401

from qwen_lab import words

CHOICES = {"lang": "en,zh", "theme": "light,dark", "width": "1280,1024,390"}
THEMES = {"light": "JupyterLab Light", "dark": "JupyterLab Dark"}
# The height of the window, but for what is taller: outside of it nothing is drawn.
HEIGHT, AROUND = 900, 200
PATIENCE = 20_000
BEGIN = f"""import inspect, sys
sys.path.insert(0, {str(Path(__file__).parent)!r})
from states import KNOWN, answers, offers, panels, tables, widgets
async def show(name):
    made = KNOWN[name].make()
    return await made if inspect.isawaitable(made) else made"""
# Of the notebook the output of one cell is there at a time.
BARE = ".jp-Cell:not(.drawn), .jp-InputArea, .jp-OutputPrompt { display: none !important }"
SHOW = """cell => {
  for (const each of document.querySelectorAll(".jp-Cell"))
    each.classList.toggle("drawn", each === cell);
}"""
# anywidget gives a widget two seconds to begin; one that took longer hears nothing from Python any
# more. While a hundred begin at once, each has all the time that it needs.
PATIENT = "AbortSignal.timeout = () => new AbortController().signal"
RUN = """async () => {
  await jupyterapp.restored;
  jupyterapp.shell.collapseLeft();
  await jupyterapp.commands.execute("notebook:run-all-cells");
}"""
RESTART = """async () => {
  const { sessionContext } = jupyterapp.shell.currentWidget;
  await sessionContext.session.kernel.restart();
}"""
THEME = """theme => jupyterapp.commands.execute("apputils:change-theme", { theme })"""
# Fonts are there, no widget is to come, and nothing has moved for some frames.
STILL = """async element => {
  await document.fonts.ready;
  const now = () => JSON.stringify(element.getBoundingClientRect()) + element.innerHTML.length;
  for (let same = 0, before = ""; same < 4; ) {
    await new Promise(requestAnimationFrame);
    const [at, loads] = [now(), element.textContent.includes("Loading widget")];
    same = at === before && !loads ? same + 1 : 0;
    before = at;
  }
}"""
BROKEN = "[data-mime-type$='stderr'], [data-mime-type$='error']"


def asked() -> Namespace:
    parser = ArgumentParser("bench pictures", description=__doc__)
    parser.add_argument("folder", type=Path)
    for name, values in CHOICES.items():
        parser.add_argument(f"--{name}", type=split, default=split(values))
    parser.add_argument("--only", type=split, default=("",))
    return parser.parse_args()


def split(text: str) -> tuple[str, ...]:
    return tuple(text.split(","))


class Album:
    """The pictures: where they go, how many there are, and what went wrong with which."""

    def __init__(self, options: Namespace) -> None:
        self.folder, self.options = options.folder, options
        self.names = [name for name in KNOWN if name.startswith(options.only)]
        self.count, self.wrong = 0, {}

    def draw(self, language: str) -> None:
        """All of a language."""
        words.use(language)
        with chromium() as browser:
            self._pages(browser, language)
            self._notebook(browser, language)

    def _named(self, **kind: bool) -> list[str]:
        kind = {"page": False, "gone": False} | kind
        return [n for n in self.names if all(getattr(KNOWN[n], k) == v for k, v in kind.items())]

    def _pages(self, browser: Browser, language: str) -> None:
        rooms = itertools.product(self.options.theme, self.options.width)
        for (theme, width), name in itertools.product(rooms, self._named(page=True)):
            page = browser.new_page(
                viewport={"width": int(width), "height": HEIGHT}, color_scheme=theme
            )
            self._picture(
                f"{language}-{theme}-{width}", name, partial(KNOWN[name].make, page, theme)
            )
            page.close()

    def _notebook(self, browser: Browser, language: str) -> None:
        living, gone = self._named(), self._named(gone=True)
        names = [*living, *gone]
        if not names:
            return
        with jupyter(language, [BEGIN, *(f"await show({name!r})" for name in names)]) as address:
            page = opened(browser, address, len(names))
            for part in (living, gone):
                if part is gone:
                    page.evaluate(RESTART)
                for room in self._rooms(page, language) if part else ():
                    for name in part:
                        cell = page.locator(".jp-Cell").nth(1 + names.index(name))
                        self._picture(room, name, partial(output, cell, name))
            page.close()

    def _rooms(self, page: Page, language: str) -> Iterator[str]:
        """The folder of each theme and width, once the page has them."""
        for theme, width in itertools.product(self.options.theme, self.options.width):
            page.evaluate(THEME, THEMES[theme])
            page.locator(f"[data-jp-theme-name='{THEMES[theme]}']").wait_for(state="attached")
            page.set_viewport_size({"width": int(width), "height": HEIGHT})
            yield f"{language}-{theme}-{width}"

    def _picture(self, room: str, name: str, make: partial) -> None:
        path = self.folder / room / f"{name}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        try:
            shown = make()
            KNOWN[name].act(shown)
            fit(shown)
            shown.evaluate(STILL)
            shown.screenshot(path=path, animations="disabled", timeout=PATIENCE)
            self.count += 1
        # Whatever it is, the others are drawn.
        except Exception as error:
            self.wrong[f"{room}/{name}"] = f"{type(error).__name__}: {error}".splitlines()[0]


def opened(browser: Browser, address: str, count: int) -> Page:
    """The notebook, when all its cells have run."""
    page = browser.new_page(viewport={"width": 1280, "height": HEIGHT}, reduced_motion="reduce")
    page.set_default_timeout(300_000)
    page.add_init_script(PATIENT)
    page.goto(address)
    page.get_by_text("| Idle").wait_for()
    page.evaluate(RUN)
    # The cells have their numbers when they have run.
    page.get_by_text(f"[{count + 1}]:", exact=True).first.wait_for(state="attached")
    page.add_style_tag(content=BARE)
    page.set_default_timeout(PATIENCE)
    return page


def fit(shown: Locator) -> None:
    """Make the window as tall as what is shown."""
    size = shown.page.viewport_size
    needed = round(shown.evaluate("element => element.scrollHeight")) + AROUND
    if needed > HEIGHT or size["height"] > HEIGHT:
        shown.page.set_viewport_size(size | {"height": max(HEIGHT, needed)})


def output(cell: Locator, name: str) -> Locator:
    """What a cell shows; an error where it shows one, but for those that it is about."""
    cell.evaluate(SHOW)
    shown = cell.locator(".jp-Cell-outputArea")
    broken = shown.locator(BROKEN)
    if not name.startswith("error_") and broken.count():
        raise RuntimeError(broken.first.inner_text().strip().splitlines()[-1])
    if not shown.locator(".jp-OutputArea-output").count():
        raise RuntimeError("nothing is shown")
    return shown


def main(options: Namespace) -> int:
    """Draw them all and say how it went; 1 where a state could not be drawn, else 0."""
    began, album = time.monotonic(), Album(options)
    for language in options.lang:
        album.draw(language)
    told = [f"{name}: {' '.join(KNOWN[name].shows.split())}" for name in album.names]
    (options.folder / "index.txt").write_text("\n".join([*told, ""]), encoding="utf-8")
    print(f"{album.count} pictures in {options.folder}, {time.monotonic() - began:.0f} s")
    for name, why in album.wrong.items():
        print(f"not drawn: {name}: {why}", file=sys.stderr)
    return 1 if album.wrong else 0


if __name__ == "__main__":
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as home:
        os.environ["QWEN_LAB_HOME"] = home
        sys.exit(main(asked()))
