"""A lab whose answers are the lessons' own, by their tapes, and else the local Qwen's."""

import asyncio
import json
import threading
import time
from dataclasses import replace
from functools import cache
from unittest.mock import patch

import uvicorn

from qwen_lab.endpoint import tape_line
from qwen_lab.endpoint.app import create_app
from qwen_lab.endpoint.engine import End, Events, Piece, Prefix
from qwen_lab.endpoint.learner import alone
from qwen_lab.endpoint.llama import TOLD, LlamaEngine
from qwen_lab.endpoint.refusal import Refusal
from qwen_lab.endpoint.rules import ChatRequest
from qwen_lab.endpoint.server_file import BASE
from qwen_lab.endpoint.weights.weights import fetch, model_id
from qwen_lab.lab import Lab
from qwen_lab.paths import ROOT
from qwen_lab.watch.next_token import NextToken
from qwen_lab.words import language, say

TOKEN = "pictures"
# Seconds: how long a token takes at most, and one that is waited for; and when that comes.
LONGEST, FOREVER, PAUSE = 0.02, 100_000, 10
# So many tokens are a long answer.
MANY = 60


@cache
def qwen() -> LlamaEngine:
    path = fetch()
    # What it warns of would stand in the cell that is drawn.
    with patch.dict(TOLD, verbosity=1):
        return LlamaEngine(path, model_id(path))


class Nearest:
    """An engine that answers any request: as recorded for the same last question, else live.

    Probabilities are live, as what the sampler asks is: recorded ones were rounded otherwise.
    """

    slots, thinks, stuck, at_once = 4, False, False, False

    def __init__(self, held: int | None) -> None:
        self._held, self._begun = held, 0
        tapes = sorted((ROOT / "notebooks" / "tape" / language()).glob("*.jsonl"))
        rows = [json.loads(line) for each in tapes for line in each.read_text("utf-8").splitlines()]
        self.model = rows[0]["model"]
        self._answers = [row for row in rows if "pieces" in row]

    async def generate(self, request: ChatRequest, seed: int, alone: bool) -> Events:
        ask = tape_line.asked(request, seed, alone)["ask"]
        found = self._find(ask, request.logprobs)
        self._begun += 1
        most, count = request.sampling["max_tokens"], 0
        recorded = request.tools or not (request.logprobs or _differs(found["ask"], ask))
        events = played(found, most) if recorded else qwen().generate(request, seed, alone)
        async for event in events:
            if isinstance(event, Piece):
                # Some say only that it begins or ends.
                count += bool(event.text or event.logprobs)
                event = event if request.logprobs else Piece(event.text)
            if recorded and isinstance(event, End):
                # What was cut then may be whole now, and the other way round.
                reason = "stop" if count < most else "length"
                # The token that ends an answer is counted too.
                tokens = min(count + (reason == "stop"), most)
                event = replace(event, reason=reason, completion_tokens=tokens)
            if count == PAUSE and self._begun == self._held:
                await asyncio.sleep(FOREVER)
            if count <= most or isinstance(event, End):
                yield event

    def _find(self, ask: dict, logprobs: bool) -> dict:
        same = [row for row in self._answers if _question(row["ask"]) == _question(ask)]
        if not same:
            raise Refusal(say("page.not_recorded"), status=404, code="not_on_tape")

        def distance(row: dict) -> tuple:
            other = row["ask"]
            bare = logprobs and "logprobs" not in row
            short = len(row["pieces"]) < min(ask["max_tokens"], MANY)
            return bare, _differs(other, ask), short

        return min(same, key=distance)

    async def next_token(self, messages: list[dict], prefix: Prefix, most: int) -> NextToken:
        return await qwen().next_token(messages, prefix, most)


async def played(row: dict, most: int) -> Events:
    """As recorded; what goes beyond the most is not waited for, as nobody sees it."""
    for number, (wait, event) in enumerate(tape_line.events(row)):
        await asyncio.sleep(min(wait, LONGEST) if number <= most else 0)
        yield event


def _differs(one: dict, other: dict) -> int:
    """In how many of the settings that make a text another one."""
    names = ("tools", "temperature", "top_p", "seed")
    return sum(one.get(name) != other.get(name) for name in names)


def _question(ask: dict) -> str:
    return ask["messages"][-1]["content"]


@cache
def lab(held: int | None = None) -> Lab:
    """The lab of a learner who is connected to it; it ends with this process.

    Its `held` answer, counted from 1, stands still in its midst.
    """
    engine = Nearest(held)
    config = uvicorn.Config(create_app(engine, alone(TOKEN)), port=0, log_level="critical")
    server = uvicorn.Server(config)
    threading.Thread(target=server.run, daemon=True).start()
    while not server.started:
        time.sleep(0.01)
    port = server.servers[0].sockets[0].getsockname()[1]
    return Lab(f"http://127.0.0.1:{port}{BASE}", engine.model, "local", TOKEN)
