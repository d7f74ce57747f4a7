"""The sampler's page by itself, used as a hand does: a stand-in for the kernel holds its state."""

import itertools
import random
import re

import numpy
import pytest

from qwen_lab.lab import Lab
from qwen_lab.views.html import percent
from qwen_lab.views.sampler import sampler
from qwen_lab.watch.next_token import listed
from qwen_lab.watch.sampling import STAGES, Settings, stages
from qwen_lab.widgets.sampler import OFF, Sampler
from qwen_lab.words import say

from ..views.hostile import HOSTILE
from ..views.test_theme import contrast, read
from .test_export import TEXTS

pytestmark = pytest.mark.browser

TRAITS = ("told", "values", "numbers", "path", "tried", "doing", "error")
# What a front end gives to a widget: its state, and a way to change it and to send messages.
OPEN = """async ([state, css, esm]) => {
  const style = document.createElement("style"), heard = {};
  style.textContent = css;
  window.el = document.createElement("div");
  el.className = "qwen-panel qwen-sampler";
  document.body.append(style, el);
  window.sent = [];
  window.model = {
    get: name => state[name], set: (name, value) => { state[name] = value; }, save_changes() {},
    send: message => sent.push(message), on: (name, hear) => (heard[name] ??= []).push(hear),
    tell(changes) {
      Object.assign(state, changes);
      for (const name in changes)
        for (const hear of [...heard[`change:${name}`] ?? [], ...heard[name] ?? []]) hear();
    },
  };
  const file = new Blob([esm], {type: "text/javascript"});
  window.script = await import(URL.createObjectURL(file));
  script.default.render({model, el});
}"""


def vocabulary(seed=7, size=3_000):
    """Tokens like those of a model, with a context that has likely, middling and rare ones."""
    logits = numpy.sort(numpy.random.default_rng(seed).normal(0, 2.5, size))[::-1]
    logits[:4] += (5, 4, 3, 2)
    offset = float(numpy.log(numpy.exp(logits).sum()))
    rows = [(n, b"<%d>" % n, logit - offset) for n, logit in enumerate(logits)]
    return listed(rows, [0, 1, 1, 1, 7, 40, 40, 400, size - 5], 5, offset)


def state(found=None, **start):
    """What Python would send of a sampler that knows these numbers."""
    box = Sampler(Lab("http://127.0.0.1:1/v1", "qwen", "local", "x"), "hi", **OFF | start)
    box.branches.here.found = found or vocabulary().first(300)
    box._show()
    return {name: getattr(box, name) for name in TRAITS}


@pytest.fixture
def shown(chromium):
    """Show a sampler in this state on a page of its own."""
    pages, errors = [], []

    def show(state, **options):
        page = chromium.new_page(**{"viewport": {"width": 1000, "height": 800}} | options)
        pages.append(page)
        page.on("pageerror", lambda error: errors.append(error))
        page.set_content("<!doctype html>")
        page.evaluate(OPEN, [state, Sampler._css, Sampler._esm])
        return page

    yield show
    for page in pages:
        page.close()
    assert not errors


def rows(page):
    return page.locator(".row:not([hidden])")


def slider(page, name):
    return page.get_by_role("slider", name=name)


def odd(seed):
    """Settings at random, with the ends of the ranges among them."""
    pick = random.Random(seed)
    return Settings(
        temperature=pick.choice([0, 0.05, 1, 1.95, pick.uniform(0.05, 1.99)]),
        top_p=pick.choice([1, 1, 0.01, 0.95, pick.uniform(0.01, 1)]),
        top_k=pick.choice([0, 1, 20, 100, 101, 250, pick.randint(2, 100)]),
        repetition_penalty=pick.choice([1, 0.05, 2, pick.uniform(0.1, 2)]),
        presence_penalty=pick.choice([0, -2, 2, pick.uniform(-2, 2)]),
        frequency_penalty=pick.choice([0, -2, 2, pick.uniform(-2, 2)]),
    )


@pytest.mark.parametrize(("most", "times"), [(10, 300), (300, 200), (3_000, 30)])
def test_the_page_computes_what_python_computes(shown, most, times):
    found = vocabulary(most).first(most)
    settings = [Settings(), *map(odd, range(times))]
    page = shown(state(found))
    compute = """all => all.map(settings => script.stages(
      script.groups(model.get("numbers")), settings, model.get("told").largest_top_k))"""
    computed = page.evaluate(compute, [vars(each) for each in settings])
    for each, theirs in zip(settings, computed, strict=True):
        ours = stages(found, each)
        assert [stage.name for stage in ours] == list(STAGES) and len(theirs) == len(ours)
        for one, other in zip(ours, theirs, strict=True):
            assert other["now"][: len(found.ids)] == pytest.approx(one.probabilities, abs=1e-6), (
                each
            )
            assert [are > 0 for are in other["are"][: len(found.ids)]] == one.kept.tolist(), each
            assert other["tail"] == pytest.approx(one.tail, abs=1e-6)
            assert other["mass"] == pytest.approx(one.mass, abs=1e-6)
            assert other["tokens"] == one.tokens, each


def test_a_percentage_is_written_as_python_writes_it(shown):
    page = shown(state())
    shares = [
        0,
        1,
        1e-9,
        0.000012,
        0.5,
        0.0123456,
        0.12,
        0.00004,
        0.99949,
        0.99951,
        0.999999,
        1 / 3,
    ]
    write = """shares => shares.map(share => {
      const none = {counts: [0, 0], tail_logprobs: [], tail_counts: []};
      const logprobs = [Math.log(share), Math.log(1 - share)];
      model.tell({numbers: {...none, path: [], ids: [1, 2], names: ["a", "b"], logprobs,
        logit_offset: 0, counting: false}});
      return el.querySelector(".figure").textContent; })"""
    written = page.evaluate(write, shares)
    assert written == [percent(float(numpy.float32(share))) for share in shares]


def test_a_dragged_slider_moves_the_bars_and_asks_nothing(shown):
    page = shown(state(temperature=0.5))
    before = rows(page).first.get_by_text("%").inner_text()
    width = page.locator(".now").first.bounding_box()["width"]
    box = slider(page, "temperature").bounding_box()
    page.mouse.move(box["x"] + box["width"] / 4, box["y"] + box["height"] / 2)
    page.mouse.down()
    page.mouse.move(box["x"] + box["width"] - 2, box["y"] + box["height"] / 2, steps=5)
    page.mouse.up()
    assert rows(page).first.get_by_text("%").inner_text() != before
    assert page.locator(".now").first.bounding_box()["width"] < width
    assert page.evaluate("model.get('values').temperature") == 1.95
    assert page.evaluate("sent") == []


def test_the_bars_have_changed_when_the_event_of_the_slider_has_ended(shown):
    page = shown(state())
    moved = """() => { const input = el.querySelector("[aria-label=top_k]");
      const cut = () => el.querySelectorAll(".cut").length, before = cut();
      input.value = 3; input.dispatchEvent(new Event("input")); return [before, cut()]; }"""
    assert page.evaluate(moved) == [0, 10]


def test_what_a_stage_cuts_is_marked_and_said_and_each_stage_can_be_looked_at(shown):
    page = shown(state(top_k=3))
    notes = page.locator(".row.cut small").all_inner_texts()
    met = "1 × in the text, cut by top_k"
    assert notes == ["cut by top_k"] * 4 + [met] + ["cut by top_k"] * 5
    assert "3 of 3,000 stay" in page.locator(".step", has_text="top_k").inner_text()
    page.get_by_role("button", name="temperature", exact=True).click()
    assert page.locator(".row.cut").count() == 0
    assert "The token is drawn after the last step" in page.get_by_role("status").inner_text()
    page.get_by_role("button", name="top_p", exact=True).click()
    assert page.locator(".row.cut").count() == 10


def test_all_the_others_are_one_bar_with_their_number_and_their_mass(shown):
    found = vocabulary().first(300)
    page = shown(state(found))
    others = page.locator(".rest")
    assert "2,988 others" in others.inner_text()
    last = stages(found, Settings())[-1]
    assert percent(1 - last.probabilities[:12].sum()) in others.inner_text()


def test_the_others_name_each_stage_that_cut_some_of_them(shown):
    page = shown(state(vocabulary().first(300), top_k=20, top_p=0.2))
    assert page.locator(".rest small").inner_text() == "cut by top_k, top_p"
    page.get_by_role("button", name="top_k", exact=True).click()
    assert "8 of them" in page.locator(".rest small").inner_text()


def test_no_note_covers_a_bar_its_mark_or_its_figure(shown):
    for width, settings in itertools.product(
        (1200, 390, 260), ({}, {"top_k": 3}, {"temperature": 0.2})
    ):
        page = shown(state(**settings))
        page.set_viewport_size({"width": width, "height": 900})
        boxes = page.evaluate("""() => [...el.querySelectorAll(".row small:not(:empty)")].map(
          note =>
          ["small", ".now", ".raw", ".name", ".figure"].map(part => {
            const box = note.parentNode.querySelector(part).getBoundingClientRect();
            const { left, right, top, bottom } = box;
            return [left, right, top, bottom]; }))""")
        assert boxes
        for note, *parts in boxes:
            for part in parts:
                # A note begins with a space as wide as a mark and more.
                beside = note[0] + 4 >= part[1] or note[1] <= part[0]
                assert beside or note[2] >= part[3] or note[3] <= part[2], (width, settings)


def test_each_slider_shows_where_it_ends(shown):
    known = state()["told"]["knobs"]
    parts = "all => all.map(e => [e.firstChild.ariaLabel, ...e.innerText.trim().split(/\\s+/)])"
    ends = shown(state()).locator(".slide").evaluate_all(parts)
    assert {name for name, *_ in ends} == set(known) - {"seed"}
    for name, low, high in ends:
        assert [float(low), float(high)] == [known[name]["min"], known[name]["max"]]


def test_a_click_and_the_enter_key_take_a_token_and_the_focus_stays(shown):
    page = shown(state())
    rows(page).nth(2).click()
    assert page.evaluate("sent") == [{"do": "take", "number": 2, "from": []}]
    assert "Asking" in page.get_by_role("status").inner_text()
    # Until Python has answered, nothing more is taken, and nothing vanishes.
    page.keyboard.press("Enter")
    assert len(page.evaluate("sent")) == 1 and rows(page).count() == 13
    place = "{path: [2], tried: [...model.get('tried'), {path: [2], name: '<2>'}]}"
    page.evaluate(f"model.tell({{...{place}, doing: 'Asking…'}})")
    assert rows(page).count() == 13 and page.locator(".bars.stale").count() == 1
    page.evaluate("model.tell({numbers: {...model.get('numbers'), path: [2]}, doing: ''})")
    assert page.locator(".bars.stale").count() == 0
    page.keyboard.press("Enter")
    assert page.evaluate("sent.at(-1)") == {"do": "take", "number": 2, "from": [2]}


def test_the_answer_so_far_leads_back_and_its_branches_stay(shown):
    page, told = shown(state()), "{path: %s, tried: [[], [1], [1, 2], [1, 3], [4]].map(path => "
    told += "({path, name: path.length ? `<${path.at(-1)}>` : 'start'}))}"
    page.evaluate(f"model.tell({told % '[1, 2]'})")
    chips, others = page.locator(".line button"), page.locator(".tried button")
    assert chips.all_inner_texts() == ["start", "<1>", "<2>"]
    assert others.all_inner_texts() == ["<1><3>", "<4>"]
    chips.nth(1).click()
    assert page.evaluate("sent.at(-1)") == {"do": "go", "path": [1], "from": [1, 2]}
    page.evaluate(f"model.tell({told % '[1]'})")
    assert page.locator(".line .ahead").all_inner_texts() == ["<2>"]
    assert page.locator("[aria-current=true]").inner_text() == "<1>"
    # Who is there already asks for nothing, and waits for nothing.
    count = page.evaluate("sent.length")
    chips.nth(1).click()
    assert page.evaluate("sent.length") == count
    assert page.locator(".qwen-sampler").get_attribute("aria-busy") == "false"
    others.first.click()
    assert page.evaluate("sent.at(-1)") == {"do": "go", "path": [1, 3], "from": [1]}


def test_what_was_taken_is_marked_while_the_next_is_asked_for_and_where_one_goes_back(shown):
    page = shown(state(seed=5))
    taken = page.locator(".taken")
    assert taken.count() == 0
    rows(page).nth(2).click()
    assert taken.locator(".name").inner_text() == "<2>"
    assert "taken" in taken.locator("small").inner_text() and "taken" in taken.get_attribute(
        "title"
    )
    sign = taken.locator(".name").evaluate("e => getComputedStyle(e, '::before').content")
    assert "▶" in sign
    tried = "tried: [[], [2]].map(path => ({path, name: path.length ? '<2>' : 'start'}))"
    page.evaluate(f"model.tell({{path: [2], {tried}, doing: 'Asking…'}})")
    assert taken.locator(".name").inner_text() == "<2>"
    page.evaluate("model.tell({numbers: {...model.get('numbers'), path: [2]}, doing: ''})")
    assert taken.count() == 0
    # Back at the beginning, the one that stands in the line.
    page.evaluate("model.tell({path: [], numbers: {...model.get('numbers'), path: []}})")
    assert taken.locator(".name").inner_text() == "<2>"


def test_one_that_has_no_row_marks_the_others(shown):
    page = shown(state())
    page.locator(".rest").click()
    assert page.locator(".rest.taken").count() == 1
    page.evaluate("model.tell({doing: 'Asking for the whole vocabulary…'})")
    assert page.locator(".taken").count() == 1
    page.evaluate("model.tell({doing: '', error: 'No answer.'})")
    assert page.locator(".taken").count() == 0


def test_what_the_penalties_lower_says_so_and_by_how_often_it_is_in_the_text(shown):
    page = shown(state())
    notes, step = page.locator(".row small"), page.locator(".step", has_text="Penalties")
    assert notes.all_inner_texts()[:2] == ["1 × in the text", "3 × in the text"]
    slider(page, "frequency_penalty").fill("0.5")
    lowered = "3 × in the text: lowered"
    assert notes.nth(1).inner_text() == lowered and "lower repeats" in step.inner_text()
    slider(page, "top_k").fill("1")
    assert notes.nth(1).inner_text() == f"{lowered}, cut by top_k"
    # The bars as the model has them are lowered by nothing.
    page.get_by_role("button", name="The model", exact=True).click()
    assert "lowered" not in "".join(notes.all_inner_texts())
    page.get_by_role("button", name="top_p", exact=True).click()
    slider(page, "frequency_penalty").fill("-1")
    assert "raise repeats" in step.inner_text() and "lowered" not in notes.nth(1).inner_text()


# Of a widget or a picture: the labels of its axis, then its rows but the one at a cut, which has a
# note of its own in the widget.
DRAWN = """all => all.map(el => {
  const shown = look => [...el.querySelectorAll(`${look}:not([hidden], .last)`)];
  const text = (row, part) => row.querySelector(part).textContent;
  const looks = row => ["cut", "below", "rest"].filter(each => row.matches("." + each));
  const axis = shown(".axis > span").map(e => [e.textContent, e.className, e.style.left]);
  return [axis, shown(".row").map(row => ({
    is: [text(row, ".name"), text(row, "small"), text(row, ".figure"), ...looks(row)],
    at: [row.querySelector(".now").style.width, row.querySelector(".raw").style.left],
  }))]; })"""


def flat(seed):
    """One token as likely as the seed has it, and eleven nearly alike; some have occurred."""
    first = 0.09 + 0.015 * seed
    shares = [first, *numpy.linspace(1.1, 0.9, 11) * (1 - first) / 11]
    rows = [(n, b"<%d>" % n, each) for n, each in enumerate(numpy.log(shares))]
    return listed(rows, [1, 1, 3, 4, 4, 4, 5, *range(8, 12)], 5, 0.0)


@pytest.mark.parametrize("spoken", ["en", "zh"])
def test_a_picture_and_the_widget_draw_the_same(shown, monkeypatch, spoken):
    monkeypatch.setenv("QWEN_LAB_LANG", spoken)
    page, ends = shown(state()), set()
    page.evaluate("el.after(document.createElement('div'))")
    for seed in range(60):
        found = vocabulary(seed, 40_000).first(100) if seed % 4 < 2 else flat(seed)
        settings = (Settings(), Settings(1.9, top_p=0.98), odd(seed))[seed % 3]
        known = {"numbers": state(found)["numbers"], "values": vars(settings) | {"seed": 1}}
        page.evaluate("known => model.tell(known)", known)
        picture = sampler(found, settings)._repr_html_()
        page.evaluate("html => { el.nextSibling.innerHTML = html; }", picture)
        (axis, ours), (other, theirs) = page.locator(".qwen-sampler").evaluate_all(DRAWN)
        names = {row["is"][0] for row in ours}
        assert axis == other, settings
        for one, row in zip(ours, [row for row in theirs if row["is"][0] in names], strict=True):
            assert one["is"] == row["is"], settings
            for exact, rounded in zip(one["at"], row["at"], strict=True):
                assert float(rounded[:-1]) == pytest.approx(float(exact[:-1]), abs=0.06)
        ends.add(axis[-1][0])
    assert len(ends) > 3


def test_a_line_at_the_cut_says_what_is_above_it(shown):
    found = vocabulary().first(300)
    page = shown(state(found, top_k=3))
    mass = percent(stages(found, Settings(top_k=3))[3].mass)
    last = page.locator(".last")
    assert last.locator(".name").inner_text() == "<2>"
    assert f"top_k keeps {mass}" in last.inner_text()
    # Nothing is together where one is left, nor where the cut is among the others.
    for few in ("1", "20"):
        slider(page, "top_k").fill(few)
        assert last.count() == 0


def places_of(page):
    """How far from the top the sliders, the draw and the rows are."""
    return page.evaluate("""() => [...el.querySelectorAll(".desk .input, .draw button, .row")]
      .filter(each => each.checkVisibility()).map(each => each.getBoundingClientRect().top)""")


def test_nothing_moves_when_the_bars_come_or_a_branch_or_a_note(shown):
    known = state()
    page = shown(known | {"numbers": {}})
    assert "Ask, and you see" in page.get_by_role("status").inner_text()
    steps = places_of(page)
    page.evaluate("numbers => model.tell({numbers})", known["numbers"])
    assert places_of(page)[: len(steps)] == steps
    whole = places_of(page)
    tried = "[[], [1], [4]].map(path => ({path, name: path.length ? '<1>' : '(the beginning)'}))"
    page.evaluate(f"model.tell({{tried: {tried}}})")
    assert page.locator(".tried button").count() == 2 and places_of(page) == whole
    for name, value in (("temperature", "0.1"), ("top_k", "3"), ("presence_penalty", "2")):
        slider(page, name).fill(value)
        assert places_of(page) == whole, name
    # A note that has no room beside its bar makes no row higher.
    heights = "all => [...new Set(all.map(each => each.offsetHeight))]"
    assert page.locator(".row.below:not(.rest)").count()
    assert page.locator(".row:not(.rest)").evaluate_all(heights) == [30]


def test_on_a_telephone_the_slider_and_the_first_bars_fit_one_screen(shown):
    page = shown(state(top_k=3, seed=1234), viewport={"width": 300, "height": 800})
    top = slider(page, "temperature").bounding_box()["y"]
    fifth = rows(page).nth(4).bounding_box()
    # In the order of the page, which is that of the Tab key.
    assert 0 < fifth["y"] + fifth["height"] - top < 640
    cut = (
        "all => all.filter(each => each.scrollHeight > each.clientHeight + 1).map(e => e.innerText)"
    )
    assert page.locator(".row small").evaluate_all(cut) == []


def draw_many(page):
    page.get_by_role("button", name="Draw 1,000").click()
    page.get_by_text("Drawn 1,000 times").wait_for()
    return [int(text.split()[0]) for text in page.locator(".row .figure").all_inner_texts()]


def test_a_thousand_draws_fall_where_the_bars_say_and_alike_for_one_seed(shown):
    found = vocabulary().first(300)
    counts = draw_many(shown(state(found, seed=5)))
    last = stages(found, Settings())[-1].probabilities[:12]
    assert sum(counts) == 1_000
    for count, share in zip(counts, last, strict=False):
        assert abs(count - 1_000 * share) < 5 * (1_000 * share) ** 0.5 + 1
    assert draw_many(shown(state(found, seed=5), reduced_motion="reduce")) == counts
    assert draw_many(shown(state(found, seed=6))) != counts


def test_what_is_drawn_again_is_the_same_and_a_seed_turned_away_and_back_changes_nothing(shown):
    page = shown(state(seed=5))
    counts = draw_many(page)
    page.get_by_role("spinbutton", name="seed").fill("6")
    assert draw_many(page) != counts
    page.get_by_role("spinbutton", name="seed").fill("5")
    assert draw_many(page) == counts == draw_many(page)


def test_each_place_of_an_answer_draws_with_a_number_of_its_own(shown):
    page, seen = shown(state(seed=5, temperature=1.9)), []
    for path in ([], [1], [1, 1], [], [1]):
        place = "{path: %s, numbers: {...model.get('numbers'), path: %s}, doing: ''}"
        page.evaluate(f"model.tell({place % (path, path)})")
        page.get_by_role("button", name="Draw one").click()
        said = page.evaluate("sent.at(-1)")
        seen.append((said["do"], said.get("number")))
    assert seen[0] == seen[3] and seen[1] == seen[4] and len({*seen}) > 1


def test_the_axis_and_what_stands_above_it_speak_of_what_the_bars_show(shown):
    page = shown(state(top_k=3))

    def told(part):
        return page.locator(f"{part} > span:not([hidden])").all_inner_texts()

    assert [tick.split()[0] for tick in told(".axis")][:2] == ["0", "25"]
    assert told(".key") == ["now", "the model's own", "cut"]
    page.get_by_role("slider", name="top_k").fill("0")
    assert told(".key") == ["now", "the model's own"]
    draw_many(page)
    assert told(".axis")[:2] == ["0 ×", "250 ×"]
    assert told(".key") == ["drawn", "expected"]


def test_a_word_of_the_system_message_alone_is_said_to_stand_there(shown):
    found = state()
    found["numbers"]["system"][0] = found["numbers"]["counts"][0]
    notes = shown(found).locator(".row small").all_inner_texts()
    assert notes[:2] == ["1 × in the system message", "3 × in the text"]


def test_draws_fill_the_bars_one_by_one_and_go_when_something_moves(shown):
    page = shown(state())
    page.get_by_role("button", name="Draw 1,000").click()
    page.wait_for_function(
        "[...el.querySelectorAll('.figure')].some(e => /^[1-9] ×/.test(e.textContent))"
    )
    assert page.locator(".drawn").first.bounding_box()["width"] > 0
    # How many there are is seen at once, and heard at the end.
    assert re.fullmatch(r"Drawn \d+ times so far…", page.get_by_role("status").inner_text())
    assert page.evaluate("el.ariaBusy") == "true"
    slider(page, "top_p").press("ArrowLeft")
    page.wait_for_timeout(100)
    assert "×" not in "".join(page.locator(".figure").all_inner_texts())


def test_with_no_tail_kept_every_draw_has_a_name_and_takes_it(shown):
    page = shown(state(temperature=0))
    page.get_by_role("button", name="Draw one").click()
    assert page.evaluate("sent") == [{"do": "take", "number": 0, "from": []}]
    page = shown(state())
    page.locator(".rest").click()
    assert page.evaluate("sent") == [{"do": "rare", "from": []}]


def test_without_a_kernel_only_the_bars_can_be_moved_and_it_says_so_first(shown):
    page = shown(state() | {"tried": [{"path": [], "name": "a"}, {"path": [1], "name": "b"}]})
    page.evaluate("model.tell({comm_live_update: 1})")
    told = page.get_by_text("No kernel stands behind this any more")
    assert told.bounding_box()["y"] < page.locator(".line").bounding_box()["y"]
    # Nothing else is said than what is so now.
    assert page.locator(".result").inner_text() == ""
    slider(page, "top_k").fill("3")
    assert page.locator(".row.cut").count() == 10
    assert sum(draw_many(page)) == 1_000
    page.get_by_text("Drawn 1,000 times").wait_for()
    assert told.is_visible()
    # What asks the kernel is grey, and a press does nothing.
    asking = [rows(page).first, page.locator(".line button"), page.locator(".tried button")]
    for each in [*asking, page.get_by_role("button", name="Draw one")]:
        assert each.get_attribute("aria-disabled") == "true"
        each.dispatch_event("click")
    assert page.evaluate("sent") == []
    ground = "each => getComputedStyle(each).backgroundColor"
    off, on = (page.get_by_role("button", name=name) for name in ("Draw one", "Draw 1,000"))
    assert off.evaluate(ground) == page.locator(".tried button").evaluate(ground)
    # What still works stands out, as what does it did before.
    before = shown(state()).get_by_role("button", name="Draw one")
    assert on.evaluate(ground) == before.evaluate(ground) != off.evaluate(ground)


def test_without_a_kernel_and_bars_nothing_is_said_to_work(shown):
    page = shown(state() | {"numbers": {}})
    page.evaluate("model.tell({comm_live_update: 1})")
    assert page.get_by_role("status").all_inner_texts() == [say("panel.gone"), ""]


def test_an_error_is_an_alert_and_it_can_be_asked_again(shown):
    page = shown(state() | {"numbers": {}, "error": "No answer <b>from</b> it."})
    assert page.get_by_role("alert").inner_text() == "No answer <b>from</b> it."
    assert not page.locator(".row, .axis span").first.is_visible()
    page.get_by_role("button", name="Ask for the next token").press("Enter")
    assert page.evaluate("sent") == [{"do": "ask", "from": []}]


def test_no_token_becomes_a_tag(shown):
    texts = [text.encode("utf-16", "surrogatepass").decode("utf-16", "replace") for text in HOSTILE]
    found = vocabulary(size=len(texts) + 20)
    given = state(found)
    tags = "el => [...new Set([...el.querySelectorAll('*')].map(each => each.localName))].sort()"
    plain = shown(given).locator(".qwen-sampler").evaluate(tags)
    for start in range(0, len(texts), 12):
        names = texts[start : start + 12]
        given["numbers"]["names"][: len(names)] = names
        tried = [{"path": [], "name": names[0]}, {"path": [1], "name": names[1]}]
        worst = {"tried": tried, "path": [1], "doing": names[2], "error": names[3]}
        page = shown(given | worst | {"told": given["told"] | {"question": names[4]}})
        assert page.locator(".row .name").nth(3).evaluate("e => e.textContent") in names
        assert page.locator(".qwen-sampler").evaluate(tags) == plain
        assert page.evaluate("window.stolen") is None


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("doing", ["", "Asking…"])
def test_every_text_is_large_enough_and_stands_out(shown, theme, doing):
    page = shown(state(top_k=5) | {"doing": doing}, color_scheme=theme)
    for text, size, colour, grounds in page.evaluate(TEXTS.replace(".qwen-view", ".qwen-panel")):
        ground = (255, 255, 255)
        for each in grounds:
            ground = read(each, ground)
        assert size >= 12 and contrast(read(colour, ground), ground) >= 4.5, (text, colour, ground)


def test_on_a_telephone_all_tracks_of_sliders_are_alike(shown):
    page = shown(state(), viewport={"width": 390, "height": 800})
    places = "all => [...new Set(all.map(e => `${e.offsetLeft} ${e.offsetWidth}`))]"
    assert len(page.locator("[type=range]").evaluate_all(places)) == 1


@pytest.mark.parametrize("width", [390, 1024])
def test_nothing_is_wider_than_the_page(shown, width):
    page = shown(state(top_k=5), viewport={"width": width, "height": 800})
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    assert page.locator(".knob > span:not(.slide)").evaluate_all(
        "all => all.every(e => e.clientHeight < 24)"
    )


def test_on_a_telephone_its_bars_are_wide_and_so_are_those_of_a_picture_beside_it(shown):
    found = vocabulary().first(300)
    page = shown(state(found), viewport={"width": 390, "height": 800})
    picture = """html => {
      const more = document.createElement("div"); more.innerHTML = html; document.body.append(more);
    }"""
    # Its style comes later than the widget's own.
    page.evaluate(picture, sampler(found, Settings())._repr_html_())
    widths = page.locator(".row:not([hidden]) .track").evaluate_all(
        "all => all.map(each => each.clientWidth)"
    )
    assert len(widths) == 26 and min(widths) > 300


def test_all_of_it_can_be_reached_with_the_keyboard_and_has_a_name(shown):
    page, named = shown(state()), []
    page.locator("body").click(position={"x": 1, "y": 1})
    for _ in range(40):
        page.keyboard.press("Tab")
        focus = "e => e === document.body ? '' : e.ariaLabel || e.textContent"
        named.append(page.evaluate(f"({focus})(document.activeElement)"))
    assert [name for name in OFF if name not in named] == [] and "seed" in named
    assert "Draw one" in named and any(name.startswith("<0>: now") for name in named)
    # In the order of the page: the answer, the steps, a draw, then the candidates.
    order = [
        "(the beginning)",
        "The model",
        "temperature",
        "top_p",
        "Draw one",
        "seed",
        "<0>: now",
        "<1>: now",
    ]
    places = [next(i for i, name in enumerate(named) if name.startswith(each)) for each in order]
    assert places == sorted(places)


def test_who_hears_it_is_told_what_each_part_is(shown):
    heard = shown(state(top_k=5, seed=3)).locator(".qwen-sampler").aria_snapshot()
    for told in (
        'group "The answer so far: press a token to return to it"',
        'group "What happens to the probabilities, in this order"',
        'group "The next token: press one to take it"',
        'slider "temperature"',
        'spinbutton "seed"',
        'button "top_p" [pressed]',
        'button "<9>: now 0 %, by the model',
        "status: Press a bar to take that token",
    ):
        assert told in heard, told


def test_the_axis_ends_at_a_labelled_quarter_and_does_not_shrink_under_a_hand(shown):
    logits = -0.2 * numpy.arange(40)
    logprobs = logits - numpy.log(numpy.exp(logits).sum())
    found = listed([(n, b"<%d>" % n, each) for n, each in enumerate(logprobs)], [], 0, 0.0)
    page = shown(state(found, temperature=0))
    end = "() => el.querySelector('.axis > .end:not([hidden])').textContent"
    turn = """([value, kind]) => {
      const input = el.querySelector("[type=range][aria-label=temperature]");
      Object.assign(input, {value}).dispatchEvent(new Event(kind)); }"""

    def drag(*values):
        """What the axis ends at, each time that it is another."""
        ends = []
        for value in values:
            page.evaluate(turn, [value, "input"])
            ends.append(page.evaluate(end))
        return [*dict.fromkeys(ends)]

    heats = [each / 20 for each in range(1, 31)]
    assert page.evaluate(end) == "100\xa0%" and drag(*heats) == ["100\xa0%"]
    page.evaluate(turn, [1.5, "change"])
    assert page.evaluate(end) == "25\xa0%"
    # What needs more gets it at once.
    assert drag(*reversed(heats)) == [f"{each}\xa0%" for each in (25, 50, 75, 100)]
    # All the others are on it too, where they have most.
    page = shown(state(vocabulary(size=30_000).first(300), temperature=1.95))
    track, bar = (page.locator(f".rest {each}").bounding_box() for each in (".track", ".now"))
    assert page.evaluate(end) == "100\xa0%" and 0.5 < bar["width"] / track["width"] < 1
