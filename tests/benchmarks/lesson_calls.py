"""The lessons' own calls, taken from their tapes, and changed as a learner would change them.

Not a benchmark itself.
"""

import json
from copy import deepcopy
from pathlib import Path

from qwen_lab.paths import originals

SAMPLING = (
    "temperature top_p top_k repetition_penalty presence_penalty frequency_penalty max_tokens stop"
).split()


def calls(lessons: str = "*", language: str = "en") -> list[tuple[str, dict]]:
    """Path and body of each call of the lessons of these numbers, in the order of the lesson."""
    tapes = sorted((originals() / "tape" / language).glob(f"{lessons}_*.jsonl"))
    return [_call(ask) for tape in tapes for ask in _asks(tape)]


def request(seat: object, call: tuple[str, dict]) -> dict:
    """The call as this seat makes it, in the words of `server.request`."""
    path, body = call
    return {
        "url": f"{seat.base_url}/{path}",
        "headers": {"Authorization": f"Bearer {seat.token}"},
        "json": {"model": seat.model, **body},
    }


def changed(call: tuple[str, dict], by: object) -> tuple[str, dict]:
    """The call with another question."""
    path, body = deepcopy(call)
    body["messages"][-1]["content"] += f" ({by})"
    return path, body


def _asks(tape: Path) -> list[dict]:
    _, *lines = tape.read_text(encoding="utf-8").splitlines()
    return [json.loads(line)["ask"] for line in lines]


def _call(ask: dict) -> tuple[str, dict]:
    """What was asked, from what a tape says of it."""
    messages = {"messages": ask["messages"]}
    if "next_token_after" in ask:
        return "lab/next_token", messages | {"prefix": ask["next_token_after"], "tail": True}
    body = messages | {name: ask[name] for name in SAMPLING} | {"stream": True}
    body |= {"seed": ask["seed"]} if ask["alone"] else {}
    body |= {"enable_search": True} if "found" in ask else {}
    if ask["top_logprobs"] is not None:
        body |= {"logprobs": True, "top_logprobs": ask["top_logprobs"]}
    if tools := ask.get("tools"):
        body |= {"tools": tools, "tool_choice": "required" if "schema" in ask else "auto"}
    elif schema := ask.get("schema"):
        form = {"type": "json_schema", "json_schema": {"name": "answer", "schema": schema}}
        body["response_format"] = form
    return "chat/completions", body
