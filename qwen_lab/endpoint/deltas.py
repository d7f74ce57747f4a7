"""What one choice's events become in a stream: text, thinking, or tool calls, in DashScope's
recorded grammar."""

from . import tools
from .events import End, Event, Piece, Thought
from .rules import Call

Delta = tuple[dict, list[dict] | None]


class Deltas:
    """Turns events into deltas, each with its rows of logprobs; after the `End`, has the reason.

    Text that may become a tool call is held back until it is clear what it is.
    """

    def __init__(self, call: Call) -> None:
        self.call, self.reason, self.thoughts = call, "stop", 0
        self._held: list[Piece] | None = [] if call.tools else None

    @property
    def opening(self) -> dict:
        """The first delta, which has the role."""
        thinking = {"reasoning_content": ""} if self.call.thinking else {}
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
        thinking = {"reasoning_content": None} if self.call.thinking else {}
        return [
            ({"content": piece.text, **thinking}, piece.logprobs)
            for piece in pieces
            if piece.text or piece.logprobs
        ]

    def _close(self) -> list[Delta]:
        if self._held is None:
            return []
        calls = tools.calls(self._held_text, self.call.tools)
        if not calls:
            return self._let_go()
        self.reason = "tool_calls"
        calls = calls if self.call.parallel else calls[:1]
        return [(delta, None) for index, call in enumerate(calls) for delta in _call(index, call)]


def _call(index: int, call: tools.ToolCall) -> list[dict]:
    """A call as recorded: first its id and name, then its arguments under an empty id."""
    parts = [
        {"id": call.id, "function": {"name": call.name, "arguments": ""}},
        {"id": "", "function": {"arguments": call.arguments}},
    ]
    return [
        {"content": None, "tool_calls": [{"index": index, "type": "function", **part}]}
        for part in parts
    ]
