"""Practice weather: what goes wrong in the cloud goes wrong here, when a request asks for it.

    X-Lab-Latency: 0.8              the answer begins so many seconds later
    X-Lab-Fault: 429;times=2        the request fails twice, then works
    X-Lab-Fault: cut;after=5        the connection breaks after five chunks

It acts on the HTTP answer, above the engine, so that no tape records it and a tape's answers
can have it too. Faults: 401, 429, 500, timeout, content; and in mid-stream cut, malformed and
content with `after`. A failed request does not reach the model.
"""

import asyncio
import hashlib
from collections import OrderedDict
from collections.abc import AsyncIterator, Mapping
from contextlib import aclosing
from dataclasses import dataclass

from ..words import say
from . import refusal
from .refusal import Refusal

LATENCY, FAULT = "x-lab-latency", "x-lab-fault"
LONGEST = 600
REFUSALS = {
    "401": refusal.wrong_key,
    "429": refusal.too_many,
    "500": refusal.broken,
    "content": refusal.input_inspected,
}
KINDS = (*REFUSALS, "timeout", "cut", "malformed")
OPTIONS = {"times", "after"}
# Where a stream breaks that was not told where: it has begun, and is far from its end.
AFTER = 3
REMEMBERED = 1_000


class Cut(Exception):
    """The connection breaks here: the server closes it without an end."""


@dataclass(frozen=True)
class Weather:
    """What one request is to meet: seconds to wait, then a fault or none."""

    latency: float = 0
    fault: str = ""
    times: int | None = None
    after: int | None = None

    @property
    def spoils(self) -> bool:
        """Whether the fault comes once the answer runs, so that the model is asked."""
        return self.fault in ("cut", "malformed") or bool(self.fault == "content" and self.after)

    async def begin(self) -> None:
        """Wait; then raise the `Refusal` of a fault that comes before the answer."""
        await asyncio.sleep(self.latency)
        if self.fault == "timeout":
            await asyncio.sleep(LONGEST)
            raise refusal.timed_out()
        if self.fault and not self.spoils:
            raise REFUSALS[self.fault]()

    async def spoil(self, events: AsyncIterator[str], request_id: str) -> AsyncIterator[str]:
        """The stream's events up to the fault, and what the fault makes of the next one."""
        passed, after = 0, AFTER if self.after is None else self.after
        async with aclosing(events):
            async for event in events:
                if passed >= after or event == refusal.DONE:
                    break
                yield event
                passed += 1
        if self.fault == "content":
            yield refusal.output_inspected().event(request_id)
            yield refusal.DONE
        elif self.fault == "malformed":
            yield _half(event) + "\n\n"
        else:
            yield _half(event)
            raise Cut

    async def spoil_whole(self, answer: str) -> AsyncIterator[str]:
        """What the fault makes of an answer that comes in one piece."""
        yield _half(answer)
        if self.fault == "cut":
            raise Cut


def _half(text: str) -> str:
    return text[: len(text) // 2]


class Faults:
    """Reads the weather from a request's headers, and counts how often a request has failed."""

    def __init__(self) -> None:
        self._failed: OrderedDict[bytes, int] = OrderedDict()

    def weather(self, headers: Mapping[str, str], body: bytes) -> Weather:
        """The weather for this request; raises `Refusal` for headers that name none.

        With `times`, a request of the same body fails so often, works once, and then the count
        starts again.
        """
        try:
            weather = _read(headers.get(LATENCY, "0"), headers.get(FAULT, ""))
        except ValueError:
            message = say("weather.unknown", kinds=", ".join(KINDS), longest=LONGEST)
            raise Refusal(message, code="unknown_weather") from None
        if weather.times is None or self._fails(headers[FAULT].encode() + body, weather.times):
            return weather
        return Weather(weather.latency)

    def _fails(self, request: bytes, times: int) -> bool:
        key = hashlib.sha256(request).digest()
        count = self._failed.pop(key, 0)
        if count < times:
            self._failed[key] = count + 1
        while len(self._failed) > REMEMBERED:
            self._failed.popitem(last=False)
        return count < times


def _read(latency: str, fault: str) -> Weather:
    kind, *options = (part.strip() for part in fault.split(";"))
    pairs = (option.partition("=") for option in options)
    numbers = {name: int(value) for name, _, value in pairs}
    known = kind in KINDS if options else kind in ("", *KINDS)
    seconds, least = float(latency), min(numbers.values(), default=0)
    if not (known and 0 <= seconds <= LONGEST and least >= 0 and numbers.keys() <= OPTIONS):
        raise ValueError
    return Weather(seconds, kind, **numbers)
