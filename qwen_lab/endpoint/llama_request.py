"""What llama.cpp is asked, in its own words, and what it answers about one token.

The same for llama.cpp in this process, for one in a page, and for another's llama-server.
"""

import json
import math
from collections.abc import Iterator
from dataclasses import dataclass

from ..parameters import limit
from ..paths import table
from ..watch.next_token import NextToken, listed
from .rules import ChatRequest

# What it is told with each request of a kind.
TOLD = table(__file__)
# DashScope names no upper bound; beyond this nothing changes but the arithmetic, which overflows.
LARGEST_PENALTY = 1e6
# Above all logits that a model gives, and yet so near that 32 bits hold the probabilities.
KNOWN_LOGIT = 40
# Where an answer of the engine begins to list candidates, and what divides them.
ROWS = b'"top_logprobs":['
ROW = b',{"id":'
CHUNK = 50_000
DECODER = json.JSONDecoder()


def answer(request: ChatRequest, seed: int, alone: bool) -> dict:
    """The request in llama.cpp's words, with what DashScope does not have switched off."""
    sampling = dict(request.sampling)
    sampling["top_k"] = limit(sampling["top_k"])
    sampling["repeat_penalty"] = min(sampling.pop("repetition_penalty"), LARGEST_PENALTY)
    if request.logprobs:
        # With none to list, the engine would not give those of the tokens themselves either.
        sampling |= {"logprobs": True, "top_logprobs": request.top_logprobs or 1}
    return {
        **TOLD["answer"],
        **sampling,
        **_form(request),
        "messages": request.prompt,
        "seed": seed,
        "cache_prompt": not alone,
    }


def _form(request: ChatRequest) -> dict:
    """What the prompt's template and the answer's grammar are told."""
    told: dict = {"enable_thinking": request.thinking}
    if request.tools:
        # For the template alone: with tools of its own the engine gives no logprobs in a stream.
        told["tools"] = request.tools
    form: dict = {"chat_template_kwargs": told}
    if request.thinking_budget:
        form["thinking_budget_tokens"] = request.thinking_budget
    return form | request.response_format


def completion(body: dict, request: ChatRequest, prompt: str | list) -> dict:
    """The same for a prompt whose template is filled in already: no chat, but its completion."""
    told = {"prompt": prompt, "n_probs": body.get("top_logprobs", 0)}
    return body | told | ({"json_schema": request.schema} if request.schema else {})


@dataclass(frozen=True)
class Look:
    """A look at the next token: what is asked for it, and what comes of the answers.

    `letters` are two tokens of whole characters. One is for the engine to pick, by a bias: when it
    picks a part of a character, it lists no probabilities. Those listed are from before the bias.
    """

    context: list[int]
    prompt_tokens: int
    most: int
    letters: list[int]

    @property
    def picked(self) -> int:
        return next(token for token in self.letters if token != self.context[-1])

    def candidates(self) -> dict:
        """What asks for the likeliest tokens after the context."""
        # At least two: one of them is the token whose logit `logit` tells.
        return TOLD["next_token"] | {
            "prompt": self.context,
            "n_probs": max(self.most, 2),
            "logit_bias": [[self.picked, 200]],
        }

    def logit(self) -> dict:
        """What asks llama.cpp for a likely next token's logit.

        The engine tells probabilities alone, in which a number added to all logits does not show.
        So the last token of the context is given a known logit to compare with: lifted above zero,
        a huge repetition penalty brings it to zero, and a presence penalty to its place.
        """
        return TOLD["logit"] | {
            "prompt": self.context,
            "logit_bias": [[self.context[-1], 200], [self.picked, 2 * KNOWN_LOGIT]],
            "presence_penalty": -KNOWN_LOGIT,
        }

    def read_logit(self, rows: list[dict]) -> tuple[int, float]:
        """A likely next token and its logit, by the answer to `logit`; without one, an error."""
        [answer] = rows
        found = {row["id"]: row["prob"] for row in answer["top_probs"]}
        known, _ = found.pop(self.context[-1]), found.pop(self.picked)
        [(token, probability)] = found.items()
        return token, KNOWN_LOGIT + math.log(probability / known)

    def found(self, known: tuple[int, float], likely: list[tuple[int, bytes, float]]) -> NextToken:
        """What there is to tell, by the token whose logit is known, and the candidates."""
        token, logit = known
        logprob = next(logprob for number, _, logprob in likely if number == token)
        return listed(likely[: self.most], self.context, self.prompt_tokens, logit - logprob)


def candidates(answer: bytes) -> Iterator[tuple[int, bytes, float]]:
    """The candidates (number, bytes, logarithm of the probability) in the engine's answer.

    It has up to 14 MB and is parsed a little at a time: one parse of the whole would hold the
    interpreter, and with it the event loop, for most of a second.
    """
    at = answer.index(ROWS) + len(ROWS)
    while at:
        end = answer.find(ROW, at + CHUNK)
        rows = answer[at:end] if end > 0 else answer[at:]
        # What follows the last row is not read.
        for row in DECODER.raw_decode(f"[{rows.decode()}]")[0]:
            yield row["id"], bytes(row["bytes"]), row["logprob"]
        at = end + 1
