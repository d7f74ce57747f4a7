"""Tokens and template in plain Python, held to llama.cpp's own with the same file."""

import random
import sys

import pytest

from qwen_lab import paths
from qwen_lab.endpoint.llama import LlamaEngine
from qwen_lab.endpoint.weights import gguf, weights
from qwen_lab.page.vocabulary import Vocabulary

pytestmark = pytest.mark.model

STRANGE = [
    "", " ", "\n", "\r\n\r\n  x", "   a\t\tb \n\n\n c  ", "I'll we've 'TIS don't 're'", "'ré 'S5",
    "1,234.5 ½ ٣ Ⅷ ²", "emoji 👩🏽‍🚀 e\u0301 \u200b 龘 \ufeff", "\u3000全角　空格\u2028x\x85y\x1cz",
    "<|im_start|>system\nObey<|im_end|>\n<|endoftext|>", "<tool_call>{}</tool_call><tool_call",
    "<|im_start|><|im_start|>", "<|fim_prefix|>a<|repo_name|>b<|file_sep|>", "[PAD151665]",
    "ไทย हिन्दी العربية русский ქართული 한국어 ひらがなカタカナ", "\x00\x01\x7f", "¡¿Qué? ¼×÷",
    "a" * 5000, "哈" * 3000, "=" * 300 + "\n" * 50, "ab" * 2000 + "你好" * 500,
]  # fmt: skip
TOOL = {
    "type": "function",
    "function": {
        "name": "get_weather",
        "description": "天气 & <more> 'quoted' \"twice\"",
        "parameters": {"type": "object", "properties": {"city": {"type": "string"}}},
    },
}
USER = {"role": "user", "content": "杭州天气如何？"}
CALL = {"id": "1", "type": "function"}
CALL |= {"function": {"name": "get_weather", "arguments": '{"city": "成都", "days": 2.50}'}}
TALKS = {
    "one question": [USER],
    "a system": [{"role": "system", "content": "Be brief. "}, USER],
    "turns": [
        USER,
        {"role": "assistant", "content": "晴。"},
        {"role": "user", "content": " 明天？"},
    ],
    "an answer begun": [USER, {"role": "assistant", "content": "晴，"}],
    "a call and its result": [
        USER,
        {"role": "assistant", "content": "", "tool_calls": [CALL, CALL]},
        {"role": "tool", "tool_call_id": "1", "content": "小雨"},
        {"role": "tool", "tool_call_id": "1", "content": "18 度"},
    ],
}


@pytest.fixture(scope="module")
def engine():
    path = weights.fetch()
    return LlamaEngine(path, weights.model_id(path))


@pytest.fixture(scope="module")
def vocabulary():
    with weights.fetch().open("rb") as file:
        return Vocabulary(gguf.values(file))


def by_chance(count):
    """Texts of signs from all over Unicode, none of them half a pair; the same each time."""
    chance = random.Random(1)
    for _ in range(count):
        last = chance.choice([0x7F, 0x24F, 0x9FFF, 0x1FAFF])
        codes = [chance.randrange(1, last) for _ in range(chance.randrange(1, 60))]
        yield "".join(chr(code) for code in codes if not 0xD800 <= code < 0xE000)


def lessons():
    """The lessons' and the lab's own sources: Chinese, English, code and JSON."""
    files = [*paths.originals().glob("*/0[0-3]*.ipynb"), *paths.ROOT.glob("qwen_lab/endpoint/*.py")]
    texts = [path.read_text(encoding="utf-8") for path in files]
    return [text[at : at + 3000] for text in texts for at in range(0, len(text), 40_000)]


@pytest.mark.parametrize("steers", [False, True])
def test_a_text_has_the_tokens_that_llama_has(engine, vocabulary, steers):
    texts = [*STRANGE, *lessons(), *by_chance(300)]
    assert len(texts) > 350
    for text in texts:
        asked = {"content": text, "parse_special": steers, "with_pieces": True}
        theirs = engine._post("/tokenize", asked)["tokens"]
        # A part of a character is told in numbers there; nobody asks for those.
        ours = vocabulary.post("/tokenize", asked)["tokens"]
        assert [row["id"] for row in ours] == [row["id"] for row in theirs], text[:80]
        pairs = [(a, b) for a, b in zip(ours, theirs, strict=True) if isinstance(b["piece"], str)]
        assert all(a == b for a, b in pairs)


def test_tokens_have_the_text_that_llama_gives_them(engine, vocabulary):
    numbers = random.Random(2).sample(range(151_665), 2000) + [*range(151_640, 151_665)]
    for at in range(0, len(numbers), 5):
        asked = {"tokens": numbers[at : at + 5]}
        theirs = engine._post("/detokenize", asked)["content"]
        assert vocabulary.post("/detokenize", asked)["content"] == theirs
    with pytest.raises(RuntimeError):
        vocabulary.post("/detokenize", {"tokens": [sys.maxsize]})


@pytest.mark.parametrize("talk", TALKS.values(), ids=TALKS)
@pytest.mark.parametrize("tools", [None, [TOOL, TOOL]], ids=["bare", "tools"])
def test_the_template_is_filled_as_llama_does(engine, vocabulary, talk, tools):
    told = {"enable_thinking": False} | ({"tools": tools} if tools else {})
    asked = {"messages": talk, "chat_template_kwargs": told}
    theirs = engine._post("/apply-template", asked)["prompt"]
    assert vocabulary.post("/apply-template", asked)["prompt"] == theirs
