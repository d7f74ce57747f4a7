"""The lab's pages outside of JupyterLab: first pages, the teacher's, and an exported lesson."""

import tempfile
import time
from pathlib import Path

from nbconvert import HTMLExporter
from playwright.sync_api import Locator, Page, Route
from starlette.applications import Starlette
from starlette.responses import HTMLResponse
from starlette.routing import Route as Answer
from starlette.testclient import TestClient

from qwen_lab.classroom import site, teacher
from qwen_lab.classroom.allowance import Allowance, Limits
from qwen_lab.classroom.ledger import Ledger
from qwen_lab.classroom.progress import Progress
from qwen_lab.course import lessons
from qwen_lab.course.exercises import numbers
from qwen_lab.page import front
from qwen_lab.words import language

from . import state
from .offers import told

HOST, TOKEN = "127.0.0.1:8123", "teachers-token"
NUMBERS = numbers()
TRIED = {
    "Ada": dict.fromkeys(NUMBERS[:12], "passed"),
    "小明": dict.fromkeys(NUMBERS[:6], "passed") | dict.fromkeys(NUMBERS[6:8], "wrong"),
    "Grace Brewster Murray Hopper": {"01.1": "passed", "01.2": "wrong"},
}


def served(page: Page, app: Starlette, token: str = "") -> Locator:
    """The page that an app serves, without a port: this process answers in its place."""
    client = TestClient(app, f"http://{HOST}")

    def answer(route: Route) -> None:
        asked = route.request
        content = asked.post_data_buffer or b""
        found = client.request(asked.method, asked.url, headers=asked.headers, content=content)
        route.fulfill(status=found.status_code, headers=dict(found.headers), body=found.content)

    page.route(f"http://{HOST}/**", answer)
    page.goto(f"http://{HOST}/#{token}")
    return page.locator("body")


def written(page: Page, html: str) -> Locator:
    """The page with this HTML."""

    async def whole(_: object) -> HTMLResponse:
        return HTMLResponse(html)

    return served(page, Starlette(routes=[Answer("/", whole)]))


def desk(*names: str) -> teacher.Roll:
    """What a teacher knows of a class with these seats."""
    place = Path(tempfile.mkdtemp())
    progress, ledger = Progress(place / "progress", NUMBERS), Ledger(place / "ledger.jsonl")
    for minutes, name in enumerate(names):
        if name in TRIED:
            progress.seen[name] = int(time.time()) - 120 * minutes
        for number, status in TRIED.get(name, {}).items():
            for _ in range(3 if status == "wrong" else 1):
                progress.note(name, number, status)
                ledger.settle(ledger.reserve(name, 300, 0), 290, 0)
    return teacher.Roll(lambda: names, progress, Allowance(ledger, Limits(tokens=20_000)), ledger)


@state(page=True)
def teacher_class(page: Page, theme: str) -> Locator:
    """The teacher's page of four learners: who is where, who is stuck, and how much is left."""
    shown = served(page, teacher.create_page(desk(*TRIED, "Zoe"), TOKEN, [HOST]), TOKEN)
    page.locator("tbody .passed").first.wait_for()
    return shown


@state(page=True)
def teacher_locked(page: Page, theme: str) -> Locator:
    """The teacher's page without its token: what to do."""
    shown = served(page, teacher.create_page(desk("Ada"), TOKEN, [HOST]), "wrong")
    page.locator("#state:not(:empty)").wait_for()
    return shown


@state(told("fetching", at=123_000_000, left=250), page=True)
def front_site(page: Page, theme: str) -> Locator:
    """The site's first page: the lessons in both languages, the Qwen being fetched in each."""
    return written(page, front.page(offers=True))


@state(page=True)
def front_class(page: Page, theme: str) -> Locator:
    """A class's first page, which refused a code and asks for it again."""
    return written(page, front.page(site._wrong))


def exported(page: Page, theme: str) -> Locator:
    """The tour as nbconvert exports it, without its fonts from elsewhere."""
    lesson = lessons.originals() / language() / "00_tour.ipynb"
    page.route("https://**/*", lambda route: route.abort())
    return written(page, HTMLExporter(theme=theme).from_filename(str(lesson))[0])


@state(page=True)
def export_sampler(page: Page, theme: str) -> Locator:
    """The sampler as a picture, in an exported lesson: bars, and a sentence with the settings."""
    return exported(page, theme).locator(".qwen-sampler").first


@state(page=True)
def export_widget(page: Page, theme: str) -> Locator:
    """A widget in an exported lesson, where no kernel runs: its name, and to run the cell."""
    outputs = exported(page, theme).locator(".jp-OutputArea-output")
    return outputs.filter(has_text="Playground(").first
