"""What the model reads, as tokens: only the template's own tokens steer it, a text stays a text.

llama.cpp would read `<|im_start|>` in a message as the token that begins a turn.
"""

import json
import re
import secrets
from collections.abc import Callable

from ..parameters import MAX_INPUT
from .refusal import invalid, too_long

# Put into a forged token while the template is filled in, so that it is none; nobody can guess it.
MARK = secrets.token_hex(8)
# The same for good: nobody sees it, and the model hardly minds.
INVISIBLE = "\u200b"
# How a token that steers is written, in any model: `<|im_end|>`, `</s>`, `[INST]`.
ALIKE = re.compile(r"<[^<>\s]+>|\[/?\w+\]")
# So many tokens a prompt that fits never has, with its marks, as JSON or as text; the engine's time
# to find those that steer grows with the square of their number.
MOST = 16 * MAX_INPUT


class Prompts:
    """Prompts and tokens, over the engine's own listener: `post` takes a path and a body."""

    def __init__(self, post: Callable[[str, dict], dict]) -> None:
        self._post = post

    def tokens(self, text: str | list, *, begins: bool = False, steers: bool = False) -> list[int]:
        """The tokens of a text, or of a prompt as `filled` gives it; `steers` as a template's."""
        body = {"content": text, "add_special": begins, "parse_special": steers}
        return self._post("/tokenize", body)["tokens"]

    def text(self, tokens: list[int]) -> str:
        """The text of some tokens; raises `Refusal`."""
        try:
            return self._post("/detokenize", {"tokens": tokens})["content"]
        except RuntimeError:
            message = f"'stop' has a token that the model does not have: {tokens}"
            raise invalid(message) from None

    def forged(self, asked: dict) -> list[str]:
        """What stands in the texts of a request and would be read as a token that steers."""
        text = json.dumps(asked, ensure_ascii=False)
        # A long text takes 30 ms to look at, so most are not.
        return self._steering(text) if ALIKE.search(text) else []

    def filled(self, asked: dict, forged: list[str]) -> str | list[str | int]:
        """The template filled in: as text, or as text and the tokens of what has something forged.

        `asked` has the messages, and what else the template is told.
        """
        marked = self._post("/apply-template", hidden(asked, forged, MARK))["prompt"]
        if not forged:
            return marked
        prompt: list[str | int] = [""]
        # A whole run between two tokens that steer: letters melt with their neighbours.
        for run in re.split(f"({_any(self._steering(marked))})", marked):
            if MARK in run:
                prompt += [*self.tokens(run.replace(MARK, "")), ""]
            else:
                prompt[-1] += run
        return prompt

    def _steering(self, text: str) -> list[str]:
        body = {"content": text, "parse_special": True, "with_pieces": True}
        plain = self.tokens(text)
        if len(plain) > MOST:
            raise too_long()
        rows, plain = self._post("/tokenize", body)["tokens"], set(plain)
        found = {row["id"]: row["piece"] for row in rows if row["id"] not in plain}
        # An ordinary token may have got there because what stands before it was cut off.
        return [
            piece
            for token, piece in found.items()
            if isinstance(piece, str) and self.tokens(piece) != [token]
        ]


def hidden(asked: dict, forged: list[str], mark: str) -> dict:
    """The request with a mark within each forged token, so that it is read as a text."""
    text = json.dumps(asked, ensure_ascii=False)
    return json.loads(re.sub(_any(forged), lambda found: found[0][0] + mark + found[0][1:], text))


def _any(words: list[str]) -> str:
    # None of no words is found anywhere.
    return "|".join(map(re.escape, sorted(words, key=len, reverse=True))) or "(?!)"
