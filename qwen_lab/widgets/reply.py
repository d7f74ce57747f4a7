"""One call and its answer, as it comes in: the text, how it ended, what it used, how fast."""

import time
from collections.abc import Callable

import openai
from openai.types import CompletionUsage
from openai.types.chat import ChatCompletion, ChatCompletionChunk, ChatCompletionMessage
from openai.types.chat.chat_completion_chunk import ChoiceDelta

from .. import addresses, network
from ..lab import Lab
from ..views.html import clean
from ..views.wire import Wire
from ..watch import typed
from ..watch.stream import pace
from ..words import need_type, say, within
from . import style

# How much of a server's words is shown: an error may be a whole page.
SHOWN = 600
# Between the answers of one call that asked for several.
BETWEEN = "\n\n———\n\n"
# The code of what a tape does not have.
UNRECORDED = "not_on_tape"


class Reply:
    """An answer that arrives. `stage` is waiting, thinking, writing, then done, stopped or failed.

    It is stopped_early before any text came, and unsent when nothing was asked.
    `wire` is the record of a stream, `completion` the answer of a call that asked for none;
    `thought` is what a model that thinks said to itself.
    """

    def __init__(self) -> None:
        self.stage = "waiting"
        self.wire: Wire | None = None
        self.completion: ChatCompletion | None = None
        self.reason: str | None = None
        self.usage: CompletionUsage | None = None
        self._texts: dict[int, str] = {}
        self.thought = ""
        self.error: Exception | None = None
        self._began = time.monotonic()
        self._ended: float | None = None

    @property
    def running(self) -> bool:
        """Whether more may come."""
        return self.stage in ("waiting", "thinking", "writing")

    async def read(self, lab: Lab, request: dict, changed: Callable[[], None]) -> None:
        """Make the call and read its answer, saying `changed` at each piece.

        It streams unless the request says otherwise. An error ends it as "failed", with the error
        kept in `error` and the text so far in `text`.
        """
        try:
            async with openai.AsyncOpenAI(base_url=lab.base_url, api_key=lab.api_key) as client:
                if request.get("stream", True):
                    await self._read_stream(client, request, changed)
                else:
                    answer = await client.chat.completions.create(**request)
                    part, self.completion = typed.completion(answer), answer
                    self._add(part)
            self.end("done")
        # Any error: a malformed chunk, for one, passes through the SDK as it is.
        except Exception as error:
            self.end("failed", error)
        finally:
            # A call that has not ended by now was cancelled.
            self.end("stopped")

    async def _read_stream(
        self, client: openai.AsyncOpenAI, request: dict, changed: Callable[[], None]
    ) -> None:
        streamed = {"stream": True, "stream_options": {"include_usage": True}}
        self.wire = Wire(await client.chat.completions.create(**request | streamed))
        async with self.wire:
            async for _ in self.wire:
                if self.wire.part:
                    self._add(self.wire.part)
                    changed()
        self.wire.need_chunk()

    def _add(self, part: ChatCompletionChunk | ChatCompletion) -> None:
        self.usage = part.usage or self.usage
        for choice in part.choices:
            self.reason = choice.finish_reason or self.reason
            self._hear(choice.message if self.completion else choice.delta, choice.index)

    def _hear(self, said: ChoiceDelta | ChatCompletionMessage, index: int) -> None:
        # DashScope's field; the SDK keeps it without knowing it.
        if thought := getattr(said, "reasoning_content", None):
            self.thought += thought
            self.stage = "thinking"
        if said.content:
            self._texts[index] = self._texts.get(index, "") + said.content
            self.stage = "writing"

    @property
    def answer(self) -> object:
        """What the SDK gave, for the views: the completion or the chunks; None for nothing."""
        return self.completion or (self.wire and self.wire.chunks) or None

    @property
    def text(self) -> str:
        """The answer's text so far; several answers stand below each other."""
        return BETWEEN.join(text for _, text in sorted(self._texts.items()))

    @property
    def error_code(self) -> str:
        """The service's name for the error, else the SDK's; "" where there is none."""
        return _code(self.error) if self.error else ""

    @property
    def tokens(self) -> int | None:
        """The tokens of the answer, as far as the service counted them."""
        return self.usage.completion_tokens if self.usage else None

    @property
    def seconds(self) -> float:
        """How long it took, or has taken so far."""
        return (self._ended or time.monotonic()) - self._began

    @property
    def unrecorded(self) -> bool:
        """Whether a tape was asked for what it does not have."""
        return self.error_code == UNRECORDED

    def trouble(self, lab: Lab) -> str:
        """The block that explains why it failed; "" where it did not."""
        return trouble(self.error, lab, begun=bool(self.wire or self.completion))

    @property
    def speed(self) -> float | None:
        """Tokens a second after the first, whose time is the prompt's; None where unknown."""
        streamed = self.wire and not self.wire.at_once
        return pace(self.wire.events) if streamed else None

    def end(self, stage: str, error: Exception | None = None) -> None:
        """Say how it ended, and when; the first to say so counts."""
        # Hanging up after a stop may fail, but it was stopped all the same.
        if self.running:
            early = stage == "stopped" and not (self.thought or self._texts)
            self.stage = "stopped_early" if early else stage
            self.error = error
            self._ended = time.monotonic()

    @property
    def status(self) -> str:
        """In one line: what it is doing, or how it ended, in which time."""
        if self.running:
            return say(f"panel.{self.stage}", count=len(self.thought))
        if self.unrecorded:
            return ""
        seconds = say("panel.seconds", seconds=self.seconds)
        if self.stage != "done":
            return " · ".join([say(f"panel.{self.stage}"), seconds])
        ending = f"finish_reason: {self.reason}" if self.reason else say("panel.no_reason")
        uncounted = self.tokens is None
        count = say("panel.uncounted") if uncounted else f"completion_tokens: {self.tokens}"
        speed = [say("panel.speed", speed=self.speed)] if self.speed else []
        return " · ".join([ending, count, seconds, *speed])


def explain(error: Exception, lab: Lab, *, begun: bool = False) -> str:
    """Why a call failed and what to do, in lines; the server's own words are among them.

    `begun`: its answer had. Of what a tape does not have, the endpoint says all there is to say.
    """
    said, code = _message(error, lab), _code(error)
    if code == UNRECORDED:
        return said
    told = {"reason": within(said), "code": code}
    if status := getattr(error, "status_code", None):
        lines = [say("panel.refused", status=status, code=code), said]
        advice = _advice(status, code, lab)
    elif isinstance(error, openai.APIConnectionError) and not begun:
        lines = [say("panel.no_answer", address=addresses.shown(lab.base_url), **told)]
        advice = "panel.do_connect"
    else:
        lines, advice = [say("panel.broken_off", **told)], "panel.do_again"
    return "\n".join([*lines, say(advice, host=addresses.host(lab.base_url))])


def trouble(error: Exception | None, lab: Lab, *, begun: bool = False, before: str = "") -> str:
    """The block that explains why a call failed, after a sentence `before` it; "" for no error.

    That a tape does not have something is no fault.
    """
    if not error:
        return ""
    if _code(error) == UNRECORDED:
        return style.box("unrecorded", explain(error, lab))
    return style.box("failed", "\n".join(filter(None, [before, explain(error, lab, begun=begun)])))


def _code(error: Exception) -> str:
    """The service's name for the error, else the SDK's."""
    return str(getattr(error, "code", None) or type(error).__name__)


def _advice(status: int, code: str, lab: Lab) -> str:
    if code == "data_inspection_failed":
        return "panel.do_reword"
    if status == 401 and lab.kind == "dashscope":
        return "panel.do_region"
    if status in (401, 403, 404, 429):
        return f"panel.do_{status}"
    return "panel.do_again" if status >= 500 else "panel.do_change"


def _message(error: Exception, lab: Lab) -> str:
    body = getattr(error, "body", None)
    said = body.get("message") if isinstance(body, dict) else body
    # The SDK's own sentence for a connection that failed is "Connection error."; its cause knows.
    cause = error.__cause__ and network.why(error, lab.base_url)
    return str(said or cause or error)[:SHOWN]


def conversation(prompt: str | list[dict]) -> list[dict]:
    """The messages to send: a text is one of the user; messages are taken as they are."""
    need_type("panel.no_prompt", prompt, (str, list))
    return [{"role": "user", "content": clean(prompt)}] if isinstance(prompt, str) else prompt
