"""What each learner may use, and the class: refused in DashScope's words when it is used up."""

import json
import logging
from collections import defaultdict, deque
from collections.abc import AsyncGenerator, Callable, Coroutine, Iterable
from contextlib import aclosing
from dataclasses import dataclass
from math import ceil
from time import monotonic

from ..endpoint import learner
from ..endpoint.engine import Prefix
from ..endpoint.learner import Call
from ..endpoint.refusal import NAMED, Refusal
from ..endpoint.rules import ChatRequest
from ..models import Price
from ..parameters import MAX_INPUT
from ..watch.next_token import NextToken
from ..words import LabError, say
from .ledger import Ledger

MINUTE = 60


@dataclass(frozen=True)
class Limits:
    """Tokens a minute, tokens and CNY in all for each learner; CNY in all for the class.

    None is no limit; `LabError` for a number that is not above 0.
    """

    per_minute: int | None = None
    tokens: int | None = None
    cny: float | None = None
    class_cny: float | None = None

    def __post_init__(self) -> None:
        for value in vars(self).values():
            if value is not None and not value > 0:
                raise LabError("classroom.no_limit", value=value)


class Allowance(learner.Allowance):
    """Lets a call through where there is room for the most that it can take.

    `prices` are those of the models; another one costs nothing. `longest` has the tokens of the
    longest prompt that they read.
    """

    def __init__(
        self,
        ledger: Ledger,
        limits: Limits,
        prices: Iterable[Price] = (),
        longest: int = MAX_INPUT,
    ) -> None:
        self._ledger, self._limits, self._longest = ledger, limits, longest
        self._prices = {price.model: price for price in prices}
        # When each learner's calls of the last minute began, and the tokens of each.
        self._lately: defaultdict[str, deque[list[float]]] = defaultdict(deque)

    def left(self, who: str) -> int | None:
        limits, ledger = self._limits, self._ledger
        left = [] if limits.tokens is None else [limits.tokens - ledger.tokens[who]]
        # As many as there is money for, were all of them of the dearest kind.
        dearest = max((max(each.input, each.output) for each in self._prices.values()), default=0)
        for most, spent in self._spent(who):
            left += [int((most * 1e6 - spent) / dearest)] if most is not None and dearest else []
        return max(0, min(left)) if left else None

    def _spent(self, who: str) -> list[tuple[float | None, int]]:
        """The limits in CNY, each with the millionths that are spent of it."""
        cost = self._ledger.cost
        return [(self._limits.cny, cost[who]), (self._limits.class_cny, cost.total())]

    async def charged(
        self, chunks: AsyncGenerator, request: ChatRequest, call: Call
    ) -> AsyncGenerator:
        """The chunks of an answer, for its learner to pay; raises `Refusal` where there is no room.

        What is refused before it began costs nothing, and what is left midway what it took. Where
        nobody knows that, it costs the most that it could have been.
        """
        most = self._most(request)
        settle = self._reserve(call, *most)
        try:
            async with aclosing(chunks):
                try:
                    if (first := await anext(chunks, None)) is None:
                        raise Refusal.named("broken")
                except Refusal as refusal:
                    # An answer that was not waited for may have been made all the same.
                    if refusal.code != "RequestTimeOut":
                        call.prompt, call.completion = 0, 0
                    raise
                yield first
                async for chunk in chunks:
                    yield chunk
        finally:
            settle(*(most if call.prompt is None else (call.prompt, call.completion)))

    async def looked(
        self, look: Coroutine, messages: list[dict], prefix: Prefix, call: Call
    ) -> NextToken:
        """What a look at the next token finds: paid is what is read, and one token."""
        most = min(_bytes([messages, prefix]), 2 * MAX_INPUT)
        try:
            settle, read = self._reserve(call, most, 1), most
        except Refusal:
            look.close()
            raise
        try:
            found = await look
            read = found.prompt_tokens
            return found
        except Refusal:
            read = 0
            raise
        finally:
            settle(read, 1)

    def _reserve(self, call: Call, prompt: int, completion: int) -> Callable[[int, int], None]:
        """Count a call at its most; gives the function that settles it."""
        who, price = call.who, self._prices.get(call.model)
        tokens, cost = prompt + completion, _cost(price, prompt, completion)
        self._need_room(who, tokens, cost)
        try:
            number = self._ledger.reserve(who, tokens, cost)
        except OSError as error:
            logging.error("the ledger cannot be written: %s", error)
            raise Refusal.named("broken") from None
        lately = [monotonic(), tokens]
        self._lately[who].append(lately)

        def settle(prompt: int, completion: int) -> None:
            lately[1] = prompt + completion
            try:
                cost = _cost(price, prompt, completion)
                self._ledger.settle(number, prompt + completion, cost)
            except OSError as error:
                logging.error("a call stays counted at its most: %s", error)

        return settle

    def _need_room(self, who: str, tokens: int, cost: int) -> None:
        limits = self._limits
        full = limits.tokens is not None and self._ledger.tokens[who] + tokens > limits.tokens
        paid = ((most, spent + cost) for most, spent in self._spent(who) if most is not None)
        if full or any(spent > most * 1e6 for most, spent in paid):
            raise _refused("no_budget", say("classroom.no_room", left=self.left(who), most=tokens))
        if limits.per_minute is not None and (wait := ceil(self._wait(who, tokens))):
            refusal = _refused("too_many_tokens", say("classroom.wait", seconds=wait))
            refusal.headers = {"retry-after": str(wait)}
            raise refusal

    def _most(self, request: ChatRequest) -> tuple[int, int]:
        """The tokens that a call can take at most, in and out: no byte is more than one."""
        prompt = _bytes([request.prompt, request.tools])
        completion = request.sampling["max_tokens"] + (request.thinking_budget or 0)
        return min(prompt, self._longest), request.n * completion

    def _wait(self, who: str, tokens: int) -> float:
        """Seconds until so many tokens may have room in the learner's minute; 0 for now."""
        lately, now = self._lately[who], monotonic()
        while lately and lately[0][0] < now - MINUTE:
            lately.popleft()
        # One call larger than a minute's tokens is let through alone.
        taken = sum(each[1] for each in lately)
        full = taken and taken + tokens > self._limits.per_minute
        return MINUTE - (now - lately[0][0]) if full else 0


def _refused(name: str, more: str) -> Refusal:
    """In DashScope's words, and then in the class's own."""
    return Refusal(**(NAMED[name] | {"message": NAMED[name]["message"] + more}))


def _cost(price: Price | None, prompt: int, completion: int) -> int:
    """In millionths of a CNY, never less than it is."""
    return ceil(price.of(prompt, completion) * 1e6) if price else 0


def _bytes(asked: list) -> int:
    return len(json.dumps(asked, ensure_ascii=False).encode(errors="replace"))
