"""The sweep without a kernel: the real SDK, the real app on a real port, a fake engine."""

import asyncio
import csv
import html
import re
from dataclasses import replace

import pytest

from qwen_lab import addresses, sweep
from qwen_lab.endpoint.engine import End, Piece, Prompt
from qwen_lab.endpoint.refusal import invalid
from qwen_lab.lab import Lab
from qwen_lab.watch.sweep import Answer, price
from qwen_lab.widgets.sweep import Sweep


def words(widget):
    return re.sub(r"\s+", " ", html.unescape(re.sub(r"(?s)<[^>]*>", " ", widget.value))).strip()


def run(box):
    return asyncio.run(box.run())


def test_all_calls_are_made_and_shown(lab, engine):
    for text in "一一二三":
        engine.reply(text)
    box = sweep(lab, "你好", temperature=[0, 1], seed=[1, 2])
    assert words(box.status) == "Run makes 4 calls: temperature (0, 1) × seed (1, 2)."
    assert [answer.text for answer in run(box)] == list("一一二三")
    assert words(box.status) == "All 4 calls are answered." and box.progress.value == 4
    assert "temperature=0 ■□ 1 of 2 A 一 A 一" in words(box.shown) and box.stop_button.disabled


def test_the_answers_come_in_the_order_of_the_settings(lab, monkeypatch):
    async def backwards(lab, messages, settings, answered):
        for setting in reversed(settings):
            answered(Answer(setting))

    monkeypatch.setattr("qwen_lab.widgets.sweep.ask_all", backwards)
    box = sweep(lab, "你好", temperature=[0, 1], seed=[1, 2])
    assert [answer.parameters for answer in run(box)] == box.settings


def test_what_varies_is_told_before_and_then_what_all_calls_share(lab):
    box = sweep(lab, "你好", temperature=0, seed=range(9))
    assert "9 calls: seed (0, 1, …, 8), each with temperature=0." in words(box.status)
    assert "1 calls: temperature=0, seed=3." in words(sweep(lab, "a", temperature=0, seed=3).status)


def test_the_bar_is_seen_as_long_as_it_is_neither_empty_nor_full(lab, engine):
    engine.reply("一")
    box = sweep(lab, "你好", seed=[1, 2])
    assert box.progress.layout.visibility == "hidden"
    run(box)
    assert box.progress.layout.visibility == "hidden"
    for visibility in ("visible", "hidden"):
        box.answers.pop()
        box._show()
        assert box.progress.layout.visibility == visibility


def test_messages_serve_as_a_prompt(lab, engine):
    engine.reply("好")
    messages = [{"role": "system", "content": "规矩"}, {"role": "user", "content": "你好"}]
    run(sweep(lab, messages, seed=1))
    assert engine.calls[0][0].messages == messages


def test_the_run_button_starts_and_stop_keeps_what_came(lab, engine):
    engine.reply("一")
    engine.reply_forever()
    box = sweep(lab, "你好", seed=[1, 2, 3])

    async def press():
        box.run_button.click()
        while len(engine.calls) < 2:
            await asyncio.sleep(0.01)
        box.stop_button.click()
        await asyncio.sleep(0.05)

    asyncio.run(press())
    assert words(box.status) == "Stopped after 1 of 3 calls; their answers stay."
    assert "■ 1 of 1 A 一" in words(box.shown) and engine.stopped.wait(5)


def test_a_long_run_says_how_long_the_rest_takes(lab, engine, monkeypatch):
    monkeypatch.setattr("qwen_lab.widgets.sweep.LONG", 0.2)
    engine.replies += [[Prompt(5), 0.3, Piece("好"), End("stop", 5, 1, 0)] for _ in range(5)]
    box, told = sweep(lab, "你好", seed=[1, 2, 3, 4, 5]), []
    box.status.observe(lambda change: told.append(words(box.status)), "value")
    asyncio.run(box.run())
    told = [*filter(None, told)]
    assert told[0] == "0 of 5 calls answered…"
    assert re.fullmatch(r"1 of 5 calls answered… The rest takes about \d s; Stop ends it.", told[1])
    assert told[-1] == "All 5 calls are answered."


@pytest.mark.parametrize("leave", [Sweep.close, Sweep.stop, lambda box: box.run_button.click()])
def test_a_run_that_is_left_behind_is_stopped(lab, engine, leave):
    engine.reply_forever()
    box = sweep(lab, "你好", seed=[1, 2])

    async def go():
        running = asyncio.create_task(box.run())
        while not engine.calls:
            await asyncio.sleep(0.01)
        leave(box)
        await running
        box.stop()

    asyncio.run(go())
    assert engine.stopped.wait(5)


def test_many_calls_of_the_cloud_want_a_second_word(lab, engine, monkeypatch):
    monkeypatch.setattr(addresses, "has_list_price", lambda url: True)
    cloud = replace(lab, kind="dashscope", model="qwen-plus")
    box = sweep(cloud, "你好", seed=range(30), max_tokens=10)
    with pytest.raises(ValueError, match=r"cost at most about 0\.0*[1-9]\sCNY") as told:
        run(box)
    # To one digit, and no less than they may cost.
    [most] = map(float, re.findall(r"about ([\d.]+)", str(told.value)))
    assert price(cloud, box.messages, box.settings) <= most

    async def press():
        box.run_button.click()
        assert not engine.calls and "confirm=True" in words(box.status)
        box.run_button.click()
        while len(box.answers) < 30:
            await asyncio.sleep(0.01)

    asyncio.run(press())
    assert len(engine.calls) == 30
    assert len(run(sweep(cloud, "你好", seed=range(21), max_tokens=10, confirm=True))) == 21


def test_calls_that_failed_are_not_called_answered(lab, engine):
    engine.reply("好")
    engine.replies.append([invalid("No.")])
    box = sweep(lab, "你好", seed=[1, 2])
    run(box)
    assert "Of 2 calls 1 failed, and ✗ stands" in words(box.status)
    assert "The service refused the call: HTTP 400" in words(box.status)
    assert "A 好 ✗" in words(box.shown)


def test_a_sweep_whose_calls_all_failed_says_why_and_what_to_do_and_shows_no_grid(monkeypatch):
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    nobody = Lab("http://127.0.0.1:9/v1", "some-model", "custom", "key")
    box = sweep(nobody, "你好", seed=[1, 2])
    [first, _] = run(box)
    why = "No answer from http://127.0.0.1:9/v1: nothing listens there."
    assert words(box.status).startswith(f"All 2 calls failed. {why} Next: ")
    assert 'role="alert"' in box.status.value and box.shown.value == ""
    assert first.error == "APIConnectionError: nothing listens there"
    assert "cause" not in first.to_dict()


def test_the_answers_are_rows_and_a_file(lab, engine, tmp_path):
    engine.reply("=1+1")
    box = sweep(lab, "你好", temperature=0.5, seed=1)
    run(box)
    [row] = box.to_dicts()
    assert (row["temperature"], row["seed"], row["text"], row["characters"]) == (0.5, 1, "=1+1", 4)
    box.to_csv(tmp_path / "a.csv")
    with open(tmp_path / "a.csv", encoding="utf-8-sig", newline="") as file:
        assert next(csv.DictReader(file))["text"] == "'=1+1"


def test_its_repr_is_short_and_stable(lab, engine):
    box = sweep(lab, "你好", seed=1)
    engine.reply("好")
    before = repr(box)
    run(box)
    assert repr(box) == before == "Sweep(1 calls): run this cell to see it"


def test_what_cannot_be_is_a_value_error(lab):
    with pytest.raises(ValueError, match="no parameter 'heat'"):
        sweep(lab, "你好", heat=[1, 2])


def test_what_keeps_every_call_from_being_made_is_raised_and_shown(lab, monkeypatch):
    box = sweep(lab, "你好", temperature=[0, 1])
    monkeypatch.setenv("all_proxy", "socks4://127.0.0.1:9")
    with pytest.raises(ValueError, match="socks4"):
        asyncio.run(box.run())
    assert "socks4" in box.error.value
