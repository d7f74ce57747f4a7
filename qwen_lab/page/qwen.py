"""The real Qwen in the page: llama.cpp as WebAssembly, an `Engine` like the one elsewhere."""

import asyncio
import io
import json
from collections.abc import Awaitable, Callable
from contextlib import aclosing
from functools import partial
from pathlib import Path

from ..endpoint import llama_request
from ..endpoint.engine import Events, Prefix, events_of
from ..endpoint.llama_chunks import Emit, Reader, Rows
from ..endpoint.llama_prompt import INVISIBLE, Prompts, hidden
from ..endpoint.refusal import Refusal, invalid
from ..endpoint.rules import ChatRequest
from ..endpoint.weights import gguf, weights
from ..paths import table
from ..watch.next_token import NextToken
from ..words import say
from . import parts
from .archive import Files, unpacked
from .letters import Letters, without_parts
from .loop import outside
from .vocabulary import Vocabulary
from .weights import kept

SETTINGS = table(__file__)
# Where the site has wllama and the script that loads and asks it.
FOLDER = "static/wllama"
PARTS = {
    "wllama.js": "esm/index.min.js", "wllama.wasm": "esm/wasm/wllama.wasm", "LICENCE": "LICENCE"
}  # fmt: skip
# So many bytes of the weights' file tell of tokens and template.
HEAD = 6_000_000
# So that each chunk tells the numbers of its tokens.
NUMBERS = {"verbose": True, "return_tokens": True}
# In a grammar: any token.
ANY = "!<[151935]>"


def files() -> Files:
    """What the site brings for it but the weights: wllama, of its package the part that runs."""
    packed = dict(unpacked(parts.package("wllama").read_bytes()))
    own = {"qwen.js": Path(__file__).with_name("qwen.js").read_bytes()}
    theirs = {name: packed[f"package/{each}"] for name, each in PARTS.items()}
    return {f"{FOLDER}/{name}": content for name, content in (own | theirs).items()}


async def found(file: object, root: str) -> "PageQwen":
    """The Qwen whose weights are this `File` of JavaScript's; `root` is the site's address."""
    import js
    from pyodide.code import run_js
    from pyodide.ffi import to_js

    load = run_js("url => import(url)")
    package, script = [await load(f"{root}{FOLDER}/{name}") for name in ("wllama.js", "qwen.js")]
    head = (await file.slice(0, HEAD).arrayBuffer()).to_bytes()
    vocabulary = Vocabulary(gguf.values(io.BytesIO(head)))
    changed = to_js([to_js(without_parts(head, vocabulary)), file.slice(HEAD)])
    settings = js.JSON.parse(json.dumps(SETTINGS))
    asker = script.Qwen.new(
        package.Wllama, f"{root}{FOLDER}/wllama.wasm", js.Blob.new(changed), settings
    )
    await asker.load()
    return PageQwen(asker, vocabulary)


class PageQwen:
    """The Qwen that `asker`, in JavaScript, has loaded. One request at a time."""

    model, slots = weights.model_id(Path(weights.FILENAME)), 1
    thinks, stuck, at_once = False, False, False

    def __init__(self, asker: object, vocabulary: Vocabulary) -> None:
        self._asker, self._vocabulary = asker, vocabulary
        self._prompts = Prompts(vocabulary.post)
        self._letters = [self._prompts.tokens(letter)[0] for letter in "ab"]

    def generate(self, request: ChatRequest, seed: int, alone: bool) -> Events:
        return self._events(partial(self._answer, request, seed, alone))

    async def next_token(self, messages: list[dict], prefix: Prefix, most: int) -> NextToken:
        async with aclosing(self._events(partial(self._next, messages, prefix, most))) as events:
            return [event async for event in events][-1]

    async def _events(self, work: Callable[[Emit], Awaitable[None]]) -> Events:
        """What the work emits; who reads no further stops it within a token."""
        told: asyncio.Queue = asyncio.Queue()
        self._asker.stopping = False
        running = asyncio.ensure_future(work(told.put_nowait))
        stop = partial(setattr, self._asker, "stopping", True)
        async with aclosing(events_of(running, told, stop)) as events:
            async for event in events:
                yield event

    async def _answer(self, request: ChatRequest, seed: int, alone: bool, emit: Emit) -> None:
        # Reading is slow here, and on the processor each token's numbers come out the same bit for
        # bit, whatever is read beside it: so a seed needs no prompt that is read afresh.
        body = llama_request.answer(request, seed, alone and not self._asker.exact)
        body["stop"] = request.stop + [self._prompts.text(tokens) for tokens in request.stop_tokens]
        asked = {name: body.pop(name) for name in ("messages", "chat_template_kwargs")}
        prompt = self._prompts.filled(self._plain(asked), [])
        letters = Letters(self._vocabulary)
        put_in = partial(letters.put_in, rows=request.logprobs)
        body = llama_request.completion(body, request, prompt) | NUMBERS
        await self._read(body, Reader(emit, request.top_logprobs), put_in)

    async def _next(self, messages: list[dict], prefix: Prefix, most: int, emit: Emit) -> None:
        begun = self._prompts.tokens(prefix) if isinstance(prefix, str) else prefix
        prompt = self._prompts.filled(self._plain({"messages": messages}), [])
        before = self._prompts.tokens(prompt, steers=True)
        context = before + begun
        text, rest = self._told(prompt, before, begun)
        look = llama_request.Look(context, len(before), most, self._letters)
        rows = Rows(emit)
        await self._read(look.logit() | text, rows)
        known = look.read_logit(rows.rows[rest:])
        listing: list[str] = []
        asked = look.candidates() | text | {"stream": True}
        await self._ask(asked, partial(_keep, listing))
        likely = [
            (number, self._vocabulary.bytes(number), logprob)
            for number, _, logprob in llama_request.candidates(listing[-1].encode())
        ]
        emit(look.found(known, likely))

    def _plain(self, asked: dict) -> dict:
        """The same, with what would steer made invisibly another text: only texts are read here."""
        return hidden(asked, self._prompts.forged(asked), INVISIBLE)

    def _told(self, prompt: str, before: list[int], begun: list[int]) -> tuple[dict, int]:
        """How to tell a beginning: a text, and a grammar for so many tokens that are not its own.

        Of one text there are many tokens, and each but one of these ways is told token by token.
        """
        try:
            self._vocabulary.text(begun)
        except RuntimeError:
            raise invalid(f"'prefix' has a token that the model does not have: {begun}") from None
        for same in range(len(begun), -1, -1):
            text = prompt + self._vocabulary.text(begun[:same])
            if self._prompts.tokens(text, steers=True) == before + begun[:same]:
                break
        rest = begun[same:]
        if any("�" in self._vocabulary.text([token]) for token in rest):
            raise Refusal(say("page.qwen_part"), status=400, code="part_of_character")
        told = {"prompt": text, "n_predict": len(rest) + 1}
        if rest:
            told["grammar"] = f"root ::= {' '.join(f'<[{each}]>' for each in rest)} {ANY}"
        return told, len(rest)

    async def _read(
        self, body: dict, reader: Reader, change: Callable[[dict], dict] = lambda chunk: chunk
    ) -> None:
        """Let the reader have what the request brings, each chunk changed; raises what it finds."""

        def take(text: str, is_error: bool) -> bool:
            found = json.loads(text)
            if is_error:
                return reader.take({"error": found})
            chunks = found if isinstance(found, list) else [found]
            return any([reader.take(change(chunk)) for chunk in chunks])

        await self._ask(body, take)
        if reader.error:
            raise reader.error

    async def _ask(self, body: dict, take: Callable[[str, bool], bool]) -> None:
        from pyodide.ffi import JsException, create_proxy

        tell = create_proxy(take)
        # What it waits for comes from the page, and so does why there is no answer.
        with outside():
            try:
                await self._asker.ask(json.dumps(body, ensure_ascii=False), tell)
            except JsException as error:
                raise Refusal(await _why(error), status=400, code="gone") from error
            finally:
                tell.destroy()


async def _why(error: Exception) -> str:
    """What kept the Qwen from answering, in a sentence."""
    if "taken" in str(error):
        return say("page.qwen_moved")
    return say("page.qwen_broken") if await kept() else say("page.qwen_removed")


def _keep(listing: list[str], text: str, is_error: bool) -> bool:
    """Keep an answer that lists candidates, the last of them."""
    if llama_request.ROWS.decode() in text:
        listing[:] = [text]
    return False
