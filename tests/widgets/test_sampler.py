"""The sampler without a kernel: the real app on a port, a fake engine that knows its tokens."""

import asyncio
import html
import re
from dataclasses import replace

import numpy
import pytest

from qwen_lab import sampler
from qwen_lab.watch.next_token import listed
from qwen_lab.watch.sampling import Settings, stages
from qwen_lab.widgets.live import PAUSE
from qwen_lab.widgets.sampler import OFF, Sampler
from qwen_lab.words import LabError


@pytest.fixture(autouse=True)
def vocabulary(engine, monkeypatch):
    """Three thousand tokens that say what they follow; every eleventh prefix is longer by one."""

    async def next_token(messages, prefix, most):
        engine.calls.append((messages, prefix, most))
        begun = [900 + n for n in range(len(prefix))] if isinstance(prefix, str) else list(prefix)
        logits = -0.3 * numpy.arange(3000) ** 0.5
        logprobs = logits - numpy.log(numpy.exp(logits).sum())
        rows = [(n, b"<%d>" % n, logprob) for n, logprob in enumerate(logprobs)]
        return listed(rows[:most], [7, 8, *begun], 2, 5.0)

    monkeypatch.setattr(engine, "next_token", next_token)


def words(widget):
    return html.unescape(re.sub(r"<style>.*?</style>|<[^>]*>", " ", widget.value, flags=re.S))


def used(box, *acts):
    """Run, then each act in turn, waiting for what it asks."""

    async def use():
        await box.run()
        for act in acts:
            act()
            await box._task

    asyncio.run(use())
    return box


def test_the_likeliest_are_shown_first_and_the_tail_behind_them(lab, engine):
    box, pictures = Sampler(lab, "hi"), []
    box.candidates.picture.observe(lambda change: pictures.append(change.new), "value")
    found = asyncio.run(box.run())
    assert [most for *_, most in engine.calls] == [1_000, 10_000_000]
    assert any("still being counted" in picture for picture in pictures)
    assert "still being counted" not in pictures[-1] and "2,984 other tokens" in pictures[-1]
    assert found is box.found and len(found.tail_counts)


def test_a_prompt_is_a_conversation_of_one_message(lab, engine):
    used(Sampler(lab, "你好"))
    assert engine.calls[0][0] == [{"role": "user", "content": "你好"}]


def test_a_moved_slider_moves_the_bars_without_another_call(lab, engine):
    box = used(Sampler(lab, "hi"))
    before, calls = box.candidates.picture.value, len(engine.calls)
    box.controls["temperature"].value = 1.5
    assert box.candidates.picture.value != before and "temperature 1.5 evens out" in words(
        box.candidates.picture
    )
    assert len(engine.calls) == calls


def test_a_moved_slider_computes_the_stages_once(lab, monkeypatch):
    box, computed = used(Sampler(lab, "hi")), []
    for module in ("widgets", "views"):
        monkeypatch.setattr(
            f"qwen_lab.{module}.sampler.stages",
            lambda found, settings: computed.append(settings) or stages(found, settings),
        )
    box.controls["temperature"].value = 1.5
    assert computed == [box.settings]


def test_it_is_painted_at_most_twenty_times_a_second(lab):
    box, pictures = Sampler(lab, "hi"), []

    async def turn():
        await box.run()
        box.candidates.picture.observe(lambda change: pictures.append(change.new), "value")
        began = asyncio.get_running_loop().time()
        for step in range(100):
            box.controls["temperature"].value = 0.5 + step / 100
            await asyncio.sleep(0.002)
        await asyncio.sleep(0.1)
        return asyncio.get_running_loop().time() - began

    seconds = asyncio.run(turn())
    assert 2 <= len(pictures) <= seconds / PAUSE + 1 and "temperature 1.49" in words(
        box.candidates.picture
    )


def test_sliders_start_on_the_defaults_and_can_all_be_switched_off(lab):
    box = Sampler(lab, "hi", temperature=1.2)
    assert box.settings == Settings(1.2, 0.8, 20, 1.05)
    box.buttons["off"].click()
    assert box.settings == Settings(**OFF)


def test_a_clicked_candidate_is_taken_by_its_number(lab, engine):
    box = used(box := Sampler(lab, "hi", prefix="ab"), lambda: box.candidates.buttons[2].click())
    assert engine.calls[-1][1] == [900, 901, 2]
    assert (
        words(box.written).strip() == "ab<2>" and box.candidates.buttons[2].description == "3. <2>"
    )


def test_one_drawn_token_is_gone_on_with(lab, engine):
    box = used(box := Sampler(lab, "hi", temperature=0), lambda: box.buttons["draw_one"].click())
    assert box.branches.here.path == (0,) and words(box.written).strip() == "<0>"


def test_a_draw_beyond_the_list_asks_for_the_name(lab, engine, monkeypatch):
    last = numpy.eye(1, 1003, 1002, dtype=int)[0]
    monkeypatch.setattr("qwen_lab.widgets.sampler.draw", lambda *_: last)
    box = Sampler(lab, "hi", **{**OFF, "temperature": 1.9})
    box = used(box, box.draw_one)
    [number] = box.branches.here.path
    assert number >= 1_000 and box.branches.here.tokens == (b"<%d>" % number,)


def test_a_thousand_draws_stand_beside_until_something_moves(lab):
    box = used(box := Sampler(lab, "hi", seed=5), lambda: box.buttons["draw_many"].click())
    assert "Drawn" in words(box.candidates.picture)
    box.controls["top_k"].value = 5
    assert "Drawn" not in words(box.candidates.picture)


def test_one_seed_draws_alike(lab):
    boxes = [Sampler(lab, "hi", seed=5) for _ in range(2)]
    boxes = [used(box, box.draw_many) for box in boxes]
    assert boxes[0].candidates.picture.value == boxes[1].candidates.picture.value
    boxes[0].draw_many()
    assert boxes[0].candidates.picture.value != boxes[1].candidates.picture.value


def test_a_step_back_asks_nothing_again(lab, engine):
    box = Sampler(lab, "hi")
    used(box, box.candidates.buttons[0].click, box.buttons["back"].click)
    calls = len(engine.calls)
    assert box.branches.here is box.branches.root and box.buttons["back"].disabled
    used(box)
    assert len(engine.calls) == calls == 4


def test_every_beginning_tried_can_be_returned_to(lab):
    box, choose = Sampler(lab, "hi"), lambda path: lambda: setattr(box.tree, "value", path)
    clicks = [box.candidates.buttons[0].click, box.candidates.buttons[1].click, box.back, box.back]
    used(box, *clicks, box.candidates.buttons[3].click, choose((0, 1)))
    assert [path for _, path in box.tree.options] == [(), (0,), (0, 1), (3,)]
    assert [label for label, _ in box.tree.options][1:3] == ["· <0>", "· · <1>"]
    assert box.branches.here.path == (0, 1) and words(box.written).strip() == "<0><1>"


@pytest.mark.parametrize("kind", ["dashscope", "custom"])
def test_a_service_that_hides_its_probabilities_is_said_in_words(lab, kind):
    box = Sampler(replace(lab, kind=kind), "hi")
    assert asyncio.run(box.run()) is None
    assert "only the local Qwen" in words(box.error) and 'role="alert"' in box.error.value


def test_what_a_tape_does_not_name_is_said_and_the_bars_stay(lab, monkeypatch):
    box = used(Sampler(lab, "hi"))

    def refuse(*_, **__):
        raise LabError("tape.whole")

    monkeypatch.setattr("qwen_lab.lab.Lab.next_token", refuse)

    async def draw():
        await asyncio.wait({box._start(rare=True)})

    asyncio.run(draw())
    assert "whole vocabulary" in words(box.error) and "<0>" in words(box.candidates.picture)
    assert not box.buttons["draw_one"].disabled


def test_closing_leaves_what_is_being_asked(lab):
    box = Sampler(lab, "hi")

    async def close():
        task = box._start()
        await asyncio.sleep(0)
        box.close()
        await asyncio.wait({task})
        return task.cancelled()

    assert asyncio.run(close())


def test_nothing_can_be_drawn_before_the_tail_is_known(lab):
    box = Sampler(lab, "hi")
    assert box.buttons["draw_one"].disabled and box.buttons["draw_many"].disabled
    box.draw_one()
    box.draw_many()
    assert box.found is None and not used(box).buttons["draw_one"].disabled


def test_a_start_out_of_range_is_a_value_error(lab):
    for start in ({"temperature": 2}, {"max_tokens": 5}):
        with pytest.raises(ValueError, match="temperature is 2|'max_tokens' has no row"):
            Sampler(lab, "hi", **start)


def test_its_repr_is_short_and_the_same_after_a_run(lab):
    box = sampler(lab, "一首\n诗")
    assert repr(box) == repr(used(box)) == r"Sampler('一首\n诗'): run this cell to see it"


def test_it_speaks_chinese(lab, monkeypatch):
    monkeypatch.setenv("QWEN_LAB_LANG", "zh")
    box = used(Sampler(lab, "hi", top_k=3))
    assert box.buttons["draw_many"].description == "抽 1,000 次"
    assert "被 top_k 排除" in words(box.candidates.picture)
