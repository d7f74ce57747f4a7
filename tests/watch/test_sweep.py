"""Every combination of some parameters, and figures of what came back."""

import asyncio
from dataclasses import replace

import pytest

from qwen_lab.endpoint import server
from qwen_lab.lab import Lab
from qwen_lab.watch import sweep
from qwen_lab.watch.sweep import Answer, ask_all, combinations, figures, is_dear, price

HELLO = [{"role": "user", "content": "你好"}]
CLOUD = Lab("https://dashscope.aliyuncs.com/compatible-mode/v1", "qwen-plus", "dashscope", "x")


def ask(lab, settings):
    answers = []
    asyncio.run(ask_all(lab, HELLO, settings, answers.append))
    return answers


def answers(*texts, **setting):
    return [Answer({**setting, "seed": n}, text, "stop") for n, text in enumerate(texts)]


def test_every_combination_has_the_same_seeds():
    assert combinations({"temperature": [0, 1.5], "top_p": 0.5, "seed": range(2)}) == [
        {"temperature": 0, "top_p": 0.5, "seed": 0},
        {"temperature": 0, "top_p": 0.5, "seed": 1},
        {"temperature": 1.5, "top_p": 0.5, "seed": 0},
        {"temperature": 1.5, "top_p": 0.5, "seed": 1},
    ]
    assert [setting["seed"] for setting in combinations({"top_k": 5})] == [1, 2, 3]


@pytest.mark.parametrize(
    ("parameters", "complaint"),
    [
        ({"heat": [1]}, "no parameter 'heat'"),
        ({"temperature": [0, 2]}, r"temperature is 2; it must be float in \[0, 2\)"),
        ({"max_tokens": ["many"]}, "max_tokens is 'many'"),
        ({"seed": [-1]}, "seed is -1"),
    ],
)
def test_what_cannot_be_is_refused_before_any_call(parameters, complaint):
    with pytest.raises(ValueError, match=complaint):
        combinations(parameters)


def test_the_local_qwen_is_asked_one_by_one_in_order(lab, engine):
    for text in "一二三四":
        engine.reply(text)
    found = ask(lab, combinations({"top_k": [1, 2], "seed": [7, 8]}))
    assert [answer.text for answer in found] == list("一二三四")
    asked = [(call.sampling["top_k"], seed) for call, seed, _ in engine.calls]
    assert asked == [(1, 7), (1, 8), (2, 7), (2, 8)]
    assert (found[0].finish_reason, found[0].completion_tokens) == ("stop", 1)


def test_other_endpoints_are_asked_some_at_once(lab, monkeypatch):
    running, most = 0, 0

    async def slow(client, model, messages, setting):
        nonlocal running, most
        running += 1
        most = max(most, running)
        await asyncio.sleep(0.01)
        running -= 1
        return Answer(setting)

    monkeypatch.setattr(sweep, "_ask", slow)
    settings = combinations({"seed": range(30)})
    assert len(ask(replace(lab, kind="custom"), settings)) == 30 and most == sweep.AT_ONCE
    most = 0
    ask(lab, settings)
    assert most == 1


def test_a_call_that_fails_is_a_row_and_the_others_go_on(lab, engine):
    engine.reply("好")
    engine.replies.append([RuntimeError("secret")])
    settings = [{"seed": 1}, {"seed": 2}]
    lab = replace(lab)
    with_error = ask(lab, [*settings, {"temperature": 9, "seed": 3}])
    assert with_error[0].text == "好" and with_error[2].error.startswith("invalid_parameter_error")
    assert "secret" not in str(with_error)


def test_figures_count_what_is_different():
    [cold, hot] = figures(
        [*answers("a b", "a b", temperature=0), *answers("a b", "c d", temperature=1)]
    )
    assert (cold.distinct, cold.distinct_1, cold.overlap) == (1, 0.5, 1)
    assert (hot.distinct, hot.distinct_1, hot.distinct_2, hot.overlap) == (2, 1, 1, 0)
    assert cold.setting == {"temperature": 0} and cold.length == 3


def test_chinese_is_counted_by_signs_and_punctuation_not_at_all():
    [group] = figures(answers("秋天，秋天。"))
    assert group.distinct_1 == 2 / 4 and group.distinct_2 == 2 / 3


def test_errors_are_no_texts():
    failed = Answer({"seed": 2}, error="x")
    [group] = figures([*answers("一"), failed])
    assert (group.distinct, len(group.answers)) == (1, 2) and group.reasons["error"] == 1
    assert figures([failed])[0].distinct_1 == 0


def test_many_calls_of_the_cloud_are_dear_and_local_ones_never():
    few, many = combinations({"max_tokens": 10}), combinations({"seed": range(21)})
    local = Lab("http://127.0.0.1:1/v1", "qwen", "local", "x")
    # Two characters in at 0.8 CNY and 10 tokens out at 2 CNY for a million, three times.
    assert price(CLOUD, HELLO, few) == pytest.approx(3 * (2 * 0.8 + 10 * 2) / 1e6)
    assert not is_dear(CLOUD, len(few), price(CLOUD, HELLO, few))
    assert is_dear(CLOUD, len(many), price(CLOUD, HELLO, many))
    assert is_dear(CLOUD, 3, 0.2) and is_dear(CLOUD, 3, None)
    assert price(local, HELLO, many) == 0 and not is_dear(local, 1_000, 0.0)


@pytest.mark.model
def test_heat_makes_the_real_models_answers_differ(home, monkeypatch):
    monkeypatch.setenv("QWEN_LAB_HOME", str(home))
    running = server.start()
    lab = Lab(running.base_url, running.model, "local", running.token)
    settings = combinations({"temperature": [0, 1.5], "max_tokens": 12, "seed": range(4)})
    cold, hot = figures(ask(lab, settings))
    assert cold.distinct == 1 and hot.distinct > 1 and hot.distinct_2 > cold.distinct_2
