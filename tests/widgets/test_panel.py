"""The panel without a kernel: the real SDK, the real app on a real port, a fake engine."""

import asyncio
import html
import re
from dataclasses import replace

import pytest
from ipywidgets import HTML

from qwen_lab.widgets.compare import Compare
from qwen_lab.widgets.panel import Panel
from qwen_lab.widgets.playground import Playground
from qwen_lab.widgets.sweep import Sweep
from qwen_lab.words import say


def run(panel):
    return asyncio.run(panel.run())


async def until(true):
    """Wait until it is so, as a learner who watches does."""
    for _ in range(500):
        if true():
            return
        await asyncio.sleep(0.01)
    raise AssertionError("it did not come to that within 5 s")


def words(widget):
    """What a reader sees of an HTML widget."""
    return html.unescape(re.sub(r"<[^>]*>", "", widget.value)).strip()


def test_the_answer_is_shown_and_returned(lab, engine):
    engine.reply("你", "好")
    panel = Panel(lab, "问好")
    assert run(panel) == panel.answer == words(panel.shown) == "你好"
    assert engine.calls[0][0].messages == [{"role": "user", "content": "问好"}]


def test_the_answer_grows_while_the_model_writes(lab, engine):
    engine.reply_forever()
    panel = Panel(lab, "问好")

    async def watch():
        running = asyncio.create_task(panel.run())
        await until(lambda: len(words(panel.shown)) > 5)
        first = len(words(panel.shown))
        await until(lambda: len(words(panel.shown)) > first + 5)
        assert not panel.stop_button.disabled and "is writing" in panel.status.value
        panel.stop()
        await running

    asyncio.run(watch())


def test_it_is_painted_at_most_twenty_times_a_second(lab, engine):
    engine.reply(*["字"] * 300)
    panel, paintings = Panel(lab, "问好"), []
    panel.shown.show = lambda text, running, show=panel.shown.show: (
        paintings.append(text),
        show(text, running=running),
    )
    assert run(panel) == words(panel.shown) == "字" * 300
    seconds = float(re.search(r"([\d.]+)\ss", words(panel.status))[1])
    assert len(paintings) <= 20 * (seconds + 0.05) + 2


def test_nothing_is_sent_that_was_not_set(lab, engine):
    engine.reply("好")
    panel = Panel(lab, "问好")
    run(panel)
    assert panel._request().keys() == {"model", "messages"}
    assert "sends no parameters" in panel.sends.value
    assert "temperature" not in panel.call.value


def test_what_is_ticked_and_cannot_be_sent_is_no_default(lab):
    panel = Panel(lab, "问好")
    panel.settings["temperature"].control.value = 5
    assert "no parameters: what is ticked can't be sent" in words(panel.sends)


def test_a_moved_slider_is_ticked_and_sent(lab, engine):
    engine.reply("好")
    panel = Panel(lab, "问好")
    panel.settings["temperature"].slider.value = 0.15000000000000002
    assert panel.settings["temperature"].tick.value
    assert words(panel.sends) == "This call sends: temperature=0.15"
    run(panel)
    assert engine.calls[0][0].sampling["temperature"] == 0.15


def test_what_the_sdk_does_not_know_goes_into_extra_body(lab, engine):
    engine.reply("好")
    panel = Panel(
        lab, "问好", parameters=("top_k", "repetition_penalty"), top_k=3, repetition_penalty=1.2
    )
    assert panel._request()["extra_body"] == {"top_k": 3, "repetition_penalty": 1.2}
    run(panel)
    sampling = engine.calls[0][0].sampling
    assert (sampling["top_k"], sampling["repetition_penalty"]) == (3, 1.2)


def test_stop_keeps_the_text_says_so_and_frees_the_engine(lab, engine):
    engine.reply_forever()
    panel = Panel(lab, "问好")

    async def stop():
        running = asyncio.create_task(panel.run())
        await until(lambda: panel.answer)
        panel.stop_button.click()
        return await running

    text = asyncio.run(stop())
    assert text and text == panel.answer == words(panel.shown)
    assert "Stopped" in panel.status.value and panel.stop_button.disabled
    assert engine.stopped.wait(5)


@pytest.mark.parametrize("prompt", ["", " \n"])
def test_an_empty_prompt_is_not_sent(lab, engine, prompt):
    assert run(panel := Panel(lab, prompt)) == ""
    assert words(panel.status).startswith("Nothing was sent: the prompt is empty.")
    assert engine.calls == []


def test_a_call_stopped_before_it_began_says_so(lab):
    panel = Panel(lab, "问好")

    async def stop():
        panel.run_button.click()
        panel.stop()
        await asyncio.sleep(0.05)

    asyncio.run(stop())
    assert "Stopped before any text came" in panel.status.value and panel.answer == ""


def test_a_second_run_stops_the_first_and_shows_its_own_answer(lab, engine):
    engine.reply_forever()
    engine.reply("第二")
    panel = Panel(lab, "问好")

    async def twice():
        first = asyncio.create_task(panel.run())
        await until(lambda: panel.answer)
        second = await panel.run()
        return await first, second

    first, second = asyncio.run(twice())
    assert set(first) == {"好"} and second == words(panel.shown) == "第二"
    assert engine.stopped.wait(5) and "finish_reason: stop" in panel.status.value


def test_a_closed_panel_stops_its_call(lab, engine):
    engine.reply_forever()
    panel = Panel(lab, "问好")

    async def close():
        running = asyncio.create_task(panel.run())
        await until(lambda: panel.answer)
        panel.close()
        await running

    asyncio.run(close())
    assert engine.stopped.wait(5)


def test_an_interrupted_cell_stops_the_call(lab, engine):
    engine.reply_forever()
    panel = Panel(lab, "问好")

    async def interrupt():
        running = asyncio.create_task(panel.run())
        await until(lambda: panel.answer)
        running.cancel()
        with pytest.raises(asyncio.CancelledError):
            await running

    asyncio.run(interrupt())
    assert "Stopped" in panel.status.value and engine.stopped.wait(5)


def test_the_run_button_starts_a_run(lab, engine):
    engine.reply("好")
    panel = Panel(lab, "问好")

    async def click():
        panel.run_button.click()
        assert "waiting for the first token" in panel.status.value
        await until(lambda: "finish_reason" in panel.status.value)

    asyncio.run(click())
    assert words(panel.shown) == "好"


def test_an_answer_cut_by_max_tokens_says_so(lab, engine):
    engine.reply("一", reason="length")
    run(panel := Panel(lab, "问好", max_tokens=1))
    assert "finish_reason: length" in panel.status.value
    assert "cut off because it reached max_tokens" in panel.status.value


def test_a_refusal_is_shown_with_status_code_message_and_advice(lab):
    run(panel := Panel(replace(lab, model="gpt-9"), "问好"))
    head, message, advice = words(panel.error).split("\n")
    assert head == "The service refused the call: HTTP 404, code model_not_found. It says:"
    assert message.startswith("The model `gpt-9` does not exist")
    assert advice.startswith("Next: check the name of the model")
    assert words(panel.status).startswith("Ended with an error")


def test_the_next_run_takes_the_error_away(lab, engine):
    engine.reply("好")
    panel = Panel(replace(lab, model="gpt-9"), "问好")
    run(panel)
    panel._lab = lab
    run(panel)
    assert panel.error.value == "" and words(panel.shown) == "好"


@pytest.mark.parametrize(
    "pair", [("temperature", "top_p"), ("presence_penalty", "frequency_penalty")]
)
def test_a_pair_that_is_set_together_gets_a_hint(lab, pair):
    first, second = pair
    panel = Panel(lab, "问好", **{first: 0.5})
    assert panel.hint.value == ""
    panel.settings[second].tick.value = True
    assert f"Both {first} and {second} are set. Move only one" in panel.hint.value
    panel.settings[first].tick.value = False
    assert "Move only one" not in panel.hint.value


def test_frequency_penalty_is_told_truly(lab):
    panel = Panel(lab, "问好", frequency_penalty=1.0)
    assert "acts on the local Qwen" in panel.hint.value
    assert "but its pages don&#x27;t mention it" in panel.hint.value


def test_its_repr_is_short_and_the_same_after_a_run(lab, engine):
    engine.reply("好")
    panel = Panel(lab, "一首\n诗")
    before = repr(panel)
    run(panel)
    assert before == repr(panel) == r"Panel('一首\n诗'): run this cell to see it"
    assert repr(Panel(lab, "x" * 100)) == f"Panel('{'x' * 20}…'): run this cell to see it"


def test_it_speaks_chinese(lab, engine, monkeypatch):
    monkeypatch.setenv("QWEN_LAB_LANG", "zh")
    engine.reply(*"一二三四五", reason="length")
    run(panel := Panel(lab, "问好", temperature=0.5, top_p=0.5))
    assert panel.run_button.description == "运行" and panel.stop_button.description == "停止"
    assert words(panel.sends) == "这次调用会发送：temperature=0.5, top_p=0.5"
    assert "一次只动一个" in panel.hint.value and "每秒" in panel.status.value
    assert "被截断" in panel.status.value


@pytest.mark.parametrize("kind", ["local", "page"])
def test_in_a_page_that_plays_a_tape_it_says_at_its_buttons_what_run_can_do(lab, kind):
    lab = replace(lab, kind=kind)
    every = [Panel(lab, "问好"), Playground(lab), Compare(lab, "问好", {}, {}), Sweep(lab, "问好")]
    for widget in every:
        rows = [
            part for part in widget.children if widget.run_button in getattr(part, "children", ())
        ]
        told = [part.value for row in rows for part in row.children if isinstance(part, HTML)]
        assert (say("page.only_recorded") in told) is (kind == "page")
