"""The sampler without a page: the real app on a port, a fake engine that knows its tokens."""

import asyncio
from dataclasses import asdict, replace

import numpy
import pytest

from qwen_lab import sampler
from qwen_lab.endpoint.refusal import Refusal
from qwen_lab.watch import next_token
from qwen_lab.watch.next_token import listed
from qwen_lab.watch.sampling import Settings
from qwen_lab.widgets.sampler import OFF, Sampler
from qwen_lab.words import LabError, say


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


def press(box, do, **more):
    """What the page sends when a button is pressed."""
    box._handle_custom_msg({"do": do, "from": box.path, **more}, [])


def used(box, *acts):
    """Run, then each act in turn, waiting for what it asks."""

    async def use():
        await box.run()
        for act in acts:
            act()
            await box._task

    asyncio.run(use())
    return box


def names(box):
    return {tuple(place["path"]): place["name"] for place in box.tried}


def test_the_likeliest_are_shown_first_and_the_tail_behind_them(lab, engine):
    box, shown = Sampler(lab, "hi"), []
    box.observe(lambda change: shown.append(change.new), "numbers")
    found = asyncio.run(box.run())
    assert [most for *_, most in engine.calls] == [1_000, 10_000_000]
    assert [numbers["counting"] for numbers in shown] == [True, False]
    assert sum(shown[-1]["tail_counts"]) == 2_000 and not shown[0]["tail_counts"]
    assert found is box.found and len(found.tail_counts)


def test_the_page_computes_with_the_very_numbers_of_the_model(lab):
    box = used(Sampler(lab, "hi", prefix="ab"))
    numbers, found = box.numbers, box.found
    for name in ("logprobs", "tail_logprobs"):
        given = numpy.array(numbers[name], numpy.float32)
        assert (given == getattr(found, name)).all() and len(str(numbers[name][7])) < 13
    assert numbers["names"][3] == "<3>" and numbers["ids"][3] == 3
    assert numbers["counts"][7] == 1 and sum(numbers["counts"]) == 4
    assert numbers["logit_offset"] == 5.0


def test_a_prompt_is_a_conversation_of_one_message(lab, engine):
    used(Sampler(lab, "你好"))
    assert engine.calls[0][0] == [{"role": "user", "content": "你好"}]


def test_a_moved_slider_is_known_and_asks_and_sends_nothing(lab, engine):
    box, changed = used(Sampler(lab, "hi")), []
    calls = len(engine.calls)
    box.observe(lambda change: changed.append(change.name))
    box.values = box.values | {"temperature": 1.5}
    assert box.settings.temperature == 1.5
    assert len(engine.calls) == calls and changed == ["values"]


def test_sliders_start_on_the_defaults_and_the_page_knows_where_they_are_off(lab):
    box = Sampler(lab, "hi", temperature=1.2)
    assert box.settings == Settings(1.2, 0.8, 20, 1.05)
    assert box.told["off"] == OFF


def test_a_slider_goes_as_far_as_its_range_and_its_start(lab):
    knobs = Sampler(lab, "hi", top_k=300).told["knobs"]
    assert [*knobs] == [*asdict(Settings()), "seed"]
    assert (knobs["temperature"]["min"], knobs["temperature"]["max"]) == (0, 1.95)
    assert knobs["top_k"]["max"] == 300 and knobs["top_p"]["range"] == "(0, 1]"


def test_a_clicked_candidate_is_taken_by_its_number(lab, engine):
    box = used(box := Sampler(lab, "hi", prefix="ab"), lambda: press(box, "take", number=2))
    assert engine.calls[-1][1] == [900, 901, 2]
    assert box.path == [2] and names(box) == {(): "ab", (2,): "<2>"}


def test_a_press_from_a_place_that_was_left_does_nothing(lab, engine):
    box = used(box := Sampler(lab, "hi"), lambda: press(box, "take", number=2))
    box._handle_custom_msg({"do": "take", "number": 3, "from": []}, [])
    assert box.path == [2] and len(box.tried) == 2


def test_a_draw_beyond_the_list_asks_for_the_name(lab):
    box = Sampler(lab, "hi", **{**OFF, "temperature": 1.9})
    [number] = used(box, lambda: press(box, "rare")).path
    assert number >= 1_000 and box.branches.here.tokens[-1] == b"<%d>" % number
    assert "whole vocabulary" not in box.doing


def test_one_seed_draws_alike(lab):
    boxes = [Sampler(lab, "hi", **{**OFF, "temperature": 1.9}, seed=5) for _ in range(3)]
    boxes[2].values = boxes[2].values | {"seed": 6}
    drawn = [used(box, *2 * [lambda box=box: press(box, "rare")]).path for box in boxes]
    assert len(drawn[0]) == 2 and drawn[0] == drawn[1] != drawn[2]


def test_a_step_back_asks_nothing_again(lab, engine):
    box = Sampler(lab, "hi")
    used(box, lambda: press(box, "take", number=0), lambda: press(box, "go", path=[]))
    calls = len(engine.calls)
    assert box.branches.here is box.branches.root and box.path == []
    used(box)
    assert len(engine.calls) == calls == 4


def test_every_beginning_tried_can_be_returned_to(lab):
    box, take = Sampler(lab, "hi"), lambda number: lambda: press(box, "take", number=number)
    used(
        box,
        take(0),
        take(1),
        lambda: press(box, "go", path=[]),
        take(3),
        lambda: press(box, "go", path=[0, 1]),
    )
    root = "(the beginning)"
    assert names(box) == {(): root, (0,): "<0>", (0, 1): "<1>", (3,): "<3>"}
    assert box.path == box.numbers["path"] == [0, 1]


@pytest.mark.parametrize("kind", ["dashscope", "custom"])
def test_a_service_that_hides_its_probabilities_is_said_in_words(lab, kind):
    box = Sampler(replace(lab, kind=kind), "hi")
    assert asyncio.run(box.run()) is None
    # In words of the widget, with what the learner can do.
    assert box.error == say("sampler.only_local") and "connect" in box.error and not box.doing


def refuse(*_, **__):
    raise LabError("tape.whole")


@pytest.mark.parametrize("do", [{"do": "rare"}, {"do": "take", "number": 4}])
def test_what_fails_on_the_way_is_said_and_the_numbers_stay(lab, monkeypatch, do):
    box = used(Sampler(lab, "hi"))
    before = box.numbers
    monkeypatch.setattr("qwen_lab.lab.Lab.next_token", refuse)

    async def go_on():
        press(box, **do)
        await asyncio.wait({box._task})

    asyncio.run(go_on())
    assert "whole vocabulary" in box.error and not box.doing
    assert box.numbers == before and before["path"] == []
    # The next press is as good as the first.
    monkeypatch.undo()
    assert asyncio.run(box.run()) and box.error == "" and box.numbers["path"] == box.path


def test_an_answer_that_makes_no_sense_is_said_in_the_widget(lab, monkeypatch):
    box, load = Sampler(lab, "hi"), next_token.load
    monkeypatch.setattr(next_token, "load", lambda _: load(b"null"))
    assert asyncio.run(box.run()) is None
    assert box.error and not box.doing and box.numbers == {}


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
    press(box, "rare")
    press(box, "take", number=1)
    assert box.found is None and box.path == []


def test_a_start_out_of_range_is_a_value_error(lab):
    for start in ({"temperature": 2}, {"max_tokens": 5}):
        with pytest.raises(ValueError, match="temperature is 2|'max_tokens' has no row"):
            Sampler(lab, "hi", **start)


def test_its_repr_is_short_and_the_same_after_a_run(lab):
    box = sampler(lab, "一首\n诗")
    assert repr(box) == repr(used(box)) == r"Sampler('一首\n诗'): run this cell to see it"


def test_where_no_script_runs_a_picture_stands_in_its_place(lab):
    box = Sampler(lab, "hi", top_k=3)
    assert "text/html" not in box._repr_mimebundle_()[0]
    data, _ = used(box)._repr_mimebundle_()
    assert "application/vnd.jupyter.widget-view+json" in data and data["text/plain"] == repr(box)
    page = data["text/html"]
    assert "A picture of the sampler" in page and "&lt;0&gt;" in page and "top_k=3" in page
    assert "<script" not in page and "http" not in page


def test_it_speaks_chinese(lab, monkeypatch):
    monkeypatch.setenv("QWEN_LAB_LANG", "zh")
    box = used(Sampler(lab, "hi", top_k=3))
    assert box.told["words"]["draw_many"] == "抽 {count} 次"
    assert "被 top_k 排除" in box._repr_mimebundle_()[0]["text/html"]


def test_where_a_tape_knows_no_more_it_says_so_and_returns_to_bars_that_can_be_turned(
    lab, engine, monkeypatch
):
    known = engine.next_token

    async def recorded(messages, prefix, most):
        if prefix:
            raise Refusal("not recorded", status=404, code="not_on_tape")
        return await known(messages, prefix, most)

    monkeypatch.setattr(engine, "next_token", recorded)
    box = Sampler(replace(lab, kind="page"), "你好")

    async def use():
        await box.run()
        press(box, "take", number=3)
        await asyncio.wait({box._task})

    asyncio.run(use())
    assert box.error == "not recorded" and box.path == [] == box.numbers["path"]
    assert box.told["words"]["take"] == say("page.only_bars")
