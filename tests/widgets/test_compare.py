"""Settings side by side: the real SDK, the real app on a real port, a fake engine."""

import asyncio
import html
import re
from dataclasses import replace

import pytest

from qwen_lab import compare
from qwen_lab.widgets.compare import Compare

from ..views.hostile import HOSTILE, check

COLD, HOT = {"temperature": 0}, {"temperature": 1.5, "top_k": 50}


def words(widget):
    return re.sub(r"\s+", " ", html.unescape(re.sub(r"(?s)<[^>]*>", " ", widget.value))).strip()


def run(box):
    return asyncio.run(box.run())


def test_with_a_seed_the_local_qwen_answers_one_after_the_other(lab, engine):
    engine.reply("一", "二")
    engine.reply("一", "三")
    box = compare(lab, "你好", COLD, HOT, seed=7)
    second, begun = box.columns[1].ask, []
    box.columns[1].ask = lambda messages: (
        begun.append(box.columns[0].reply.running) or second(messages)
    )
    assert "one call after the other" in box.note.value
    assert run(box) == ["一二", "一三"] and begun == [False] and box.stop_button.disabled
    asked = [
        (call.sampling["temperature"], call.sampling["top_k"], s) for call, s, _ in engine.calls
    ]
    assert asked == [(0, 20, 7), (1.5, 50, 7)]
    assert words(box.difference) == "They begin alike and part at “二” and “三”."
    marked = [re.sub(r" (?:class|aria-)[^>]*", "", each.shown.value) for each in box.columns]
    assert marked[1] == "<span><span><span>一</span><mark>三</mark></span></span>"
    assert marked[0].replace("二", "三") == marked[1]


def test_without_a_seed_all_answer_at_once(lab, engine):
    box = compare(lab, "你好", COLD, HOT, {})
    assert "All settings answer at once" in box.note.value
    for _ in range(3):
        engine.reply_forever()

    async def watch():
        running = asyncio.create_task(box.run())
        while not all(column.reply and column.reply.text for column in box.columns):
            await asyncio.sleep(0.01)
        box.stop_button.click()
        return await running

    assert all(text for text in asyncio.run(watch()))
    assert "Stopped" in words(box.columns[0].status) and engine.stopped.wait(5)


def test_an_error_stands_in_its_column_and_the_other_goes_on(lab, engine):
    engine.reply("好")
    box = compare(lab, "你好", (replace(lab, model="gpt-9"), {}), {}, seed=1)
    assert run(box) == ["", "好"]
    assert "model_not_found" in words(box.columns[0].error) and box.difference.value == ""


@pytest.mark.parametrize(
    ("settings", "complaint"),
    [
        ([COLD], "two to four settings, each a dict; you gave it 1"),
        ([COLD] * 5, "you gave it 5"),
        ([COLD, {"temperature": 2}], "temperature is 2; it must be float in"),
        ([COLD, {"heat": 1}], "no parameter 'heat'"),
    ],
)
def test_what_cannot_be_is_a_value_error(lab, settings, complaint):
    with pytest.raises(ValueError, match=complaint):
        compare(lab, "你好", *settings)


@pytest.mark.parametrize(
    ("given", "complaint"),
    [
        (["x", COLD, HOT], r"takes the lab first; you gave it 'x' \(str\)"),
        ([None, "x", 0, 1], "takes the lab first; you gave it None"),
        (["lab", "x", 0, 1], r'a dict, such as {"temperature": 0}; you gave 0 \(int\)'),
        (["lab", "x", ("x", COLD), HOT], "takes the lab first; you gave it 'x'"),
        (["lab", None, COLD, HOT], "text in quotes, .* or a list of messages; you gave None"),
    ],
)
def test_what_is_given_in_the_wrong_place_is_told(lab, given, complaint):
    with pytest.raises(TypeError, match=complaint):
        compare(*[lab if one == "lab" else one for one in given])


def test_a_closed_widget_stops_its_calls(lab, engine):
    engine.reply_forever()
    box = compare(lab, "你好", COLD, HOT, seed=1)

    async def close():
        running = asyncio.create_task(box.run())
        while not engine.calls:
            await asyncio.sleep(0.01)
        Compare.close(box)
        await running

    asyncio.run(close())
    assert engine.stopped.wait(5)


def test_its_repr_is_short_and_stable(lab):
    shown = "Compare(temperature=0; the service's defaults): run this cell to see it"
    assert repr(compare(lab, "你好", COLD, {})) == shown


def test_a_title_says_what_differs_besides_the_settings(lab):
    elsewhere = replace(lab, base_url="https://elsewhere.example/v1", kind="custom")
    box = compare(lab, "你好", COLD, (elsewhere, COLD))
    assert [words(column.title) for column in box.columns] == [
        "local, temperature=0",
        "elsewhere.example, temperature=0",
    ]
    box = compare(lab, "你好", COLD, (replace(lab, model="qwen-plus"), COLD))
    assert box.columns[1].name == "qwen-plus, temperature=0"
    assert "example" not in repr(box) and "qwen" not in words(compare(lab, "a", {}, {}).note)


def test_hostile_text_is_only_shown(lab, engine):
    # The views within have their own tests with all of them.
    for hostile in HOSTILE[:12]:
        spoken = hostile.encode(errors="replace").decode()
        engine.reply(spoken)
        engine.reply(spoken + "!")
        box = compare(lab, hostile, {"stop": ["x"]}, {"stop": [spoken]}, seed=1)
        run(box)
        for widget in (box.columns[0].shown, box.difference, box.columns[1].children[0]):
            attributes = "class style role aria-live aria-busy"
            check(widget.value, "style div b p span mark pre", attributes)
