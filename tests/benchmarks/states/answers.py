"""What the lab's views show of answers, errors, requests and streams."""

from hashlib import md5
from unittest.mock import patch

import httpx2
import openai
from openai import OpenAI
from openai.types.chat import ChatCompletion, ChatCompletionChunk

import qwen_lab
from qwen_lab import connection
from qwen_lab.views.wire import wire
from qwen_lab.watch.stream import Line

from . import pick, recorded, state, unfold
from .tape import lab

AUTUMN = "Write a short poem about autumn", "写一首关于秋天的短诗"
CAPITAL = "What is the capital of France?", "法国的首都是哪里？"
SEA = "Write one line of a poem about the sea.", "写一句关于大海的诗。"
SKY = (
    "In one sentence: why is the sky blue, and why is it red at sunset?",
    "请用一句话说明，为什么天空是蓝色的，而日落时却是红色的？",
)
WEATHER = "What is the weather in Hangzhou now?", "杭州现在天气怎么样？"
LIKELY = {"logprobs": True, "top_logprobs": 5}


def asked(question: tuple[str, str], **options: object) -> dict:
    messages = [{"role": "user", "content": pick(*question)}]
    return {"model": lab().model, "messages": messages, **options}


def answer(question: tuple[str, str], **options: object) -> object:
    client = OpenAI(base_url=lab().base_url, api_key=lab().api_key, max_retries=0)
    return client.chat.completions.create(**asked(question, **options))


def pointed(selector: str, number: int) -> object:
    """What focuses one of the elements that match, as the Tab key does."""
    return lambda shown: shown.locator(selector).nth(number).focus()


@state()
def connect_line():
    """The line that connect() prints: which Qwen answers, where, and what it costs."""
    with patch.object(connection, "chosen", lambda *_: lab()):
        qwen_lab.connect("local")


@state()
def connect_dashscope():
    """What connect() prints with a key: the model, the address and the list price in CNY."""
    with patch.dict("os.environ", {"DASHSCOPE_API_KEY": f"sk-{md5(b'none').hexdigest()}"}):
        qwen_lab.connect("dashscope")


@state()
def error_unknown_endpoint():
    """One red sentence, without a traceback: no such endpoint, and what there is."""
    qwen_lab.connect("nowhere")


@state()
def anatomy_answer():
    """An answer as a tree of fields with values and meanings, the important ones open."""
    return qwen_lab.anatomy(answer(CAPITAL))


@state(unfold)
def anatomy_opened():
    """The same answer with all that was folded open, the tokens' probabilities too."""
    return qwen_lab.anatomy(answer(CAPITAL, **LIKELY))


@state()
def anatomy_thinking():
    """An answer of a cloud model that thought: reasoning_content, and what it is."""
    return qwen_lab.anatomy(ChatCompletion.model_validate(recorded.THOUGHT))


@state()
def anatomy_stream():
    """A stream's chunks put together; each part names the chunks that it came from."""
    return qwen_lab.anatomy([*map(ChatCompletionChunk.model_validate, recorded.CHUNKS)])


@state()
def anatomy_tools():
    """A streamed call of a tool: its name, its arguments put together, and that it has ended."""
    return qwen_lab.anatomy([*map(ChatCompletionChunk.model_validate, recorded.tool_chunks())])


@state()
def anatomy_error():
    """An error: its class, status, code and message, and what each of them means."""
    try:
        answer(CAPITAL, temperature=5)
    except openai.BadRequestError as error:
        return qwen_lab.anatomy(error)


@state()
def anatomy_request():
    """A request: each parameter with its meaning and its range."""
    return qwen_lab.anatomy(asked(CAPITAL, temperature=0.3, extra_body={"top_k": 5}, max_tokens=9))


@state()
def anatomy_two():
    """Two answers compared field by field: what differs is marked, both values are explained."""
    return qwen_lab.anatomy(answer(CAPITAL), answer(AUTUMN, max_tokens=12))


@state()
def xray_closed():
    """A poem, each token coloured by its probability; the least expected one is open below."""
    return qwen_lab.xray(answer(AUTUMN, temperature=1, seed=7, max_tokens=60, **LIKELY))


@state(pointed(".qwen-xray-text > [tabindex]", 4))
def xray_token():
    """The poem with its fifth token in focus: bars of what else might have come."""
    return xray_closed()


@state(unfold)
def xray_opened():
    """The poem with its table of all tokens open."""
    return qwen_lab.xray(answer(SEA, seed=7, max_tokens=24, **LIKELY))


@state()
def xray_none():
    """An answer without probabilities: how to ask for them."""
    return qwen_lab.xray(answer(CAPITAL))


def lines(chunks: list[dict]) -> list[Line]:
    """The chunks as they might have come, one each tenth of a second."""
    models = [*map(ChatCompletionChunk.model_validate, chunks)]
    found = [
        Line(f"data: {chunk.model_dump_json(exclude_unset=True)}", 0.3 + 0.1 * at, chunk)
        for at, chunk in enumerate(models)
    ]
    return [*found, Line("data: [DONE]", 0.35 + 0.1 * len(found))]


@state()
def wire_text():
    """A stream of text, line by line on an axis of time; its traps below."""
    return wire(lines(recorded.CHUNKS), "done")


@state(unfold)
def wire_opened():
    """The same stream, and open below it the raw text as it came."""
    return wire(lines(recorded.CHUNKS), "done")


@state(pointed(".qwen-wire [tabindex]", 5))
def wire_long():
    """A long stream, its middle folded; a line in focus shows its JSON and the text so far."""
    stream = qwen_lab.wire(answer(AUTUMN, seed=7, max_tokens=40, stream=True))
    for _ in stream:
        pass
    return stream


@state()
def wire_tools():
    """A stream that calls a tool: the arguments come in pieces under an empty id."""
    return wire(lines(recorded.tool_chunks()), "done")


@state()
def wire_failed():
    """A stream that broke off: what came, and a failure that says why and what to do."""
    error = httpx2.RemoteProtocolError("peer closed connection")
    return wire(lines(recorded.CHUNKS)[:3], "failed", error)


@state()
def wire_unread():
    """A stream that nobody has read: one sentence."""
    return qwen_lab.wire(answer(CAPITAL, stream=True))


@state()
def difference_part():
    """Two poems side by side, marked where they part, with how likely both tokens were."""
    poems = (answer(AUTUMN, temperature=each, seed=7, **LIKELY) for each in (1, 1.5))
    return qwen_lab.difference(*poems, labels=("temperature=1", "temperature=1.5"))


@state()
def difference_same():
    """Two answers that are the same: it says so."""
    return qwen_lab.difference(*(answer(CAPITAL) for _ in "ab"))
