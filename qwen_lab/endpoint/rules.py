"""From a request's JSON to a checked `Call`, or to the refusal that DashScope would give.

Covered: model, messages, the parameters of `qwen_lab.parameters`, stop, stream_options. Unknown
fields are ignored, as the cloud does.
"""

from dataclasses import dataclass, field

from .. import models
from ..parameters import PARAMETERS, SAMPLING, Parameter
from .refusal import Refusal, invalid, unknown_model

ROLES = ("system", "assistant", "user", "tool", "function")
TYPE_NAMES = {float: "Float", int: "Integer", bool: "Boolean", dict: "Object"}


@dataclass(frozen=True)
class Call:
    """A chat request that passed the rules, with DashScope's defaults filled in.

    `sampling` holds every row of `SAMPLING`; `seed` is None when the request named none.
    """

    messages: list[dict]
    sampling: dict[str, float]
    seed: int | None = None
    n: int = 1
    stop: list[str] = field(default_factory=list)
    stream: bool = False
    include_usage: bool = False
    logprobs: bool = False
    top_logprobs: int = 0


def read(body: object, local_model: str) -> Call:
    """The call that a request body asks for; raises `Refusal`."""
    if not isinstance(body, dict):
        raise Refusal("Required body invalid, please check the request body format.")
    _check_model(body.get("model"), local_model)
    given = {name: _value(row, body.get(name)) for name, row in PARAMETERS.items()}
    return Call(
        messages=_messages(body.get("messages")),
        sampling={name: given[name] for name in SAMPLING},
        stop=_stop(given["stop"]),
        include_usage=bool((given["stream_options"] or {}).get("include_usage")),
        **{name: given[name] for name in ("seed", "n", "stream", "logprobs", "top_logprobs")},
    )


def _check_model(name: object, local_model: str) -> None:
    if not name:
        raise Refusal("you must provide a model parameter.")
    if not isinstance(name, str) or name not in {local_model, *models.names()}:
        raise unknown_model(name)


def _value(row: Parameter, value: object) -> object:
    # The cloud reads null as "not given".
    if value is None:
        return row.default
    if not row.fits(value):
        raise invalid(f"'{row.name}' must be {TYPE_NAMES[row.kind]}")
    if isinstance(value, int | float) and not row.allows(value):
        raise invalid(row.refusal or _bound(row, value))
    return value


def _bound(row: Parameter, value: float) -> str:
    if value < row.low:
        return f"{value} is lesser than the minimum of {row.low} - '{row.name}'"
    return f"{value} is greater than the maximum of {row.high} - '{row.name}'"


def _stop(value: object) -> list[str]:
    words = [value] if isinstance(value, str) else value or []
    if not isinstance(words, list) or not all(isinstance(word, str) for word in words):
        raise invalid('The "stop" parameter must be of type "str" or "list[str]"')
    return [word for word in words if word]


def _messages(messages: object) -> list[dict]:
    if not isinstance(messages, list):
        raise Refusal("'messages' must be Array")
    if not messages:
        raise Refusal("[] is too short - 'messages'")
    for index, message in enumerate(messages):
        _check_message(index, message)
    if not any(message["role"] == "user" for message in messages):
        raise invalid("The input messages do not contain elements with the role of user.")
    return messages


def _check_message(index: int, message: object) -> None:
    if not isinstance(message, dict):
        raise Refusal(f"'messages.[{index}]' must be Object")
    role = message.get("role")
    if role not in ROLES:
        raise Refusal(f"{role} is not one of {list(ROLES)} - 'messages.[{index}].role'")
    if not isinstance(message.get("content"), str):
        missing = message.get("content") is None
        raise invalid(
            "The content field is a required field."
            if missing
            else "input content must be a string."
        )
