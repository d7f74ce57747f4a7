"""A model's tokens and template, as its file has them: what llama.cpp's server tells elsewhere.

In a page llama.cpp has no server, and reads its prompt as a text alone.
"""

import json
import re
import unicodedata
from functools import cached_property, lru_cache
from heapq import heapify, heappop, heappush

# How Qwen cuts a text into words before it looks for tokens in them, by `_plain` letters.
WORDS = re.compile(
    r"'(?:[sdmtSDMT]|[rR][eE]|[vV][eE]|[lL][lL])|[^\r\na-zA-Z0-9]?[a-zA-Z]+|[0-9]"
    r"| ?[^\sa-zA-Z0-9]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+",
    re.ASCII,
)
# Kinds of tokens: ordinary ones, those that steer, and those that are whole in any text.
ORDINARY, CONTROL, OWN = 1, 3, 4
# What llama.cpp takes for one that steers, whatever the file says.
STEERS = "</s>"


class _Plain(dict):
    """Stands for each letter, digit, blank or sign of any script with one of ASCII."""

    def __missing__(self, code: int) -> str:
        sign = chr(code)
        kind = "A" if code < 128 else unicodedata.category(sign)[0]
        self[code] = {"A": sign, "L": "a", "N": "0"}.get(kind, " " if sign.isspace() else "!")
        return self[code]


_PLAIN = _Plain()


def _letters() -> dict[int, str]:
    """The letter that stands for each byte in the tokens' names, as GPT-2 had it."""
    shown = [*range(33, 127), *range(161, 173), *range(174, 256)]
    hidden = [byte for byte in range(256) if byte not in shown]
    return {byte: chr(byte) for byte in shown} | {
        byte: chr(256 + number) for number, byte in enumerate(hidden)
    }


LETTERS = _letters()
BYTES = {letter: byte for byte, letter in LETTERS.items()}


class Vocabulary:
    """The tokens of a model, by the `values` that its GGUF file has; pairs melt in their order."""

    def __init__(self, values: dict) -> None:
        self._names = values["tokenizer.ggml.tokens"]
        self._numbers = {name: number for number, name in enumerate(self._names)}
        self._kinds = [*values["tokenizer.ggml.token_type"]]
        if STEERS in self._numbers:
            self._kinds[self._numbers[STEERS]] = CONTROL
        self._order = {pair: rank for rank, pair in enumerate(values["tokenizer.ggml.merges"])}
        self._template = values["tokenizer.chat_template"]
        # Most words come again and again.
        self._tokens_of = lru_cache(10_000)(self._melted)

    def post(self, path: str, body: dict) -> dict:
        """What llama.cpp's server answers to the three questions that `Prompts` has."""
        match path:
            case "/tokenize":
                tokens = self.tokens(body["content"], body.get("parse_special", False))
                if body.get("with_pieces"):
                    return {"tokens": [{"id": n, "piece": self.text([n])} for n in tokens]}
                return {"tokens": tokens}
            case "/detokenize":
                return {"content": self.text(body["tokens"])}
            case "/apply-template":
                return {
                    "prompt": self.prompt(body["messages"], body.get("chat_template_kwargs", {}))
                }

    def tokens(self, prompt: str | list, steers: bool) -> list[int]:
        """The tokens of a text, or of texts and tokens; `steers`: those that steer, too."""
        found = []
        for part in [prompt] if isinstance(prompt, str) else prompt:
            found += [part] if isinstance(part, int) else self._of(part, steers)
        return found

    def text(self, tokens: list[int]) -> str:
        """The text of some tokens; raises `RuntimeError` for one that there is not."""
        if unknown := [each for each in tokens if not 0 <= each < len(self._names)]:
            raise RuntimeError(f"no such token: {unknown}")
        return b"".join(map(self.bytes, tokens)).decode(errors="replace")

    def bytes(self, token: int) -> bytes:
        """What a token is; a part of a character, maybe."""
        name = self._names[token]
        return bytes(map(BYTES.get, name)) if self._kinds[token] == ORDINARY else name.encode()

    def shown(self, token: int) -> bytes:
        """What is seen of a token in an answer: nothing of one that steers."""
        return self.bytes(token) if self._kinds[token] in (ORDINARY, OWN) else b""

    @cached_property
    def parts(self) -> frozenset[int]:
        """The tokens that are parts of characters."""
        return frozenset(
            token
            for token, (name, kind) in enumerate(zip(self._names, self._kinds, strict=True))
            # Quick for the many in which only a blank's sign is no letter of ASCII.
            if kind == ORDINARY and not name.strip(LETTERS[32]).isascii()
            if "�" in self.bytes(token).decode(errors="replace")
        )

    def prompt(self, messages: list[dict], told: dict) -> str:
        """The template, filled in; an answer that has begun is gone on with."""
        begun = messages[-1].get("content") or "" if messages[-1]["role"] == "assistant" else ""
        talk = [_read(message) for message in (messages[:-1] if begun else messages)]
        return self._filled.render(messages=talk, add_generation_prompt=True, **told) + begun

    @cached_property
    def _filled(self) -> object:
        from jinja2.sandbox import ImmutableSandboxedEnvironment

        environment = ImmutableSandboxedEnvironment(trim_blocks=True, lstrip_blocks=True)
        # Not for a page of HTML, which Jinja has in mind.
        environment.filters["tojson"] = lambda value: json.dumps(value, ensure_ascii=False)
        return environment.from_string(self._template)

    @cached_property
    def _whole(self) -> tuple[dict[str, int], dict[str, int]]:
        """What is one token by its very name: in any text, and where tokens steer."""
        kinds = [*zip(self._names, self._kinds, strict=True)]
        own, all_of_them = (
            {name: number for number, (name, kind) in enumerate(kinds) if kind in wanted}
            for wanted in ({OWN}, {OWN, CONTROL})
        )
        return own, all_of_them

    def _of(self, text: str, steers: bool) -> list[int]:
        found, whole = [], self._whole[steers]
        names = "|".join(map(re.escape, sorted(whole, key=len, reverse=True)))
        # Every other part is such a name.
        for number, part in enumerate(re.split(f"({names})", text)):
            if number % 2:
                found.append(whole[part])
                continue
            for word in WORDS.finditer(part.translate(_PLAIN)):
                found += self._tokens_of(part[slice(*word.span())])
        return found

    def _melted(self, word: str) -> list[int]:
        """The tokens of a word: of all pairs of neighbours the first in order melts, again."""
        parts = [LETTERS[byte] for byte in word.encode(errors="replace")]
        after, before = [*range(1, len(parts) + 1)], [*range(-1, len(parts) - 1)]
        waiting = [
            (self._order[pair], at, pair)
            for at, pair in enumerate(map(" ".join, zip(parts, parts[1:], strict=False)))
            if pair in self._order
        ]
        heapify(waiting)

        def wait(at: int) -> None:
            """Let a part and the next one wait for their turn, if they are a pair."""
            if at >= 0 and after[at] < len(parts):
                pair = f"{parts[at]} {parts[after[at]]}"
                if pair in self._order:
                    heappush(waiting, (self._order[pair], at, pair))

        while waiting:
            _, at, pair = heappop(waiting)
            # One of the two may have melted with another meanwhile.
            if not parts[at] or after[at] == len(parts):
                continue
            gone = after[at]
            if f"{parts[at]} {parts[gone]}" == pair:
                parts[at], parts[gone] = parts[at] + parts[gone], ""
                after[at] = after[gone]
                if after[at] < len(parts):
                    before[after[at]] = at
                wait(before[at])
                wait(at)
        return [self._numbers[part] for part in parts if part]


def _read(message: dict) -> dict:
    """A message as the template has it: the arguments of a call are no text there."""
    calls = [
        call | {"function": call["function"] | {"arguments": _value(call["function"]["arguments"])}}
        for call in message.get("tool_calls") or ()
    ]
    return message | ({"tool_calls": calls} if calls else {})


def _value(arguments: str) -> object:
    try:
        return json.loads(arguments)
    except ValueError:
        return arguments
