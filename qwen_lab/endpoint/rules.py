"""From a request's JSON to a checked `ChatRequest`, or to the refusal that DashScope would give.

Covered: the model and the parameters of `qwen_lab.parameters`; messages and tools have modules of
their own. Unknown fields are ignored, as the cloud does.
"""

import json
from collections.abc import Collection
from dataclasses import dataclass, field
from itertools import chain

from .. import models
from ..parameters import PARAMETERS, SAMPLING, Parameter
from . import messages, schema, tools
from .refusal import Refusal, invalid

TYPE_NAMES = {float: "Float", int: "Integer", bool: "Boolean", dict: "Object", list: "Array"}
FORMATS = ("text", "json_object", "json_schema")
# No page names a limit; each one takes the engine some time.
MOST_STOPS, LONGEST_STOP = 64, 256
# A body nested deeper than any real one could exhaust the engine's stack.
DEPTH = 60


@dataclass(frozen=True)
class ChatRequest:
    """A chat request that passed the rules, with DashScope's defaults filled in.

    `messages` are as they came, `prompt` is what the model reads of them. `sampling` holds every
    row of `SAMPLING`; `seed` is None when the request named none. `tools` are those the model may
    call now, `schema` is what the answer must obey. `search` is "", "auto" or "forced", `found`
    has the titles of the notes that it put into the prompt.
    """

    messages: list[dict]
    prompt: list[dict]
    sampling: dict[str, float]
    seed: int | None = None
    n: int = 1
    stop: list[str] = field(default_factory=list)
    stop_tokens: list[list[int]] = field(default_factory=list)
    stream: bool = False
    include_usage: bool = False
    logprobs: bool = False
    top_logprobs: int = 0
    tools: list[dict] = field(default_factory=list)
    parallel: bool = False
    schema: dict | None = None
    thinking: bool = False
    thinking_budget: int | None = None
    search: str = ""
    found: list[str] = field(default_factory=list)

    @property
    def response_format(self) -> dict:
        """The schema as a field of OpenAI's requests, or no field."""
        schema = {"name": "answer", "schema": self.schema}
        form = {"type": "json_schema", "json_schema": schema}
        return {"response_format": form} if self.schema else {}


def checked_request(body: object, local_model: str, thinks: bool = False) -> ChatRequest:
    """What a request body asks of a model that can think or not; raises `Refusal`."""
    body = checked_body(body)
    model = checked_model(body, {local_model, *models.names()})
    given = {name: checked_value(row, body) for name, row in PARAMETERS.items()}
    talk = messages.checked(body.get("messages"))
    words, tokens = _stop(given["stop"])
    thinking = _thinking(given, model, local_model, thinks)
    prompt, form = messages.plain(talk), _form(given, talk, thinking)
    described = [json.dumps(tool, ensure_ascii=False) for tool in form["tools"]]
    messages.fit(prompt, "".join(described))
    return ChatRequest(
        messages=talk,
        prompt=prompt,
        sampling=_sampling(given),
        stop=words,
        stop_tokens=tokens,
        include_usage=bool((given["stream_options"] or {}).get("include_usage")),
        thinking=thinking and thinks,
        thinking_budget=given["thinking_budget"],
        search=_search(given),
        **form,
        **{name: given[name] for name in ("seed", "n", "stream", "logprobs", "top_logprobs")},
    )


def checked_body(body: object) -> dict:
    """The body of a request, an object that no reader chokes on; raises `Refusal`."""
    if not isinstance(body, dict) or not _shallow(body, DEPTH):
        raise Refusal.named("malformed")
    return body


def _shallow(value: object, depth: int) -> bool:
    """Whether lists and objects lie in one another no deeper than that."""
    level, nesting = [value], (dict, list)
    for _ in range(depth):
        items = (each.values() if isinstance(each, dict) else each for each in level)
        # Level by level: a request of many small messages takes a fifth of the time.
        level = [each for each in chain.from_iterable(items) if isinstance(each, nesting)]
    return not level


def checked_model(body: dict, known: Collection[str]) -> str:
    """The model that is asked for, one of those known; raises `Refusal`."""
    if not (name := body.get("model")):
        raise Refusal("you must provide a model parameter.")
    if not isinstance(name, str) or name not in known:
        raise Refusal.named("unknown_model", model=name)
    return name


def checked_value(row: Parameter, body: dict) -> object:
    """What the body says of a parameter, or its default; raises `Refusal`."""
    value = body.get(row.name)
    # The cloud reads null as "not given", but for top_k.
    if value is None:
        return row.null if row.name in body and row.null is not None else row.default
    if not row.fits(value):
        raise _outside(row, f"'{row.name}' must be {TYPE_NAMES[row.kind]}")
    if row.kind in (int, float) and not row.allows(value):
        raise _outside(row, row.refusal or _bound(row, value))
    return value


def _outside(row: Parameter, message: str) -> Refusal:
    # The seed is checked by the gateway, the others by the model's own layer.
    return Refusal(message, code="invalid_value") if row.name == "seed" else invalid(message)


def _bound(row: Parameter, value: float) -> str:
    if value < row.low:
        return f"{value} is lesser than the minimum of {row.low} - '{row.name}'"
    return f"{value} is greater than the maximum of {row.high} - '{row.name}'"


def _sampling(given: dict) -> dict:
    limits = (given["max_tokens"], given["max_completion_tokens"])
    most = min(limit for limit in limits if limit is not None)
    return {name: given[name] for name in SAMPLING} | {"max_tokens": most}


def _stop(value: object) -> tuple[list[str], list[list[int]]]:
    """The words at which an answer ends, and the sequences of tokens."""
    items = value if isinstance(value, list) else [] if value is None else [value]
    sized = (item for item in items if isinstance(item, str | list))
    if len(items) > MOST_STOPS or any(len(item) > LONGEST_STOP for item in sized):
        raise invalid(
            f"'stop' has more than {MOST_STOPS} entries, or one longer than {LONGEST_STOP}"
        )
    if all(isinstance(item, str) for item in items):
        return [item for item in items if item], []
    if is_tokens(items):
        return [], [[item] for item in items]
    if all(item and is_tokens(item) for item in items):
        return [], items
    raise Refusal.named("stop_of_other_type")


def is_tokens(value: object) -> bool:
    """Whether it is a list of numbers that a vocabulary may have."""
    return isinstance(value, list) and all(
        type(item) is int and 0 <= item < 2**31 for item in value
    )


def _thinking(given: dict, model: str, local_model: str, thinks: bool) -> bool:
    """Whether the model asked for would think before it answers: when told to, or by its habit."""
    told, habit = given["enable_thinking"], models.thinking(model)
    if model == local_model:
        # A model of one's own may have a name of the cloud's, and has none of its rules.
        habit = ""
    if told and not thinks:
        raise Refusal.named("no_thinking", model=local_model)
    if habit == "always" and told is False:
        raise invalid("The value of the enable_thinking parameter is restricted to True.")
    if habit == "always" and not given["stream"]:
        raise Refusal.named("only_streams")
    if not given["stream"] and (told or (told is None and habit == "open")):
        # As open Qwen3 on DashScope; its commercial models allow it.
        raise Refusal("parameter.enable_thinking only support stream call", by_model=True)
    return bool(habit) if told is None else told


def _search(given: dict) -> str:
    forced = (given["search_options"] or {}).get("forced_search")
    return ("forced" if forced is True else "auto") if given["enable_search"] else ""


def _form(given: dict, talk: list[dict], thinking: bool) -> dict:
    """What form the answer has: words, JSON of a schema, or calls of tools."""
    offered = tools.checked(given["tools"])
    demanded = tools.demanded(given["tool_choice"], offered)
    form = _schema(given["response_format"] or {}, talk)
    if thinking and demanded:
        raise Refusal.named("thinking_with_tool_choice")
    if given["enable_thinking"] and form is not None:
        raise invalid("Json mode response is not supported when enable_thinking is true")
    if offered and given["n"] > 1:
        raise invalid("Range of n should be [1, 1] when tools are given")
    # A small model that has its results would call again: it gets no tools with them.
    results = talk[-1]["role"] == "tool"
    if given["tool_choice"] == "none" or (results and not demanded):
        offered = []
    form = tools.schema(demanded) if demanded else form
    documents = [tool["function"].get("parameters") for tool in demanded]
    return {
        "tools": demanded or offered,
        "parallel": given["parallel_tool_calls"],
        "schema": None if form is None else schema.checked(form, documents),
    }


def _schema(form: dict, talk: list[dict]) -> dict | None:
    kind = form.get("type", "text")
    if kind not in FORMATS:
        raise invalid(f"{kind} is not one of {list(FORMATS)} - 'response_format.type'")
    if kind == "json_object":
        if "json" not in " ".join(map(messages.text, talk)).lower():
            raise Refusal.named("no_word_json")
        return {"type": "object"}
    if kind == "text":
        return None
    named = form.get("json_schema")
    form = named.get("schema") if isinstance(named, dict) else None
    if not isinstance(form, dict):
        raise invalid("'response_format.json_schema.schema' must be Object")
    return form
