"""Characters that come as several tokens: a page's llama.cpp is kept from telling their parts.

It tells what it writes as JSON, and breaks off at a part of a character. So it is given a file in
which such tokens are of a kind that has no text, and here their bytes are put in by their numbers.
"""

from codecs import getincrementaldecoder
from collections import deque
from struct import pack_into

from .vocabulary import Vocabulary

KINDS = b"tokenizer.ggml.token_type"
# Behind its name a list has two numbers of four bytes and one of eight.
HEAD, SIZE = 16, 4
# The kind of tokens that have no text.
UNUSED = 5


def without_parts(head: bytes, vocabulary: Vocabulary) -> bytes:
    """The beginning of the model's file, in which tokens that are parts of characters say nothing.

    As long as before. Texts are cut into the same tokens all the same.
    """
    changed, at = bytearray(head), head.index(KINDS) + len(KINDS) + HEAD
    for token in vocabulary.parts:
        pack_into("<i", changed, at + SIZE * token, UNUSED)
    return bytes(changed)


class Letters:
    """Puts the bytes of such tokens into llama.cpp's chunks, each where it was written."""

    def __init__(self, vocabulary: Vocabulary) -> None:
        self._vocabulary = vocabulary
        self._decoder = getincrementaldecoder("utf-8")("replace")
        # Tokens that were written, while a stop word may still take back their text.
        self._waiting: deque[int] = deque()
        self._told = 0

    def put_in(self, chunk: dict, *, rows: bool) -> dict:
        """The chunk with whole characters, and without probabilities where nobody asks for them."""
        if "prompt_progress" in chunk:
            # It names a token as well, and none is written.
            return chunk
        tokens = chunk.get("__verbose", {}).get("tokens", [])
        for choice in chunk.get("choices", ()):
            choice["text"] = self._text(choice["text"], tokens, last=bool(choice["finish_reason"]))
            told = (choice.get("logprobs") or {"content": ()})["content"] if rows else ()
            # A chat, as the engine elsewhere has it, says nothing of the token that ends it.
            seen = [row for row in told if self._vocabulary.shown(row["id"])]
            choice["logprobs"] = {"content": seen} if seen else None
            for row in seen:
                for each in [row, *row["top_logprobs"]]:
                    self.name(each)
        return chunk

    def name(self, row: dict) -> None:
        """Give a row of probabilities its token."""
        if row["id"] in self._vocabulary.parts:
            known = self._vocabulary.bytes(row["id"])
            row |= {"bytes": [*known], "token": known.decode(errors="replace")}

    def _text(self, told: str, tokens: list[int], *, last: bool) -> str:
        """What is written by now: as much as llama.cpp told, and each part where it belongs."""
        self._waiting += tokens
        self._told += len(told.encode())
        found = b""
        while self._waiting:
            token = self._waiting[0]
            part, known = token in self._vocabulary.parts, self._vocabulary.shown(token)
            if not part and len(known) > self._told:
                break
            self._told -= 0 if part else len(known)
            found += known
            self._waiting.popleft()
        if last and self._waiting:
            # A stop word began within this token.
            found += self._vocabulary.bytes(self._waiting[0])[: self._told]
        return self._decoder.decode(found, last)
