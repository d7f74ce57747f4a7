"""The playground in a notebook, used as a learner does, with the keyboard alone."""

import re
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Page, expect

from qwen_lab.views.tokens import SIGNS
from qwen_lab.words import say, use

TABS = {
    "en": ["Answer", "X-ray", "Anatomy", "Wire", "Code"],
    "zh": ["回答", "透视", "结构", "传输", "代码"],
}
RUN = {"en": "Run", "zh": "运行"}
HOSTILE = "<img src=x onerror=window.stolen=1></div><script>window.stolen=1</script><!--"
# How much wider each list is than what is chosen in it.
ROOM = """lists => lists.map((each) => {
  const pen = document.createElement("canvas").getContext("2d");
  pen.font = getComputedStyle(each).font;
  return each.clientWidth - pen.measureText(each.selectedOptions[0].text).width;
})"""
# Each token's text: a blank before it and the end of its line stand outside.
TOKENS = """all => all.map(each => {
  const [before, after] = [each.previousSibling?.data, each.nextSibling?.data];
  return (before === " " ? before : "") + each.firstChild.data + (after === "\\n" ? after : "");
})"""

BOTTOMS = "all => all.map(each => each.getBoundingClientRect().bottom)"

pytestmark = [pytest.mark.browser, pytest.mark.model]


@pytest.fixture
def page(opened):
    source = f"""qwen_lab.playground(
    lab, {HOSTILE!r}, system={HOSTILE!r}, max_tokens=12, seed=1, logprobs=True, top_logprobs=3
)"""
    return opened(source, ".qwen-panel")


def press(page: Page, name: str) -> None:
    page.locator(".qwen-panel").get_by_role("button", name=name, exact=True).focus()
    page.keyboard.press("Enter")


def run(page: Page, language: str, times: int) -> None:
    press(page, RUN[language])
    expect(page.locator(".qwen-panel table").last).to_be_attached(timeout=180_000)
    rows = page.locator(".qwen-panel .qwen-history tr:has(td)")
    expect(rows).to_have_count(times, timeout=180_000)


def picture(page: Page, pytestconfig, name: str) -> None:
    if folder := pytestconfig.getoption("--pictures"):
        page.locator(".qwen-panel").screenshot(path=f"{folder}/playground-{name}.png")


@pytest.mark.parametrize("language", ["en", "zh"])
def test_a_run_is_seen_from_every_side_and_nothing_leaves_the_machine(page, language, pytestconfig):
    hosts = set()
    page.on("request", lambda request: hosts.add(urlsplit(request.url).hostname))
    run(page, language, 1)
    picture(page, pytestconfig, f"{language}-answer")
    tabs = page.locator(".qwen-panel").get_by_role("tab")
    expect(tabs).to_have_text(TABS[language])
    tabs.first.focus()
    for side, shows in (
        ("xray", ".qwen-xray-open"),
        ("anatomy", "details"),
        ("wire", ".qwen-wire-rows"),
        ("code", "pre"),
    ):
        page.keyboard.press("ArrowRight")
        page.keyboard.press("Enter")
        shown = page.locator(f".qwen-panel .widget-tab-contents {shows}").filter(visible=True)
        expect(shown.first).to_be_visible()
        picture(page, pytestconfig, f"{language}-{side}")
    assert page.evaluate("window.stolen") is None and hosts <= {"127.0.0.1", "localhost", None}
    page.keyboard.press("Control+b")
    page.set_viewport_size({"width": 1104, "height": 1500})
    # The model, the preset, a name for one's own and the button stand in one line.
    bottoms = page.locator(".qwen-choices").locator("input, select, button").evaluate_all(BOTTOMS)
    assert len(bottoms) == 4 and max(bottoms) - min(bottoms) < 4
    page.set_viewport_size({"width": 380, "height": 1500})
    picture(page, pytestconfig, f"{language}-narrow")


@pytest.mark.parametrize("language", ["zh"])
def test_hostile_names_of_presets_and_folders_are_only_text(opened, language):
    use(language)
    folder = HOSTILE.replace("/", "")
    page = opened(
        f"import os\nos.mkdir({folder!r})\nos.chdir({folder!r})\n"
        "qwen_lab.playground(lab, 'Hi', max_tokens=5, seed=1)",
        ".qwen-panel",
    )
    page.get_by_placeholder(say("playground.preset_name")).fill(HOSTILE)
    press(page, say("playground.save"))
    expect(page.locator(".qwen-panel")).to_contain_text(HOSTILE)
    expect(page.locator(".qwen-panel select option", has_text="onerror")).to_have_count(1)
    run(page, language, 1)
    press(page, say("playground.export"))
    expect(page.locator(".qwen-panel")).to_contain_text(f"{folder}/qwen_lab_runs.csv")
    assert page.evaluate("window.stolen") is None


@pytest.mark.parametrize("language", ["zh"])
def test_two_runs_with_one_seed_and_the_code_copied_into_a_cell_answer_the_same(page, language):
    use(language)
    run(page, language, 1)
    run(page, language, 2)
    expect(page.locator(".qwen-panel")).to_contain_text("两个回答相同")
    # Which two are compared is legible: beside the name there is room for the arrow.
    chosen = page.locator("select", has_text=say("playground.run", number=2))
    assert chosen.count() == 2 and min(chosen.evaluate_all(ROOM)) >= 30
    answer = page.locator(".qwen-panel-answer").inner_text()
    page.get_by_role("tab", name=TABS[language][-1]).click()
    press(page, say("playground.copy"))
    expect(page.locator(".qwen-panel")).to_contain_text(say("playground.copied"))
    page.locator(".jp-Cell .jp-InputPrompt").first.click()
    page.keyboard.press("b")
    page.keyboard.press("Enter")
    page.keyboard.press("Control+v")
    page.keyboard.press("Control+Enter")
    printed = page.locator(".jp-Cell").nth(1).locator(".jp-OutputArea-output").last
    expect(printed).to_contain_text(answer[:20], timeout=180_000)
    assert " ".join(answer.split()) in " ".join(printed.inner_text().split())


@pytest.mark.parametrize("language", ["en"])
def test_from_a_token_of_the_xray_a_hand_goes_on_with_another(page, language):
    use(language)
    page.get_by_role("tab", name=TABS[language][1]).click()
    # As long as there is no token, no button stands there for one.
    expect(page.locator(".qwen-script > button:empty")).to_be_attached()
    expect(page.locator(".qwen-script > button:empty")).to_be_hidden()
    run(page, language, 1)
    page.get_by_role("tab", name=TABS[language][1]).click()
    expect(page.get_by_text(say("playground.go_on"))).to_be_visible()
    tokens = page.locator(".qwen-xray-text > [tabindex]")
    texts = tokens.evaluate_all(TOKENS)
    sampler = page.locator(".qwen-sampler")
    written, draw = sampler.locator(".line button"), say("sampler.draw_one")
    ready = sampler.get_by_role("button", name=draw, disabled=False)
    # At first sight a button offers to go on from the token that is open.
    at = tokens.evaluate_all("all => all.findIndex(each => each.matches('.open'))")
    page.get_by_role("button", name=re.compile("^Replace “")).focus()
    page.keyboard.press("Enter")
    expect(ready).to_be_visible(timeout=180_000)
    expect(ready).to_be_in_viewport()
    begun = "".join(texts[:at]).replace("↵", "") or say("sampler.root")
    expect(written).to_have_text([begun])
    # With Tab one comes to the tokens once, and with arrows from one to the next.
    tokens.nth(1).focus()
    page.keyboard.press("ArrowRight")
    expect(tokens.nth(2)).to_be_focused()
    expect(page.locator('.qwen-xray-text > [tabindex="0"]')).to_have_count(1)
    page.keyboard.press("Enter")
    expect(ready).to_be_visible(timeout=180_000)
    expect(ready).to_be_in_viewport()
    expect(written).to_have_text(["".join(texts[:2]).replace("↵", "")])
    # It is marked, has the focus still, and its bars are open.
    expect(tokens.nth(2)).to_have_class(re.compile("open"))
    expect(tokens.nth(2)).to_be_focused()
    expect(page.locator(".qwen-xray-text .open")).to_have_count(1)
    names = sampler.locator(".row:not([hidden], .rest) .name")
    # What it wrote is among what might have come; the hand takes another.
    assert texts[2].translate(SIGNS) in names.all_inner_texts()
    another = next(each for each in names.all() if each.inner_text() != texts[2].translate(SIGNS))
    token = another.inner_text()
    another.click()
    expect(written).to_have_count(2, timeout=180_000)
    expect(written.last).to_have_text(token)
    expect(ready).to_be_visible(timeout=180_000)
    # A click does what the key does: now from the very beginning.
    tokens.first.click()
    expect(written).to_have_text([say("sampler.root")])
    expect(ready).to_be_visible(timeout=180_000)
