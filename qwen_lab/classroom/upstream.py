"""Another server's model behind the lab's rules: vLLM, SGLang, Ollama, llama-server, LM Studio."""

import json
import logging
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager

import httpx2
import openai
from openai.types.chat import ChatCompletionChunk
from starlette.concurrency import run_in_threadpool

from .. import addresses
from ..endpoint import llama_request
from ..endpoint.engine import End, Event, Events, Piece, Prefix, Prompt, Thought
from ..endpoint.refusal import Refusal, invalid
from ..endpoint.rules import ChatRequest
from ..parameters import limit
from ..watch.next_token import NextToken
from ..words import say

# Seconds without a word from the server.
PATIENCE = 60
# What comes of reading an answer that is none.
ODD = (LookupError, ValueError, TypeError, AttributeError)


class Upstream:
    """An engine that asks an OpenAI-compatible server; `slots` says how many calls at once.

    What the server leaves out of account of a request, the answer does, too. Of a next token
    llama-server alone tells all that the lab asks.
    """

    thinks, stuck, at_once = False, False, False

    def __init__(self, url: str, key: str, model: str, slots: int = 16) -> None:
        self.model, self.names, self.slots = model, [model], slots
        self.url, self.host = url, addresses.host(url)
        self._root = url.rstrip("/").removesuffix("/v1")
        timeout = httpx2.Timeout(PATIENCE, connect=10)
        self._client = openai.AsyncOpenAI(base_url=url, api_key=key, max_retries=0, timeout=timeout)

    async def generate(self, request: ChatRequest, seed: int, alone: bool) -> Events:
        reader = _Reader()
        # Its tokens are known at the end; that it is on its way is all there is to say.
        yield Prompt(0)
        async with refused(), await self._create(request, seed) as chunks:
            async for chunk in chunks:
                for event in reader.take(chunk):
                    yield event
        for event in reader.end():
            yield event

    async def next_token(self, messages: list[dict], prefix: Prefix, most: int) -> NextToken:
        async with refused():
            try:
                filled = await self._post("/apply-template", messages=messages)
                steers = {"add_special": True, "parse_special": True}
                prompt = await self._tokens(filled["prompt"], **steers)
            except (openai.NotFoundError, *ODD) as error:
                raise no_next_token() from error
            begun = await self._tokens(prefix) if isinstance(prefix, str) else prefix
            context = prompt + begun
            # A part of a character comes without its probabilities, so a letter is picked.
            letters = [(await self._tokens(letter))[0] for letter in "ab"]
            look = llama_request.Look(context, len(prompt), most, letters)
            asked = look.logit() | {"stream": False}
            rows = (await self._post("/v1/completions", **asked))["choices"][0]["logprobs"]
            known = look.read_logit(rows["content"])
            asked = {"prompt": context, "max_tokens": 1, "logprobs": max(most, 2)}
            asked["logit_bias"] = [[look.picked, 200]]
            answer = await self._post("/v1/completions", httpx2.Response, **asked)
            # The whole vocabulary takes a second to read.
            found = await run_in_threadpool(lambda: [*llama_request.candidates(answer.content)])
            return look.found(known, found)

    async def _tokens(self, text: str, **how: bool) -> list[int]:
        return (await self._post("/tokenize", content=text, **how))["tokens"]

    async def _post(self, path: str, kind: type = object, **body: object) -> object:
        """What llama-server answers, below whose root the base URL lies."""
        return await self._client.post(self._root + path, body=body, cast_to=kind)

    async def _create(self, request: ChatRequest, seed: int) -> openai.AsyncStream:
        sampling = dict(request.sampling)
        # These are no parameters of OpenAI's; who does not know them leaves them out of account.
        own = {"top_k": limit(sampling.pop("top_k"))}
        own["repetition_penalty"] = sampling.pop("repetition_penalty")
        return await self._client.chat.completions.create(
            model=self.model,
            messages=request.prompt,
            seed=seed,
            stop=request.stop or openai.omit,
            stream=True,
            stream_options={"include_usage": True},
            extra_body=own,
            **sampling,
            **_form(request),
        )


def no_next_token() -> Refusal:
    """That a server tells no probabilities of a next token."""
    return Refusal(say("classroom.no_next_token"), status=404, code="no_next_token")


def _form(request: ChatRequest) -> dict:
    """What the answer is to look like."""
    form: dict = {}
    if request.logprobs:
        form = {"logprobs": True, "top_logprobs": request.top_logprobs}
    if request.tools:
        # With a schema one of them must be called.
        return form | {
            "tools": request.tools,
            "tool_choice": "required" if request.schema else "auto",
        }
    return form | request.response_format


class _Reader:
    """Turns chunks into events; of tool calls it makes the text that the endpoint reads."""

    def __init__(self) -> None:
        self._reason = None
        self._usage = (0, 0, 0)
        self._pieces = 0
        self._calls: dict[int, dict[str, str]] = {}

    def take(self, chunk: ChatCompletionChunk) -> Iterator[Event]:
        if chunk.usage:
            details = chunk.usage.prompt_tokens_details
            cached = (details.cached_tokens if details else 0) or 0
            self._usage = chunk.usage.prompt_tokens, chunk.usage.completion_tokens, cached
        for choice in chunk.choices or []:
            self._reason = choice.finish_reason or self._reason
            delta = choice.delta
            for call in delta.tool_calls or []:
                kept = self._calls.setdefault(call.index, {"name": "", "arguments": ""})
                for name in kept:
                    kept[name] += getattr(call.function, name, None) or ""
            if thought := getattr(delta, "reasoning_content", None):
                yield Thought(thought)
            rows = choice.logprobs.content if choice.logprobs else None
            if delta.content or rows:
                self._pieces += 1
                yield Piece(delta.content or "", rows and [row.model_dump() for row in rows])

    def end(self) -> Iterator[Event]:
        """What is left to tell; raises `Refusal` where the answer broke off."""
        if not self._reason:
            raise Refusal.named("broken")
        for call in self._calls.values():
            arguments = call["arguments"] or "{}"
            yield Piece(f'{{"name": {json.dumps(call["name"])}, "arguments": {arguments}}}\n')
        prompt, completion, cached = self._usage
        reason = "length" if self._reason == "length" else "stop"
        yield End(reason, prompt, completion or self._pieces, cached)


@asynccontextmanager
async def refused() -> AsyncIterator[None]:
    """Make of the server's failures what DashScope would say; its own words go nowhere.

    What it holds to be wrong in the request is told: the rules here do not know its limits.
    """
    try:
        yield
    except openai.BadRequestError as error:
        raise invalid(_said(error)) from error
    except openai.RateLimitError as error:
        raise Refusal.named("too_many") from error
    except (openai.APITimeoutError, httpx2.TimeoutException) as error:
        raise Refusal.named("timed_out") from error
    except (openai.APIError, httpx2.HTTPError, *ODD) as error:
        # Its words may repeat the key.
        status = getattr(error, "status_code", "no answer")
        logging.warning("the server upstream failed: %s, %s", type(error).__name__, status)
        raise Refusal.named("broken") from error


def _said(error: openai.BadRequestError) -> str:
    body = error.body if isinstance(error.body, dict) else {}
    return str(body.get("message") or "the request was refused")[:300]
