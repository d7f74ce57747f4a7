"""A request refused as DashScope refuses it: status, code, message, and the recorded envelope.

`refusal.toml` beside this file has those with a status or code of their own, and the long texts.
"""

import json
from typing import Self

from .. import paths
from ..parameters import MAX_INPUT

NAMED = paths.table(__file__)
DONE = "data: [DONE]\n\n"


class Refusal(Exception):
    """An answer that is an error: `{"error": {message, type, param, code}, "request_id"}`."""

    def __init__(
        self,
        message: str,
        *,
        status: int = 400,
        code: str = "invalid_parameter_error",
        type: str = "invalid_request_error",
        by_model: bool = False,
        headers: dict[str, str] | None = None,
    ) -> None:
        super().__init__(message)
        self.status = status
        self.code = code
        self.type = type
        self.by_model = by_model
        self.headers = headers or {}

    @classmethod
    def named(cls, name: str, **values: object) -> Self:
        """The refusal of this name in `refusal.toml`, with `values` filled into its text."""
        row = NAMED[name]
        return cls(**{**row, "message": row["message"].format(**values)})

    def body(self, request_id: str) -> dict:
        """The error as JSON; errors from the model's own layer carry an answer's id as well."""
        error = {"message": str(self), "type": self.type, "param": None, "code": self.code}
        owner = {"id": f"chatcmpl-{request_id}"} if self.by_model else {}
        return {"error": error, **owner, "request_id": request_id}

    def event(self, request_id: str) -> str:
        """The error as an event of a stream that has begun."""
        return sse(self.body(request_id))


def sse(data: dict) -> str:
    """One server-sent event, with its blank line."""
    return f"data: {json.dumps(data, ensure_ascii=False, separators=(',', ':'))}\n\n"


def invalid(message: str) -> Refusal:
    """A parameter that the model's layer refuses, with the prefix that DashScope puts there."""
    return Refusal(f"<400> InternalError.Algo.InvalidParameter: {message}", by_model=True)


def too_long() -> Refusal:
    """A prompt of more tokens than the model reads."""
    return invalid(f"Range of input length should be [1, {MAX_INPUT}]")
