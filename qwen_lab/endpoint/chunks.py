"""An answer's shape: the engine's events as chunks, field for field as DashScope records them.

The SSE answer is these chunks; the JSON answer is the same chunks put together, so the two
cannot differ.
"""

import copy
import time
from collections.abc import AsyncIterator

from . import tools
from .engine import End, Event, Piece, Thought
from .rules import ChatRequest

Delta = tuple[dict, list[dict] | None]


class Deltas:
    """Turns events into deltas, each with its rows of logprobs; after the `End`, has the reason.

    Text that may become a tool call is held back until it is clear what it is.
    """

    def __init__(self, request: ChatRequest) -> None:
        self.request = request
        self.reason = "stop"
        self.thoughts = 0
        self._held: list[Piece] | None = [] if request.tools else None

    @property
    def opening(self) -> dict:
        """The first delta, which has the role."""
        thinking = {"reasoning_content": ""} if self.request.thinking else {}
        return {"content": "", **thinking, "role": "assistant"}

    def take(self, event: Event) -> list[Delta]:
        """The deltas that the event brings, none or several."""
        match event:
            case Thought():
                self.thoughts += 1
                return [({"content": None, "reasoning_content": event.text}, None)]
            case Piece() if self._held is None:
                return self._texts([event])
            case Piece():
                self._held.append(event)
                return [] if tools.may_become(self._held_text) else self._let_go()
            case End():
                self.reason = event.reason
                return self._close()
        return []

    @property
    def _held_text(self) -> str:
        return "".join(piece.text for piece in self._held)

    def _let_go(self) -> list[Delta]:
        held, self._held = self._held, None
        return self._texts(held)

    def _texts(self, pieces: list[Piece]) -> list[Delta]:
        thinking = {"reasoning_content": None} if self.request.thinking else {}
        said = [piece for piece in pieces if piece.text or piece.logprobs]
        return [({"content": piece.text, **thinking}, piece.logprobs) for piece in said]

    def _close(self) -> list[Delta]:
        if self._held is None:
            return []
        calls = tools.calls(self._held_text, self.request.tools)
        if not calls:
            return self._let_go()
        self.reason = "tool_calls"
        calls = calls if self.request.parallel else calls[:1]
        return [(delta, None) for index, call in enumerate(calls) for delta in _call(index, call)]


def _call(index: int, call: tools.ToolCall) -> list[dict]:
    """A call as recorded: first its id and name, then its arguments under an empty id."""
    shared = {"index": index, "type": "function"}
    name = {**shared, "id": call.id, "function": {"name": call.name, "arguments": ""}}
    arguments = {**shared, "id": "", "function": {"arguments": call.arguments}}
    return [{"content": None, "tool_calls": [part]} for part in (name, arguments)]


async def complete(chunks: AsyncIterator[dict]) -> dict:
    """The JSON answer that the chunks add up to."""
    choices: dict[int, dict] = {}
    async for chunk in chunks:
        for part in chunk["choices"]:
            _add(choices.setdefault(part["index"], _choice(part["index"])), part)
    # The last chunk: it has the usage.
    return {**chunk, "object": "chat.completion", "choices": list(choices.values())}


def head(request_id: str, model: str) -> dict:
    return {
        "id": f"chatcmpl-{request_id}",
        "object": "chat.completion.chunk",
        "created": int(time.time()),
        "model": model,
        "system_fingerprint": None,
        "usage": None,
    }


def chunk(head: dict, index: int, delta: dict, logprobs=None, reason: str | None = None) -> dict:
    rows = {"content": logprobs} if logprobs else None
    choice = {"index": index, "delta": delta, "logprobs": rows, "finish_reason": reason}
    return {"choices": [choice], **head}


def usage(ends: list[End], thoughts: int | None) -> dict:
    # The prompt is billed once, however many choices.
    prompt, completion = ends[0].prompt_tokens, sum(end.completion_tokens for end in ends)
    usage = {
        "prompt_tokens": prompt,
        "completion_tokens": completion,
        "total_tokens": prompt + completion,
        "prompt_tokens_details": {"cached_tokens": ends[0].cached_tokens},
    }
    if thoughts is not None:
        # The engine does not count them: a piece of thinking is a token, or rarely two.
        details = {"reasoning_tokens": thoughts, "text_tokens": completion}
        usage["completion_tokens_details"] = details
    return usage


def _choice(index: int) -> dict:
    message = {"role": "assistant", "content": ""}
    return {"index": index, "message": message, "logprobs": None, "finish_reason": None}


def _add(choice: dict, part: dict) -> None:
    message, delta = choice["message"], part["delta"]
    for name in ("content", "reasoning_content"):
        if name in delta:
            message[name] = message.get(name, "") + (delta[name] or "")
    for piece in delta.get("tool_calls", ()):
        calls = message.setdefault("tool_calls", [])
        if piece["index"] == len(calls):
            calls.append(copy.deepcopy(piece))
        else:
            calls[-1]["function"]["arguments"] += piece["function"]["arguments"]
    choice["finish_reason"] = part["finish_reason"]
    if part["logprobs"]:
        rows = choice["logprobs"] = choice["logprobs"] or {"content": []}
        rows["content"] += part["logprobs"]["content"]
