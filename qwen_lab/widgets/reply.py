"""One call and its answer, as it streams in: the text, how it ended, what it used, how fast."""

import json
import time
from collections.abc import Callable

import openai

from ..connection import Lab
from ..text import say

# How much of a server's words is shown: an error may be a whole page.
SHOWN = 600


class Reply:
    """An answer that arrives. `stage` is waiting, writing, and then done, stopped or failed."""

    def __init__(self) -> None:
        self.text, self.stage = "", "waiting"
        self.reason: str | None = None
        self.tokens: int | None = None
        self.error: Exception | None = None
        self.answered = False
        self._began, self._first, self._ended = time.monotonic(), None, None

    @property
    def running(self) -> bool:
        """Whether more may come."""
        return self.stage in ("waiting", "writing")

    async def read(self, lab: Lab, request: dict, changed: Callable[[], None]) -> None:
        """Make the call and read its stream, saying `changed` at each piece.

        An error ends it as "failed", with the error kept in `error` and the text so far in `text`.
        """
        try:
            async with openai.AsyncOpenAI(base_url=lab.base_url, api_key=lab.api_key) as client:
                stream = await client.chat.completions.create(
                    **request, stream=True, stream_options={"include_usage": True}
                )
                self.answered = True
                async with stream:
                    async for chunk in stream:
                        self._add(chunk)
                        changed()
            self.end("done")
        # Any error: a malformed chunk, for one, passes through the SDK as it is.
        except Exception as error:
            self.end("failed", error)

    def _add(self, chunk: openai.types.chat.ChatCompletionChunk) -> None:
        if chunk.usage:
            self.tokens = chunk.usage.completion_tokens
        for choice in chunk.choices or []:
            self.reason = choice.finish_reason or self.reason
            if choice.delta.content:
                self.text += choice.delta.content
                self.stage = "writing"
                self._first = self._first or time.monotonic()

    def end(self, stage: str, error: Exception | None = None) -> None:
        """Say how it ended, and when; the first to say so counts."""
        # Hanging up after a stop may fail, but it was stopped all the same.
        if self.running:
            self.stage, self.error, self._ended = stage, error, time.monotonic()

    @property
    def status(self) -> str:
        """In one line: what it is doing, or how it ended, in which time."""
        if self.running:
            return say(f"panel.{self.stage}")
        seconds = say("panel.seconds", seconds=self._ended - self._began)
        if self.stage == "done":
            return " · ".join([self._ending, self._count, seconds, *self._speed])
        return " · ".join([say(f"panel.{self.stage}"), seconds])

    @property
    def _ending(self) -> str:
        return f"finish_reason: {self.reason}" if self.reason else say("panel.no_reason")

    @property
    def _count(self) -> str:
        uncounted = self.tokens is None
        return say("panel.uncounted") if uncounted else f"completion_tokens: {self.tokens}"

    @property
    def _speed(self) -> list[str]:
        # The first token's time is the prompt's; only the others show how fast the model writes.
        rest = self._ended - (self._first or self._ended)
        if not self.tokens or self.tokens < 2 or not rest:
            return []
        return [say("panel.speed", speed=(self.tokens - 1) / rest)]


def code(request: dict) -> str:
    """The call as a learner writes it; values in JSON, which for these is also Python."""
    given = [
        f"    {name}={json.dumps(value, ensure_ascii=False)},"
        for name, value in request.items()
        if name != "model"
    ]
    return "\n".join(["client.chat.completions.create(", "    model=lab.model,", *given, ")"])


def explain(reply: Reply, lab: Lab) -> str:
    """Why a reply failed and what to do, in three lines; the server's own words are among them."""
    error = reply.error
    number = getattr(error, "status_code", None)
    name = getattr(error, "code", None) or type(error).__name__
    if number:
        head, advice = say("panel.refused", status=number, code=name), _advice(number, name)
    elif isinstance(error, openai.APIConnectionError) and not reply.answered:
        head, advice = say("panel.no_answer", address=lab.base_url), "panel.do_connect"
    else:
        head, advice = say("panel.broken_off", code=name), "panel.do_again"
    return "\n".join([head, _message(error), say(advice)])


def _advice(status: int, code: str) -> str:
    if code == "data_inspection_failed":
        return "panel.do_reword"
    if status in (401, 403, 404, 429):
        return f"panel.do_{status}"
    return "panel.do_again" if status >= 500 else "panel.do_change"


def _message(error: Exception) -> str:
    body = getattr(error, "body", None)
    said = body.get("message") if isinstance(body, dict) else body
    # The SDK's own sentence for a connection that failed is "Connection error."; its cause knows.
    return str(said or error.__cause__ or error)[:SHOWN]
