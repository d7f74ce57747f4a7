"""The other widgets in a notebook, used as a learner does: opened, run, and looked at."""

from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Page, expect

from qwen_lab.words import say, use

RUN = {"en": "Run", "zh": "运行"}
PROMPT = "写一句关于秋天的话。</div><img src=x onerror=window.stolen=1>"

pytestmark = [
    pytest.mark.browser,
    pytest.mark.model,
    pytest.mark.parametrize("language", ["en"]),
]


def press(page: Page, name: str) -> None:
    """Press a button as someone without a mouse does."""
    page.locator(".qwen-panel").get_by_role("button", name=name, exact=True).first.focus()
    page.keyboard.press("Enter")


def watch(page: Page) -> set:
    """The hosts that the page asks from here on."""
    hosts: set = set()
    page.on("request", lambda request: hosts.add(urlsplit(request.url).hostname))
    return hosts


def picture(page: Page, pytestconfig, name: str) -> None:
    if folder := pytestconfig.getoption("--pictures"):
        page.locator(".qwen-panel").screenshot(path=f"{folder}/{name}.png")


def test_a_sweep_fills_its_grid(opened, language, pytestconfig):
    source = f"qwen_lab.sweep(lab, {PROMPT!r}, temperature=[0, 1.8], max_tokens=8, seed=range(3))"
    page = opened(source, ".qwen-panel")
    hosts = watch(page)
    press(page, RUN[language])
    expect(page.locator(".qwen-grid td > b")).to_have_count(6, timeout=180_000)
    picture(page, pytestconfig, f"sweep-{language}")
    cold = page.locator(".qwen-grid table").first.locator("tr").nth(1).locator("td > b")
    assert cold.all_inner_texts() == ["A", "A", "A"]
    assert page.locator(".qwen-grid [role=img]").first.inner_text() == "■□□"
    assert page.evaluate("window.stolen") is None and hosts <= {"127.0.0.1", "localhost", None}


def test_settings_answer_side_by_side_and_part(opened, language, pytestconfig):
    settings = "dict(temperature=0, max_tokens=16), dict(temperature=1.8, max_tokens=16)"
    page = opened(f"qwen_lab.compare(lab, {PROMPT!r}, {settings}, seed=5)", ".qwen-panel")
    hosts = watch(page)
    press(page, RUN[language])
    expect(page.locator(".qwen-panel-answer mark").first).to_be_visible(timeout=180_000)
    picture(page, pytestconfig, f"compare-{language}")
    assert page.evaluate("window.stolen") is None and hosts <= {"127.0.0.1", "localhost", None}


def test_the_sampler_moves_its_bars_and_takes_a_token(opened, language, pytestconfig):
    page = opened(f"qwen_lab.sampler(lab, {PROMPT!r})", ".qwen-sampler")
    hosts = watch(page)
    use(language)
    panel = page.locator(".qwen-sampler")
    press(page, say("sampler.look"))
    draw = panel.get_by_role("button", name=say("sampler.draw_one"))
    # The tail is counted once it may be drawn from.
    expect(draw).to_be_enabled(timeout=180_000)
    first = panel.locator(".row").first
    before = first.inner_text()
    panel.get_by_role("slider", name="temperature").focus()
    for _ in range(10):
        page.keyboard.press("ArrowRight")
    expect(first).not_to_have_text(before, use_inner_text=True)
    draw.focus()
    page.keyboard.press("Enter")
    written = panel.locator(".line button")
    expect(written).to_have_count(2, timeout=180_000)
    expect(draw).to_be_enabled(timeout=180_000)
    picture(page, pytestconfig, f"sampler-{language}")
    second = panel.locator(".row").nth(1)
    token = second.locator(".name").inner_text()
    second.click()
    expect(written).to_have_count(3, timeout=180_000)
    expect(written.last).to_have_text(token)
    assert page.evaluate("window.stolen") is None and hosts <= {"127.0.0.1", "localhost", None}


def restart(page: Page) -> None:
    """Restart the notebook's kernel, by the keyboard and the dialog that asks."""
    page.locator(".jp-InputPrompt").first.click()
    page.keyboard.press("0")
    page.keyboard.press("0")
    page.get_by_role("button", name="Confirm Kernel Restart").click()


def assert_moves_without_its_kernel(page: Page) -> None:
    panel = page.locator(".qwen-sampler")
    expect(panel.get_by_text(say("sampler.kept"))).to_be_visible(timeout=180_000)
    before = panel.locator(".row").first.inner_text()
    panel.get_by_role("slider", name="temperature").press("Home")
    expect(panel.locator(".row").first).not_to_have_text(before, use_inner_text=True)


def test_a_sampler_moves_without_its_kernel_and_comes_back_when_it_was_saved(opened, lab, language):
    page = opened(f"box = qwen_lab.sampler(lab, {PROMPT!r}); await box.run(); box", ".qwen-sampler")
    use(language)
    page.keyboard.press("Control+s")
    saved = lab.folder / language / "cell.ipynb"
    for _ in range(100):
        if "widget-state" in saved.read_text(encoding="utf-8"):
            break
        page.wait_for_timeout(200)
    restart(page)
    assert_moves_without_its_kernel(page)
    lab.forget()
    page.reload()
    assert_moves_without_its_kernel(page)


def test_a_quiz_is_answered_by_keyboard_and_explains_itself(opened, language, pytestconfig):
    page = opened('qwen_lab.quiz("01")', ".qwen-quiz")
    panel = page.locator(".qwen-quiz")
    use(language)
    expect(panel).to_contain_text(say("quiz.open"))
    # The right ones of lesson 01 stand second, third and first; here the last is not taken.
    for choice in (1, 5, 7):
        panel.get_by_role("button").nth(choice).focus()
        page.keyboard.press("Enter")
    expect(panel).to_contain_text(say("quiz.score", right=2, count=3))
    # The right choice of each question is named, taken or not.
    expect(panel.get_by_text(say("quiz.right"), exact=True)).to_have_count(2)
    expect(panel.get_by_text(say("quiz.missed"), exact=True)).to_have_count(1)
    expect(panel.get_by_text(say("quiz.wrong"), exact=True)).to_have_count(1)
    # And it and the choice stand out from those that are only closed.
    kinds = (".passed", ".wrong", ":not(.passed, .wrong)")
    buttons = [panel.locator(f".jupyter-button{kind}").first for kind in kinds]
    colours = [each.evaluate("each => getComputedStyle(each).borderColor") for each in buttons]
    assert len({*colours}) == 3
    picture(page, pytestconfig, f"quiz-{language}")


def test_a_widget_says_that_the_kernel_was_restarted(opened, language):
    page = opened('qwen_lab.quiz("01")', ".qwen-quiz")
    restart(page)
    gone = page.locator(".qwen-quiz.jupyter-widgets-disconnected")
    expect(gone).to_be_visible(timeout=60_000)
    use(language)
    shown = "(widget) => getComputedStyle(widget, '::before').content"
    assert gone.evaluate(shown) == f'"{say("panel.gone")}"'
    inner = gone.locator(".jupyter-widgets-disconnected").first
    assert inner.evaluate(shown) == "none"
    # Nothing asks for a choice that cannot be made.
    expect(gone).not_to_contain_text(say("quiz.open"), use_inner_text=True)
    # What is pressed is grey; what is only looked at keeps its colours.
    colours = "(each) => getComputedStyle(each).filter"
    assert gone.locator("button").first.evaluate(colours) == "grayscale(1)"
    assert gone.locator("b").first.evaluate(colours) == gone.evaluate(colours) == "none"


def test_a_timeline_follows_its_calls_while_they_are_under_way(opened, language):
    source = """from openai import AsyncOpenAI
import asyncio
calls = qwen_lab.Calls()
client = calls.watch(AsyncOpenAI(base_url=lab.base_url, api_key=lab.api_key))
asked = {"model": lab.model, "messages": [{"role": "user", "content": "Hi"}], "max_tokens": 3}
task = asyncio.create_task(
    client.chat.completions.create(**asked, extra_headers={"X-Lab-Latency": "4"})
)
await asyncio.sleep(0.1)
print("under way:", calls.calls[0].attempts[-1].ended is None)
qwen_lab.timeline(calls)"""
    page = opened(source, ".qwen-timeline")
    expect(page.get_by_text("under way: True")).to_be_visible()
    # The cell has ended; what it shows goes on to the call's end.
    expect(page.locator(".qwen-timeline .passed")).to_be_visible(timeout=180_000)
    assert page.locator(".qwen-timeline .qwen-lane .reading").count() == 1
