"""The place where the Qwen is fetched: its buttons, its tabs, and who is not offered it."""

import re

import pytest
from playwright.sync_api import expect

from qwen_lab.words import use

from .conftest import UNTRUSTED
from .weights_host import HASHES, KEPT, PATHS, PIECE, WHOLE, half_way, press, says, told, value

pytestmark = pytest.mark.browser


def test_it_is_fetched_and_kept_and_can_be_removed(open_page, host):
    place = open_page()
    says(place, "none")
    press(place, "do_fetch")
    says(place, "kept")
    assert place.page.evaluate(KEPT) == WHOLE
    assert host.asked == [(path, None) for path in PATHS]
    expect(place.get_by_role("progressbar")).to_be_hidden()
    press(place, "remove")
    says(place, "none")
    assert place.page.evaluate(KEPT) == {}


def test_it_goes_on_after_a_pause_and_a_reload_with_what_is_there(open_page, host):
    place = open_page()
    host.waits[PATHS[1]] = 500_000
    press(place, "do_fetch")
    says(place, "fetching")
    half_way(place)
    press(place, "do_pause")
    says(place, "paused")
    assert value(place) == PIECE
    place.page.reload()
    says(place, "paused")
    assert value(place) == PIECE
    assert place.page.evaluate(KEPT) == {"model.gguf.partial": [PIECE, HASHES[0]]}
    press(place, "do_go_on")
    says(place, "kept")
    assert place.page.evaluate(KEPT) == WHOLE
    assert [path for path, _ in host.asked] == [PATHS[0], PATHS[1], *PATHS[1:]]


def test_what_failed_looks_so_and_a_half_can_be_removed(open_page, host):
    place, failed = open_page(), re.compile("qwen-failed")
    box = place.locator(".qwen-weights")
    expect(box).not_to_have_class(failed)
    host.lies = [PATHS[1]] * 2
    press(place, "do_fetch")
    expect(box).to_have_class(failed)
    press(place, "remove")
    says(place, "none")
    expect(box).not_to_have_class(failed)
    assert place.page.evaluate(KEPT) == {}


def test_a_page_that_is_left_on_the_way_goes_on_when_it_is_opened_again(open_page, host):
    place = open_page()
    host.waits[PATHS[1]] = 500_000
    press(place, "do_fetch")
    half_way(place)
    place.page.reload()
    says(place, "kept")
    assert place.page.evaluate(KEPT) == WHOLE
    assert [path for path, _ in host.asked] == [PATHS[0], PATHS[1], *PATHS[1:]]


def test_all_tabs_show_the_same_and_another_takes_over_from_one_that_is_closed(open_page, host):
    first, second = open_page(), open_page()
    host.waits = {PATHS[1]: 500_000, PATHS[2]: 100_000}
    press(first, "do_fetch")
    says(second, "fetching")
    third = open_page()
    says(third, "fetching")
    half_way(third)
    press(third, "do_pause")
    says(first, "paused")
    press(first, "do_go_on")
    says(second, "fetching")
    first.page.close()
    host.go.set()
    says(third, "kept")
    assert third.page.evaluate(KEPT) == WHOLE
    assert [path for path, _ in host.asked].count(PATHS[0]) == 1


def test_what_two_tabs_begin_is_fetched_once(open_page, host):
    first, second = open_page(), open_page()
    host.waits[PATHS[1]] = 500_000
    press(first, "do_fetch")
    half_way(first)
    second.page.evaluate("qwenWeights.postMessage('fetch')")
    second.page.wait_for_timeout(500)
    says(second, "fetching")
    host.go.set()
    says(second, "kept")
    assert host.asked == [(path, None) for path in PATHS]


def test_over_plain_http_it_says_what_is_wanted(browser, host):
    use("en")
    page = browser.new_page()
    page.goto(host.root.replace("127.0.0.1", UNTRUSTED))
    place = page.locator("section[lang=en] [data-offer]")
    says(place, "unable")
    expect(place.get_by_role("button")).to_have_count(0)


def test_a_browser_that_could_not_use_it_is_not_offered_it(open_page, host):
    kind, script = host.files["/qwen-weights.js"]
    host.files["/qwen-weights.js"] = kind, b"delete WebAssembly.Suspending;\n" + script
    place = open_page()
    says(place, "other_browser")
    expect(place.get_by_role("button")).to_have_count(0)


def test_it_is_used_by_keyboard_and_read_aloud(open_page, host):
    place = open_page()
    expect(place.get_by_role("group", name=told("name"))).to_be_visible()
    place.get_by_role("button").focus()
    host.waits[PATHS[1]] = 500_000
    place.page.keyboard.press("Enter")
    bar = place.get_by_role("progressbar", name=told("name"))
    expect(bar).to_have_attribute("aria-valuetext", re.compile(r"^\d of 3\sMB"))
    host.go.set()
    says(place, "kept")
    # The button under the focus is gone: the focus stays at its place.
    assert place.page.evaluate("document.activeElement.role") == "group"
    use("zh")
    other = place.page.locator("section[lang=zh] [data-offer]")
    says(other, "kept")
    expect(other.get_by_role("button", name=told("remove"))).to_be_visible()
