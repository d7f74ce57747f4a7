"""The teacher's page in Chromium: live, safe from what learners write, and from their scripts."""

from contextlib import contextmanager

import pytest
from playwright.sync_api import expect
from starlette.responses import HTMLResponse
from starlette.routing import Route

from qwen_lab.classroom import teacher
from qwen_lab.classroom.allowance import Allowance, Limits
from qwen_lab.classroom.ledger import Ledger
from qwen_lab.classroom.progress import Progress
from qwen_lab.course.exercises import numbers
from qwen_lab.endpoint.app import create_app
from qwen_lab.endpoint.learner import Learner
from qwen_lab.words import printable, use

from ..conftest import serving
from ..views.hostile import HOSTILE

pytestmark = pytest.mark.browser
TOKEN = "teachers-token"
NUMBERS = ["01.1", "01.2", "02.1"]
# What a script of a learner's may try, from a page that the class's own endpoint serves.
TRIES = """async (url) => {
  const tried = {};
  const attempt = async (name, act) => {
    try { tried[name] = String(await act()); } catch (error) { tried[name] = error.name; }
  };
  const post = { method: "POST", body: '"Ada"' };
  await attempt("read", async () => (await fetch(url + "overview")).text());
  await attempt("page", async () => (await fetch(url)).text());
  const cookies = { credentials: "include" };
  await attempt("cookies", async () => (await fetch(url + "overview", cookies)).text());
  const unseen = { ...post, mode: "no-cors" };
  await attempt("opaque", async () => (await fetch(url + "reset", unseen)).type);
  await attempt("reset", async () => (await fetch(url + "reset", post)).status);
  await attempt("preflight", async () =>
    (await fetch(url + "reset", { ...post, headers: { Authorization: "Bearer guess" } })).status);
  await attempt("storage", async () => sessionStorage.getItem("token"));
  await attempt("window", async () => window.opener.document.body.textContent);
  const frame = document.createElement("iframe");
  frame.src = url;
  await new Promise((done) => { frame.onload = done; document.body.append(frame); });
  await attempt("frame", async () => frame.contentDocument.body.textContent);
  return tried;
}"""


@pytest.fixture
def roll(tmp_path):
    progress = Progress(tmp_path / "progress", NUMBERS)
    ledger = Ledger(tmp_path / "ledger.jsonl")
    names = ["Ada", *dict.fromkeys(printable(name) for name in HOSTILE)]
    return teacher.Roll(lambda: names, progress, Allowance(ledger, Limits(tokens=500)), ledger)


@contextmanager
def opened(chromium, roll, **options):
    """The page as the teacher opens it: gives it, and its address."""
    here = {}

    async def current(scope, receive, send):
        await here["page"](scope, receive, send)

    with serving(current) as port:
        here["page"] = teacher.create_page(roll, TOKEN, [f"127.0.0.1:{port}"])
        url = f"http://127.0.0.1:{port}/"
        context = chromium.new_context(**options)
        page = context.new_page()
        page.goto(f"{url}#{TOKEN}")
        yield page, url
        context.close()


def row(page, name):
    return page.locator("tbody tr").filter(has=page.get_by_role("rowheader", name=name, exact=True))


def test_it_shows_what_happens_as_it_happens_and_resets_an_allowance(chromium, roll):
    with opened(chromium, roll) as (page, url):
        ada = page.locator("tbody tr").first
        expect(ada).to_contain_text("500")
        # The token is in the address bar no more, and a reload needs it not.
        assert page.url == url and TOKEN not in page.content()
        roll.progress.note("Ada", "01.1", "wrong")
        roll.progress.note("Ada", "01.2", "passed")
        roll.ledger.settle(roll.ledger.reserve("Ada", 100, 0), 90, 0)
        expect(ada.get_by_role("img", name="01.1: not yet right, tries: 1")).to_have_text("✗")
        expect(ada.get_by_role("img", name="01.2: passed, tries: 1")).to_have_text("✓")
        expect(ada).to_contain_text("410")
        # Where one alone is stuck there is no most.
        expect(page.locator("#state")).not_to_contain_text("stuck")
        roll.progress.note("小明", "01.1", "wrong")
        expect(page.locator("#state")).to_contain_text("stuck: 01.1 (2)")
        # It asks first.
        reset, asked = ada.get_by_role("button", name="Reset the usage of Ada"), []

        def answer(dialog):
            asked.append(dialog.message)
            dialog.dismiss() if len(asked) == 1 else dialog.accept()

        page.on("dialog", answer)
        reset.click()
        page.wait_for_timeout(100)
        assert "usage of Ada?" in asked[0] and roll.ledger.tokens["Ada"] == 90
        reset.click()
        expect(ada).to_contain_text("500")
        page.reload()
        expect(ada).to_contain_text("500")
        with page.expect_download() as saving:
            page.get_by_role("button", name="Save as CSV").click()
        content = saving.value.path().read_text(encoding="utf-8-sig")
        assert content.splitlines()[1].startswith("Ada,,0,500,Exercise 01.1 (1),wrong,1,passed,1")
        # The link, opened once more in the same tab.
        page.goto(f"{url}#{TOKEN}")
        page.wait_for_url(url)


def test_where_it_is_wider_than_the_window_it_says_so_and_the_keys_scroll_it(chromium, roll):
    with opened(chromium, roll, viewport={"width": 390, "height": 800}) as (page, _):
        main = page.get_by_role("main", name="All learners, with arrow keys to scroll sideways")
        expect(main).to_contain_text("Ada")
        wide, seen = main.evaluate("element => [element.scrollWidth, element.clientWidth]")
        assert wide > seen
        # Shadows stay at both edges, and what covers them moves along with the table.
        covers = main.evaluate("element => getComputedStyle(element).backgroundAttachment")
        assert covers == "local, local, scroll, scroll"
        main.focus()
        page.keyboard.press("ArrowRight")
        page.wait_for_function("() => document.querySelector('main').scrollLeft > 0")


def test_hostile_names_are_text(chromium, roll):
    asked, said = set(), []
    with opened(chromium, roll) as (page, url):
        page.on("request", lambda request: asked.add(request.url))
        page.on("pageerror", lambda error: said.append(error))
        for name in roll.names():
            roll.progress.note(name, "01.1", "wrong")
        expect(page.locator("tbody tr")).to_have_count(len(roll.names()))
        expect(page.locator("tbody .wrong")).to_have_count(len(roll.names()))
        shown = page.eval_on_selector_all("tbody th", "all => all.map((each) => each.textContent)")
        assert shown == [name.replace("\0", "\ufffd") for name in roll.names()]
        assert page.evaluate("window.stolen") is None and not said
        found = page.evaluate(
            "[...new Set([...document.querySelectorAll('main *')].map((e) => e.tagName))]"
        )
        assert {*found} == {"TABLE", "THEAD", "TBODY", "TR", "TH", "TD", "B", "SPAN", "BUTTON"}
        assert asked <= {f"{url}overview"}
        # However long a name is, the page does not grow.
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")


def test_a_script_on_the_learners_origin_reads_and_resets_nothing(chromium, roll, engine):
    async def identify(token):
        return Learner("Ada") if token == "code" else None

    async def lesson(request):
        return HTMLResponse("<!doctype html><title>A learner's page</title><p>Hi")

    roll.progress.note("Ada", "01.1", "wrong")
    roll.ledger.settle(roll.ledger.reserve("Ada", 100, 0), 100, 0)
    app = create_app(engine, identify, more=[Route("/lesson", lesson)])
    with opened(chromium, roll) as (page, url), serving(app) as port:
        expect(page.locator("tbody tr").first).to_contain_text("400")
        # Opened by the teacher, in the same browser and out of the page itself.
        with page.expect_popup() as popup:
            page.evaluate(f"void window.open('http://127.0.0.1:{port}/lesson')")
        popup.value.wait_for_load_state()
        tried = popup.value.evaluate(TRIES, url)
        for name in ("read", "page", "cookies", "reset", "preflight"):
            assert tried.pop(name) == "TypeError", name
        # What is sent unseen comes without the token.
        assert tried.pop("opaque") == "opaque"
        assert tried.pop("storage") == "null" and tried.pop("frame") in (
            "TypeError",
            "SecurityError",
        )
        assert tried.pop("window") in ("TypeError", "SecurityError") and not tried
        page.wait_for_timeout(100)
        assert roll.ledger.tokens["Ada"] == 100


def test_without_the_token_it_says_what_to_do_in_both_languages(chromium, roll):
    for language, words in (("zh", "口令"), ("en", "token")):
        use(language)
        with opened(chromium, roll) as (page, url):
            expect(page.locator("tbody tr").first).to_be_visible()
            page.evaluate("sessionStorage.clear()")
            expect(page.locator("#state")).to_contain_text(words)
            page.goto("about:blank")
            page.goto(f"{url}#wrong")
            expect(page.locator("#state")).to_contain_text(words)
            # There is no table that a legend could explain.
            expect(page.locator("small")).to_be_hidden()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_it_fits_a_telephone_and_no_sign_is_told_by_its_colour(chromium, roll, scheme):
    narrow = {"viewport": {"width": 390, "height": 800}, "color_scheme": scheme}
    roll.progress.note("Ada", "01.1", "passed")
    with opened(chromium, roll, **narrow) as (page, _):
        expect(page.locator(".passed").first).to_be_visible()
        assert page.evaluate("document.documentElement.scrollWidth") == 390
        assert page.locator("tbody .qwen-sign.open").first.inner_text() == "·"
        # Where somebody is stuck stands by the name, in sight.
        roll.progress.note("Ada", "01.2", "wrong")
        expect(page.locator("tbody td").first).to_have_text("01.2 (1)")
        expect(page.get_by_text("01.2 (1)")).to_be_in_viewport(ratio=1)


@pytest.mark.parametrize("language", ["en", "zh"])
def test_a_projector_shows_all_lessons_and_all_else_of_a_class(chromium, tmp_path, language):
    use(language)
    every, names = numbers(), [f"Grace Brewster Murray Hopper {at}" for at in range(30)]
    progress, ledger = Progress(tmp_path / "all", every), Ledger(tmp_path / "ledger.jsonl")
    for name in names:
        progress.note(name, every[-1], "wrong")
    limit = Allowance(ledger, Limits(tokens=20_000))
    whole = teacher.Roll(lambda: names, progress, limit, ledger)
    with opened(chromium, whole, viewport={"width": 1024, "height": 768}) as (page, _):
        expect(page.locator("tbody tr")).to_have_count(30)
        wide, seen = page.locator("main").evaluate("main => [main.scrollWidth, main.clientWidth]")
        assert wide == seen
        # Each sign stands below its exercise's number.
        signs = page.locator("tbody tr").first.get_by_role("img")
        below = page.locator("thead tr").first.locator("b")
        edges = "all => all.map(each => each.getBoundingClientRect().x)"
        assert below.evaluate_all(edges) == signs.evaluate_all(edges)
        assert below.all_inner_texts() == [number.split(".")[1] for number in every]
