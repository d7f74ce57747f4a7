"""The real Qwen: llama.cpp in this process."""

import json
import os
from collections.abc import Callable
from contextlib import aclosing
from functools import partial
from pathlib import Path

from ..paths import table
from ..watch.next_token import NextToken
from . import llama_memory, llama_request
from .engine import Events, Prefix
from .llama_chunks import Emit, Reader, Rows, unusable
from .llama_listener import Listener
from .llama_prompt import INVISIBLE, Prompts, hidden
from .llama_threads import Threads
from .rules import ChatRequest

# What the engine is told at its start.
TOLD = table(__file__)


class LlamaEngine:
    """A GGUF model in llama.cpp. Loading takes seconds and raises what the engine raises.

    What it needs on the disk while it runs lies in `place`, else among the temporary files.
    """

    at_once = False

    def __init__(self, path: Path, model: str, place: Path | None = None) -> None:
        # GNU OpenMP's threads spin while they wait for each other; beside other busy programs
        # that keeps the other threads from their core. A short spin, then sleep.
        os.environ.setdefault("GOMP_SPINCOUNT", "10000")
        import xllamacpp

        self.model, self.slots = model, TOLD["n_parallel"]
        self._threads = Threads(self.slots)
        self._listener = Listener(place)
        settings = _settings(xllamacpp.CommonParams(), path, self._listener)
        self._server = xllamacpp.Server(settings)
        self._listener.address = self._server.listening_address
        self.thinks = "<think>" in self._post("/props", None)["chat_template"]
        self._prompts = Prompts(self._post)
        self._letters = [self._prompts.tokens(letter)[0] for letter in "ab"]
        llama_memory.unmap(path)

    @property
    def stuck(self) -> bool:
        return self._threads.stuck

    def generate(self, request: ChatRequest, seed: int, alone: bool) -> Events:
        return self._threads.events(partial(self.answer, request, seed, alone))

    def answer(self, request: ChatRequest, seed: int, alone: bool, emit: Emit) -> None:
        """`generate` for a thread that may block: each event to `emit`, until it says stop."""
        reader, body = (
            Reader(emit, request.top_logprobs),
            llama_request.answer(request, seed, alone),
        )
        body["stop"] = request.stop + [self._prompts.text(tokens) for tokens in request.stop_tokens]
        asked = {name: body[name] for name in ("messages", "chat_template_kwargs")}
        handle = self._server.handle_chat_completions
        if (forged := self._prompts.forged(asked)) and request.thinking:
            # Only the engine's own chat tells thoughts from an answer, and it takes no tokens.
            body |= hidden(asked, forged, INVISIBLE)
        elif forged:
            body = llama_request.completion(body, request, self._prompts.filled(asked, forged))
            handle = self._server.handle_completions
        _read(handle, body, reader)

    async def next_token(self, messages: list[dict], prefix: Prefix, most: int) -> NextToken:
        work = partial(self._next_token, messages, prefix, most)
        async with aclosing(self._threads.events(work)) as events:
            return [event async for event in events][-1]

    def _next_token(self, messages: list[dict], prefix: Prefix, most: int, emit: Emit) -> None:
        """Emits how far the prompt is read, and then what was found."""
        asked = {"messages": messages}
        filled = self._prompts.filled(asked, self._prompts.forged(asked))
        prompt = self._prompts.tokens(filled, begins=True, steers=True)
        # An answer's tokens never melt into the prompt's, so its text is cut apart by itself.
        context = prompt + (self._prompts.tokens(prefix) if isinstance(prefix, str) else prefix)
        look = llama_request.Look(context, len(prompt), most, self._letters)
        reader = Rows(emit)
        try:
            # First the logit: the prompt is in the cache then, and what follows rounds alike.
            _read(self._server.handle_completions, look.logit(), reader)
            # Who has left meanwhile has none, and asks no further.
            known = look.read_logit(reader.rows)
            answer = self._listener.ask("/completion", look.candidates())
            emit(look.found(known, [*llama_request.candidates(answer)]))
        finally:
            llama_memory.trim()

    def _post(self, path: str, body: dict | None) -> dict:
        return json.loads(self._listener.ask(path, body))


def _read(handle: Callable, body: dict, reader: Reader) -> None:
    try:
        handle(body, reader.take)
    except ValueError as error:
        raise unusable(str(error)) from error
    if reader.error:
        raise reader.error


def _settings(settings, path: Path, listener: Listener):
    settings.model.path, settings.api_keys = str(path), [listener.key]
    settings.hostnames = [listener.host]
    for name, value in TOLD.items():
        setattr(settings, name, value)
    return settings
