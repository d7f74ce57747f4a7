import math

import pytest

from qwen_lab.views.tokens import joined, said, visible


def row(text, probability, *, of=None, top=()):
    """A row of logprobs; `of` are its bytes where the token is a part of a character."""
    tops = [{"token": t, "bytes": list(t.encode()), "logprob": math.log(p)} for t, p in top]
    token = text if of is None else "\ufffd"
    spelt = list(text.encode() if of is None else of)
    return {"token": token, "bytes": spelt, "logprob": math.log(probability), "top_logprobs": tops}


def split(text, at, *probabilities):
    """Rows of a character whose bytes lie in two tokens."""
    parts = [text.encode()[:at], text.encode()[at:]]
    return [row(text, p, of=part) for part, p in zip(parts, probabilities, strict=True)]


def test_parts_of_a_character_are_joined_with_their_common_probability():
    rows = [row("秋", 0.5), *split("😀", 2, 0.5, 0.4), row("。", 1)]
    tokens = list(joined(rows))
    assert [token.text for token in tokens] == ["秋", "😀", "。"]
    assert tokens[1].pieces == 2 and tokens[1].probability == pytest.approx(0.2)
    assert tokens[1].bits == pytest.approx(math.log2(5))


def test_a_token_that_ends_within_a_character_takes_the_next_with_it():
    first, second = "，龘".encode()[:5], "龘".encode()[2:]
    tokens = list(joined([row("", 1, of=first), row("", 1, of=second)]))
    assert [token.text for token in tokens] == ["，龘"]


def test_what_was_cut_within_a_character_is_kept_as_one_sign():
    [last] = joined(split("😀", 2, 0.5, 0.4)[:1])
    assert (last.text, last.pieces) == ("\ufffd", 1)


def test_a_row_without_bytes_has_those_of_its_token():
    assert next(joined([row("a", 0.5) | {"bytes": None}])).text == "a"


def test_alternatives_stand_in_their_order():
    [token] = joined([row("a", 0.2, top=[("b", 0.1), ("c", 0.6)])])
    assert token.alternatives == (("c", pytest.approx(0.6)), ("b", pytest.approx(0.1)))


def test_an_answer_is_read_from_text_and_from_the_sdks_objects(client, engine):
    ask = {"model": "fake-qwen", "messages": [{"role": "user", "content": "你好"}]}
    engine.reply("你", "好")
    engine.reply("你", "好", reason="length")
    whole = said(client.chat.completions.create(**ask))
    parts = said(list(client.chat.completions.create(**ask, stream=True)))
    assert (whole.text, whole.reason) == ("你好", "stop")
    assert (parts.text, parts.reason) == ("你好", "length")
    assert said("你好").text == "你好"


@pytest.mark.parametrize("answer", [7, None, [], {"a": 1}])
def test_what_is_no_answer_is_an_error(answer):
    with pytest.raises(TypeError):
        said(answer)


def test_what_cannot_be_seen_has_a_sign():
    assert visible("a b\n\t") == "a␣b↵⇥" and visible("") == "⟨end⟩"
