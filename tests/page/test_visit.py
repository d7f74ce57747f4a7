"""A visit to the site: the first page, what a learner may try, and what is there the next time."""

import re

import pytest
from playwright.sync_api import expect

from qwen_lab.words import say, use

from .conftest import IN_FRONT, PATIENCE, run

pytestmark = pytest.mark.page


@pytest.fixture(autouse=True)
def whole_page(request):
    if not request.config.getoption("--whole-page"):
        pytest.skip("--whole-page runs it")


CACHED = """caches.keys()
  .then((names) => caches.open(names.find((name) => name.startsWith("qwen-lab"))))
  .then((cache) => cache.keys())"""
CONNECT = "import qwen_lab; lab = qwen_lab.connect({}lang='en')\n"
ASK = "from openai import OpenAI; c = OpenAI(base_url=lab.base_url, api_key=lab.api_key)\n"
WHO = "[{'role': 'user', 'content': '%s'}]"
SAY = "print(c.chat.completions.create(model=lab.model, messages=%s).choices[0].message.content)"


def test_the_first_page_leads_to_a_lesson_in_either_language(visit):
    here = visit()
    page = here.context.new_page()
    for language in ("zh", "en"):
        use(language)
        page.goto(here.root)
        page.locator(f"section[lang={language}] .start").click()
        expect(page.locator(".jp-Notebook h1")).to_contain_text("01", timeout=PATIENCE)
        assert page.locator(".jp-Dialog, .Toastify__toast").count() == 0
    assert here.outside() == []


def test_a_cell_that_is_run_before_python_is_there_waits_for_it_and_asks_nothing(visit):
    here = visit()
    page = here.context.new_page()
    slowly = here.context.new_cdp_session(page)
    slowly.send("Emulation.setCPUThrottlingRate", {"rate": 6})
    page.goto(f"{here.root}lab/index.html?path=en/01_basic_call.ipynb")
    cell = page.locator(f"{IN_FRONT} .jp-CodeCell").first
    while not re.search(r"[*\d]", cell.locator(".jp-InputPrompt").inner_text()):
        cell.locator(".cm-content").press("Control+Enter")
        page.wait_for_timeout(500)
        assert page.locator(".jp-Dialog").count() == 0
    expect(cell.locator(".jp-InputPrompt")).to_have_text(re.compile(r"\d"), timeout=PATIENCE)


def test_what_was_not_recorded_says_what_would_answer_it_and_keys_and_packages_are_refused(visit):
    use("en")
    page = visit().open("en/01_basic_call.ipynb")
    again = f"for _ in range(3): {SAY % (WHO % 'Who are you?')}"
    told = run(page, CONNECT.format("") + ASK + again)
    assert say("connection.page", model="qwen2.5-coder-0.5b-instruct").split("\n")[0] in told
    assert told.count("How can I assist you today?") == 3
    assert run(page, ASK + SAY % (WHO % "What is new?")).strip() == say("page.not_recorded")
    unknown = "c.chat.completions.create(model='gpt-9', messages=%s)" % (WHO % "Who are you?")
    assert "Traceback" in run(page, unknown)
    assert say("page.no_keys") in run(page, CONNECT.format("'dashscope', "))
    assert run(page, "%pip install pandas").strip() == say("page.no_pip")


def test_what_a_learner_wrote_and_passed_is_there_after_a_reload(visit):
    page = visit().open("en/01_basic_call.ipynb")
    note = "log.note_exercise('01.{}', 'passed'); "
    passed = f"from qwen_lab.course import log; {note.format(1)}{note.format(2)}\n# mine"
    run(page, passed)
    expect(page.locator(".jp-mod-dirty")).to_have_count(0, timeout=PATIENCE)
    page.reload()
    cell = page.locator(".jp-Notebook .jp-CodeCell").first
    expect(cell.locator(".cm-content")).to_contain_text("# mine", timeout=PATIENCE)
    assert "2 of" in run(page, "import qwen_lab; print(repr(qwen_lab.progress()))")


def test_after_the_first_visit_a_lesson_runs_without_a_network(visit, folder):
    here = visit()
    page = here.open("zh/01_basic_call.ipynb")
    run(page, "1")
    count = sum(path.is_file() for path in folder.rglob("*")) - 1
    while len(page.evaluate(CACHED)) < count:
        page.wait_for_timeout(1000)
    here.context.set_offline(True)
    page.reload()
    told = run(page, CONNECT.format("") + ASK + SAY % (WHO % "你是谁？"))
    assert "阿里巴巴" in told
