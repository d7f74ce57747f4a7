"""Nobody uses more than they may, whatever happens meanwhile, and the ledger knows to the token."""

import asyncio
import json
import os
import signal
import subprocess
import sys
from contextlib import aclosing

import pytest

from qwen_lab.classroom.allowance import Allowance, Limits
from qwen_lab.classroom.ledger import Ledger
from qwen_lab.endpoint.answer import answer
from qwen_lab.endpoint.engine import End, Piece, Prompt
from qwen_lab.endpoint.learner import Call
from qwen_lab.endpoint.refusal import Refusal
from qwen_lab.endpoint.rules import checked_request
from qwen_lab.endpoint.turns import Turns
from qwen_lab.models import price
from qwen_lab.words import LabError

BODY = {"model": "fake-qwen", "messages": [{"role": "user", "content": "你好"}], "max_tokens": 10}
REQUEST = checked_request(BODY, "fake-qwen")
NONE = Limits()
# What the request can take at most, and a slow answer to it.
MOST = len(json.dumps([REQUEST.prompt, []], ensure_ascii=False).encode()) + 10
SLOW = [Prompt(9), 0.01, Piece("好"), Piece("好"), End("stop", 9, 2, 0)]


@pytest.fixture
def path(tmp_path):
    return tmp_path / "ledger.jsonl"


@pytest.fixture
def call(engine, path):
    """Makes a call under limits, and gives its chunks or raises."""
    turns, ledger = Turns(engine), Ledger(path)

    def call(who="Ada", limits=NONE, prices=(), **fields):
        request = checked_request(BODY | fields, "fake-qwen")
        one = Call(who, "qwen-plus", "1")
        return Allowance(ledger, limits, prices).charged(answer(turns, request, one), request, one)

    call.ledger = ledger
    return call


async def read(chunks):
    return [chunk async for chunk in chunks]


def run(work):
    return asyncio.run(asyncio.wait_for(work, 20))


def test_a_call_counts_what_its_usage_says(engine, call, path):
    engine.reply("你", "好", prompt=9)
    run(read(call()))
    assert call.ledger.tokens == {"Ada": 11} == Ledger(path).tokens


def test_of_fifty_calls_at_once_as_many_are_answered_as_there_is_room_for(engine, call):
    for _ in range(50):
        engine.replies.append(SLOW)

    async def all_at_once():
        limits = Limits(tokens=10 * MOST)
        calls = [read(call(limits=limits)) for _ in range(50)]
        return await asyncio.gather(*calls, return_exceptions=True)

    answers = run(all_at_once())
    refused = [each for each in answers if isinstance(each, Refusal)]
    assert len(refused) == 40 and {each.status for each in refused} == {429}
    assert "budget configured in Budget Management has been exhausted" in str(refused[0])
    assert f"tokens are left, and this call could take up to {MOST}" in str(refused[0])
    usages = [each[-1]["usage"]["total_tokens"] for each in answers if isinstance(each, list)]
    assert call.ledger.tokens["Ada"] == sum(usages) and len(usages) == 10


def test_another_learner_has_an_allowance_of_their_own(engine, call):
    limits = Limits(tokens=MOST)
    run(read(call("Ada", limits)))
    with pytest.raises(Refusal, match="budget"):
        run(read(call("Ada", limits)))
    run(read(call("Bo", limits)))


async def leave(chunks, after):
    """Read so many chunks, and go."""
    async with aclosing(chunks):
        for _ in range(after):
            await anext(chunks)


def test_who_leaves_midway_pays_what_was_read_and_written(engine, call):
    engine.reply_forever()
    run(leave(call(), after=4))
    # Five of the prompt, and a chunk of the four says only who speaks.
    assert call.ledger.tokens["Ada"] == 8


def test_who_leaves_an_engine_that_counts_no_prompt_pays_what_was_reserved(engine, call):
    engine.replies.append([Prompt(0), Piece("好"), Piece("好"), End("stop", 0, 2, 0)])
    run(leave(call(), after=2))
    assert call.ledger.tokens["Ada"] == MOST


def test_who_leaves_before_their_turn_pays_nothing(engine, call):
    engine.replies.append([10.0])

    async def give_up():
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.05):
                await read(call())

    run(give_up())
    assert call.ledger.tokens == {"Ada": 0}


def test_an_answer_that_took_too_long_costs_the_most_if_nobody_knows_better(engine, call):
    engine.replies.append([Prompt(0), Refusal.named("timed_out")])
    with pytest.raises(Refusal, match="timed out"):
        run(read(call()))
    assert call.ledger.tokens["Ada"] == MOST


def test_what_the_model_refuses_costs_nothing(engine, call):
    engine.replies.append([Refusal("no")])
    with pytest.raises(Refusal, match="no"):
        run(read(call()))
    assert call.ledger.tokens["Ada"] == 0


def test_a_minute_has_so_many_tokens_and_says_when_to_come_again(engine, call, monkeypatch):
    now = [1_000.0]
    monkeypatch.setattr("qwen_lab.classroom.allowance.monotonic", lambda: now[0])
    allowed = None

    def ask():
        nonlocal allowed
        request = checked_request(BODY, "fake-qwen")
        allowed = allowed or Allowance(call.ledger, Limits(per_minute=MOST + 5))
        engine.reply("好", prompt=5)
        one = Call("Ada", "fake-qwen", "1")
        return run(read(allowed.charged(answer(Turns(engine), request, one), request, one)))

    # The first took six of them in the end, so a second call's most has no room.
    ask()
    now[0] += 20
    with pytest.raises(Refusal, match="exceeded your current quota") as caught:
        ask()
    assert caught.value.headers == {"retry-after": "40"} and caught.value.status == 429
    now[0] += 41
    ask()


def test_a_class_has_so_much_money_for_all(engine, call):
    limits = Limits(class_cny=0.0001)
    run(read(call("Ada", limits, [price()])))
    # One fen for a hundred calls: the next could cost more than is left.
    with pytest.raises(Refusal, match="budget"):
        for _ in range(30):
            run(read(call("Bo", limits, [price()])))
    assert 0 < call.ledger.cost.total() <= 100


def test_each_learner_has_so_much_money_of_their_own(engine, call):
    limits = Limits(cny=0.0001)
    for who in ("Ada", "Bo"):
        with pytest.raises(Refusal, match="budget"):
            for _ in range(30):
                run(read(call(who, limits, [price()])))
        assert 0 < call.ledger.cost[who] <= 100


def test_what_is_left_is_told_in_tokens_of_the_dearest_kind(path):
    ledger = Ledger(path)
    limits = Limits(tokens=900, cny=0.002, class_cny=0.003)
    left = Allowance(ledger, limits, [price(), price("qwen-turbo")]).left
    # Of qwen-plus's, at 2 CNY a million, there is money for a thousand tokens.
    assert left("Ada") == 900
    ledger.reserve("Ada", 100, 1_000)
    assert (left("Ada"), left("Bo")) == (500, 900)
    ledger.reserve("Cy", 100, 1_500)
    assert (left("Ada"), left("Bo")) == (250, 250)
    assert Allowance(ledger, Limits(), [price()]).left("Ada") is None


def test_a_learner_can_begin_anew(engine, call, path):
    run(read(call()))
    call.ledger.reset("Ada")
    assert call.ledger.tokens["Ada"] == 0 == Ledger(path).tokens["Ada"]


def test_a_call_under_way_still_counts_when_its_learner_begins_anew(path):
    ledger = Ledger(path)
    ledger.settle(ledger.reserve("Ada", 100, 7), 40, 3)
    under_way = ledger.reserve("Ada", 50, 5)
    ledger.reset("Ada")
    assert (ledger.tokens["Ada"], ledger.cost["Ada"]) == (50, 5)
    ledger.settle(under_way, 20, 2)
    assert (ledger.tokens["Ada"], ledger.cost["Ada"]) == (20, 2)
    assert Ledger(path).tokens == {"Ada": 20}


def test_after_a_kill_what_was_open_counts_in_full_and_a_cut_line_harms_nothing(path):
    code = (
        "import sys, time; from pathlib import Path; from qwen_lab.classroom.ledger import Ledger\n"
        "ledger = Ledger(Path(sys.argv[1])); ledger.settle(ledger.reserve('小明', 9, 0), 4, 0)\n"
        "ledger.reserve('小明', 70, 0); print('there', flush=True); time.sleep(60)"
    )
    with subprocess.Popen([sys.executable, "-c", code, path], stdout=subprocess.PIPE) as process:
        process.stdout.readline()
        process.send_signal(signal.SIGKILL)
    with path.open("a", encoding="utf-8") as file:
        file.write('{"call": 3, "who": "小')
    ledger = Ledger(path)
    assert ledger.tokens == {"小明": 74}
    ledger.settle(ledger.reserve("Bo", 5, 0), 5, 0)
    assert Ledger(path).tokens == {"小明": 74, "Bo": 5}
    assert len(path.read_bytes().splitlines()) == 6


def test_where_the_ledger_cannot_be_written_nothing_is_answered(engine, call, monkeypatch):
    monkeypatch.setattr(os, "write", lambda *_: (_ for _ in ()).throw(OSError("a full disk")))
    with pytest.raises(Refusal) as caught:
        run(read(call()))
    assert caught.value.status == 500 and not engine.calls


def test_a_look_at_the_next_token_is_paid_for_and_refused_when_nothing_is_left(engine, path):
    ledger, turns = Ledger(path), Turns(engine)
    allowed = Allowance(ledger, Limits(tokens=120))

    def look():
        one = Call("Ada", "fake-qwen", "1")
        return allowed.looked(turns.next_token([], "x" * 60, 5, "Ada"), [], "x" * 60, one)

    assert len(run(look()).ids) == 5
    # The fake one reads nothing; the token itself counts.
    assert ledger.tokens["Ada"] == 1
    ledger.settle(ledger.reserve("Ada", 90, 0), 90, 0)
    with pytest.raises(Refusal, match="budget"):
        run(look())
    assert len(engine.calls) == 1 and ledger.tokens["Ada"] == 91


@pytest.mark.parametrize("value", [0, -5, float("nan")])
def test_what_is_not_above_0_is_no_limit(value):
    for name in ("per_minute", "tokens", "cny", "class_cny"):
        with pytest.raises(LabError, match=f"{value} is no limit"):
            Limits(**{name: value})
