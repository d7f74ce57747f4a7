"""llama.cpp's own chunks and errors, read as the endpoint's events and refusals."""

from collections.abc import Callable

from ..parameters import MAX_INPUT
from .engine import End, Event, Piece, Prompt, Thought
from .refusal import Refusal, invalid, too_long

# Takes an event in the engine's thread; says whether the engine is to stop.
Emit = Callable[[Event], bool]


class Reader:
    """Turns llama.cpp's chunks into events; `take` returns True to stop the engine.

    What goes wrong stands in `error` afterwards: `Refusal`, or what `emit` raised.
    """

    def __init__(self, emit: Emit, top_logprobs: int) -> None:
        self.emit = emit
        self.top_logprobs = top_logprobs
        self.error = None
        self._reason = None

    def take(self, chunk: dict) -> bool:
        # The binding swallows what a callback raises, so errors are kept and raised after it.
        try:
            return self._take(chunk)
        except Exception as error:
            self.error = error
            return True

    def _take(self, chunk: dict) -> bool:
        if "error" in chunk:
            raise refused(chunk["error"])
        if "prompt_progress" in chunk:
            return self._progress(chunk["prompt_progress"])
        stop = any([self._piece(choice) for choice in chunk["choices"]])
        return self.emit(_end(self._reason, chunk["usage"])) if "usage" in chunk else stop

    def _progress(self, progress: dict) -> bool:
        if progress["total"] > MAX_INPUT:
            raise too_long()
        return self.emit(Prompt(progress["total"]))

    def _piece(self, choice: dict) -> bool:
        self._reason = choice["finish_reason"]
        # A completion, which is no chat, has its text without a delta around it.
        delta = choice.get("delta", choice)
        if thought := delta.get("reasoning_content"):
            return self.emit(Thought(thought))
        text = delta.get("content") or delta.get("text") or ""
        logprobs = choice.get("logprobs")
        return self.emit(Piece(text, self._rows(logprobs["content"]) if logprobs else None))

    def _rows(self, content: list[dict]) -> list[dict]:
        most = self.top_logprobs
        return [
            _row(row) | {"top_logprobs": [_row(top) for top in row["top_logprobs"][:most]]}
            for row in content
        ]


class Rows(Reader):
    """Keeps the engine's own rows of probabilities; the prompt may be as long as a slot holds."""

    def __init__(self, emit: Emit) -> None:
        super().__init__(emit, 0)
        self.rows: list[dict] = []

    def _progress(self, progress: dict) -> bool:
        return self.emit(Prompt(progress["total"]))

    def _piece(self, choice: dict) -> bool:
        self._reason = choice["finish_reason"]
        self.rows += (choice["logprobs"] or {"content": []})["content"]
        return False


def _end(reason: str, usage: dict) -> End:
    cached = usage["prompt_tokens_details"]["cached_tokens"]
    return End(reason, usage["prompt_tokens"], usage["completion_tokens"], cached)


def _row(row: dict) -> dict:
    return {name: row[name] for name in ("token", "logprob", "bytes")}


def refused(error: dict) -> Exception:
    """What to raise for an error in the engine's own words."""
    if error.get("type") == "exceed_context_size_error":
        return too_long()
    # A grammar that leads nowhere is noticed only while it is obeyed.
    if error.get("code") == 400 or "grammar" in error["message"]:
        return unusable(error["message"])
    return RuntimeError(error["message"])


def unusable(message: str) -> Refusal:
    """The refusal of a request that the engine cannot carry out."""
    if "failed to parse grammar" in message:
        return invalid("no text can obey the JSON schema, or it demands too many repetitions")
    # What the engine cannot do with a schema or a template stands at the end of its sentence.
    return invalid(message.rsplit("failed: ")[-1])
