"""A cloud behind the endpoint: DashScope, or a gateway that a site runs, asked with one key.

Nothing goes on but chats, to the models that are listed, as a body made here of what costs no more
than was reserved for it. Its rules are the cloud's, and the bytes of its answer pass.
"""

import json
import logging
from collections.abc import AsyncGenerator
from contextlib import aclosing

import httpx2
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response

from .. import addresses, models
from ..endpoint import messages, rules, tools
from ..endpoint.app import Stream
from ..endpoint.engine import Prefix
from ..endpoint.learner import Call
from ..endpoint.refusal import Refusal, invalid
from ..endpoint.request import parse
from ..endpoint.rules import ChatRequest
from ..endpoint.turns import Turns
from ..parameters import PARAMETERS
from ..watch.next_token import NextToken
from ..words import joined, say
from .upstream import PATIENCE, no_next_token, refused

# A search has a price of its own, and neither what it finds nor a thought is bounded by a request.
DEAR = {"enable_search", "search_options", "enable_thinking", "thinking_budget"}
PASSED = {*PARAMETERS, "model", "messages"} - DEAR
COUNTED = ("n", "max_tokens", "max_completion_tokens", "stream", "stream_options")
# Bytes of a request, and so its tokens at most: no price list has a dearer step below.
LONGEST = 32_000


class Relay:
    """Answers chats by a cloud at a base URL; `slots` says how many at once."""

    thinks, stuck, at_once = False, False, False

    def __init__(self, url: str, key: str, names: list[str], slots: int = 16) -> None:
        self.model, self.names, self.slots = names[0], names, slots
        self.url, self.host = url, addresses.host(url)
        timeout = httpx2.Timeout(PATIENCE, connect=10)
        headers = {"authorization": f"Bearer {key}"}
        self._http = httpx2.AsyncClient(base_url=url, headers=headers, timeout=timeout)

    async def next_token(self, messages: list[dict], prefix: Prefix, most: int) -> NextToken:
        raise no_next_token()

    async def answered(self, request: Request, content: bytes) -> Response:
        """The cloud's answer to a chat, run up to its first bytes; raises `Refusal`."""
        state = request.app.state
        body, asked = await run_in_threadpool(self._checked, content)
        call = Call(request.state.learner.name, body["model"], request.state.id)
        answer = self._answer(state.turns, body, asked, call)
        answer = state.allowance.charged(answer, asked, call)
        first = await anext(answer)
        if asked.stream:
            return Stream(first, answer, call.id)
        await answer.aclose()
        return Response(first, media_type="application/json")

    def _checked(self, content: bytes) -> tuple[dict, ChatRequest]:
        """The body that goes on, and what it may take; raises `Refusal`."""
        given = rules.checked_body(parse(content))
        if len(content) > LONGEST:
            raise invalid(f"Range of input length should be [1, {LONGEST}]")
        model = rules.checked_model(given, self.names)
        if dear := [name for name in given.keys() - PASSED if given[name] not in (None, False)]:
            raise invalid(say("classroom.not_passed_on", names=joined(sorted(dear))))
        values = {name: rules.checked_value(PARAMETERS[name], given) for name in COUNTED}
        talk = messages.checked(given.get("messages"))
        most = min(values["max_tokens"], values["max_completion_tokens"] or values["max_tokens"])
        body = {name: given[name] for name in given.keys() & PASSED - {"max_completion_tokens"}}
        # As text alone: a part may be a picture, or ask for a cache that costs.
        texts = [{**each, "content": messages.text(each)} for each in talk]
        # Tools of other kinds than functions run in the cloud; a file of the account's may be long.
        tools.checked(rules.checked_value(PARAMETERS["tools"], given))
        if any("fileid://" in each["content"] for each in texts):
            raise invalid(say("classroom.not_passed_on", names="fileid://"))
        body |= {"messages": texts, "max_tokens": most}
        if values["stream"]:
            body["stream_options"] = {"include_usage": True}
        if models.thinking(model):
            body["enable_thinking"] = False
        wanted = (values["stream_options"] or {}).get("include_usage") is True
        told = {"n": values["n"], "stream": values["stream"], "include_usage": wanted}
        return body, ChatRequest(talk, [body], {"max_tokens": most}, **told)

    async def _answer(
        self, turns: Turns, body: dict, asked: ChatRequest, call: Call
    ) -> AsyncGenerator[bytes, None]:
        """The bytes of the answer, whole or event by event."""
        async with turns.taken(False, call.who) as use, refused():
            # From here on it may cost something.
            call.prompt = None
            async with self._http.stream("POST", "chat/completions", json=body) as answer:
                if answer.status_code != 200:
                    raise _refusal(answer.status_code, await answer.aread())
                async with aclosing(_events(answer) if asked.stream else _whole(answer)) as parts:
                    async for part, said in parts:
                        if usage := said.get("usage"):
                            call.prompt = int(usage["prompt_tokens"])
                            call.completion = int(usage["completion_tokens"])
                        if said.get("choices") != [] or asked.include_usage:
                            use(1)
                            yield part
                use((call.prompt or 0) + (0 if asked.stream else call.completion))


async def _whole(answer: httpx2.Response) -> AsyncGenerator[tuple[bytes, dict], None]:
    content = await answer.aread()
    yield content, json.loads(content)


async def _events(answer: httpx2.Response) -> AsyncGenerator[tuple[bytes, dict], None]:
    """Each event and what it says; raises `Refusal` where they break off."""
    rest = b""
    async for part in answer.aiter_bytes():
        *lines, rest = (rest + part).split(b"\n")
        for line in lines:
            _, is_data, data = line.strip().partition(b"data:")
            if data.strip() == b"[DONE]":
                return
            if is_data:
                yield b"data:" + data + b"\n\n", json.loads(data)
    raise Refusal.named("broken")


class Passed(Refusal):
    """The cloud's own refusal, as it came."""

    def __init__(self, status: int, said: dict) -> None:
        super().__init__("", status=status)
        self.said = said

    def body(self, request_id: str) -> dict:
        return self.said


def _refusal(status: int, content: bytes) -> Refusal:
    if status in (401, 403):
        # Its words may repeat the key, or tell of the account.
        logging.warning("the cloud refuses the key: %s", status)
        return Refusal(say("classroom.key_refused"), status=403, code="key_refused")
    # A stream is refused as an event, or as JSON.
    said = json.loads(content.removeprefix(b"data:"))
    return Passed(status, said) if status >= 400 and said["error"] else Refusal.named("broken")
