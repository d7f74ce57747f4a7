"""The panel in a notebook, used as a learner does: in JupyterLab, in a real browser."""

import pytest
from playwright.sync_api import Locator, Page, expect

WORDS = {
    "en": {
        "prompt": "Your prompt",
        "run": "Run",
        "stop": "Stop",
        "stopped": "Stopped",
        "sends": "This call sends: temperature=0.6, max_tokens=400",
        "long": "Write the numbers from one to three hundred in words, one a line.",
    },
    "zh": {
        "prompt": "你的提示词",
        "run": "运行",
        "stop": "停止",
        "nothing": "有了回答以后，这里显示最近的一次。",
        "stopped": "已停止",
        "sends": "这次调用会发送：temperature=0.6, max_tokens=400",
        "long": "从一数到三百，用汉字，每行一个。",
    },
}
HOSTILE = (
    "Say yes. </div><img src=x onerror=\"document.title='stolen'\"><!-- <script>alert(1)</script>"
)
THEMES = "lab/user-settings/@jupyterlab/apputils-extension/themes.jupyterlab-settings"
# What sticks out at the right of the panel: neither a part of it nor the panel itself may.
STICKS_OUT = """() => [...document.querySelectorAll('.qwen-panel, .qwen-panel *')]
    .filter(part => part.getBoundingClientRect().right >
        document.querySelector('.jp-Notebook').getBoundingClientRect().right ||
        (part.clientWidth && !part.closest('.slider, .qwen-table') &&
            part.scrollWidth > part.clientWidth + 1))
    .map(part => part.className || part.tagName)"""

pytestmark = [pytest.mark.browser, pytest.mark.model]


@pytest.fixture
def page(language, opened):
    """A notebook of one cell that makes a panel, opened and run."""
    return opened(
        f"qwen_lab.Panel(lab, {WORDS[language]['long']!r}, max_tokens=400)", ".qwen-panel"
    )


@pytest.fixture
def dark(home):
    """JupyterLab's dark theme, for a page that is opened after this."""
    setting = home / "config" / THEMES
    setting.parent.mkdir(parents=True, exist_ok=True)
    setting.write_text('{"theme": "JupyterLab Dark"}')
    yield
    setting.unlink()


def button(page: Page, name: str) -> Locator:
    return page.locator(".qwen-panel").get_by_role("button", name=name, exact=True)


def press(page: Page, name: str) -> None:
    """Press a button as someone without a mouse does."""
    button(page, name).focus()
    page.keyboard.press("Enter")


def wait_for_letters(page: Page, count: int) -> None:
    grown = f"document.querySelector('.qwen-panel-answer')?.innerText.length > {count}"
    page.wait_for_function(grown, timeout=180_000)


def picture(page: Page, pytestconfig, name: str) -> None:
    if folder := pytestconfig.getoption("--pictures"):
        page.screenshot(path=f"{folder}/panel-{name}.png")


@pytest.mark.parametrize("language", ["zh"])
def test_sliders_run_and_stop_work_with_the_keyboard_while_the_answer_streams(
    page, language, pytestconfig
):
    words = WORDS[language]
    # Where the answer will stand there is no empty box.
    expect(page.locator(".qwen-panel-answer")).to_have_text(words["nothing"])
    page.get_by_role("slider").first.focus()
    page.keyboard.press("ArrowLeft")
    page.keyboard.press("ArrowLeft")
    expect(page.locator(".qwen-panel")).to_contain_text(words["sends"])
    press(page, words["run"])
    expect(page.locator(".qwen-panel-answer")).not_to_have_text(words["nothing"], timeout=180_000)
    wait_for_letters(page, 10)
    expect(button(page, words["stop"])).to_be_enabled()
    wait_for_letters(page, len(page.locator(".qwen-panel-answer").inner_text()))
    expect(button(page, words["stop"])).to_be_enabled()
    press(page, words["stop"])
    expect(page.locator(".qwen-panel-status")).to_contain_text(words["stopped"])
    expect(button(page, words["stop"])).to_be_disabled()
    assert len(page.locator(".qwen-panel-answer").inner_text()) > 10
    picture(page, pytestconfig, f"{language}-light")
    typed = page.get_by_role("spinbutton").first
    typed.fill("5")
    page.keyboard.press("Tab")
    expect(page.locator(".qwen-panel-hint")).to_contain_text("5 超出了它的范围 [0, 2)")
    expect(typed).to_have_value("5")


@pytest.mark.parametrize("language", ["zh"])
def test_a_hostile_prompt_is_shown_and_not_executed(page, language):
    words, dialogs = WORDS[language], []
    page.on("dialog", lambda dialog: (dialogs.append(dialog.message), dialog.dismiss()))
    page.get_by_label(words["prompt"]).fill(HOSTILE)
    press(page, words["run"])
    wait_for_letters(page, 1)
    press(page, words["stop"])
    page.locator(".qwen-panel summary").last.click()
    expect(page.locator(".qwen-panel pre")).to_contain_text("<!-- <script>alert(1)</script>")
    assert page.locator(".qwen-panel img, .qwen-panel script").count() == 0
    assert page.title() != "stolen" and dialogs == []


@pytest.mark.parametrize("language", ["en", "zh"])
def test_it_fits_a_narrow_window_in_the_dark(dark, page, language, pytestconfig):
    for tick in page.get_by_role("checkbox").all():
        tick.check()
    press(page, WORDS[language]["run"])
    wait_for_letters(page, 40)
    press(page, WORDS[language]["stop"])
    picture(page, pytestconfig, f"{language}-dark")
    page.keyboard.press("Control+b")
    page.set_viewport_size({"width": 380, "height": 1500})
    for title in page.locator(".qwen-panel summary").all():
        title.click()
    page.locator(".qwen-panel").evaluate("panel => panel.scrollIntoView()")
    picture(page, pytestconfig, f"{language}-narrow")
    assert page.locator("body").get_attribute("data-jp-theme-light") == "false"
    assert page.evaluate(STICKS_OUT) == []
    ticks = [tick.bounding_box() for tick in page.get_by_role("checkbox").all()]
    assert len(ticks) == 6 and len({round(tick["x"]) for tick in ticks}) == 1
