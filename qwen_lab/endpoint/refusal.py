"""A request refused as DashScope refuses it: status, code, message, and the recorded envelope.

Texts and codes: `error-code` in the official help (read 2026), and recorded answers.
"""

import json

HELP = "https://help.aliyun.com/zh/model-studio/error-code"
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
        self.status, self.code, self.type, self.by_model = status, code, type, by_model
        self.headers = headers or {}

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


def malformed() -> Refusal:
    return Refusal("Required body invalid, please check the request body format.")


def wrong_key() -> Refusal:
    message = f"Incorrect API key provided. For details, see: {HELP}#apikey-error"
    return Refusal(message, status=401, code="invalid_api_key")


def unknown_model(name: object) -> Refusal:
    message = f"The model `{name}` does not exist or you do not have access to it."
    return Refusal(message, status=404, code="model_not_found")


def too_many() -> Refusal:
    """The rate limit. The cloud is not known to send Retry-After; here it shows what it is for."""
    message = f"You have exceeded your current request limit. For details, see: {HELP}#rate-limit"
    code = "limit_requests"
    return Refusal(message, status=429, code=code, type=code, headers={"retry-after": "1"})


def input_inspected() -> Refusal:
    return _inspected("Input text data may contain inappropriate content.")


def output_inspected() -> Refusal:
    return _inspected("Output data may contain inappropriate content.")


def _inspected(message: str) -> Refusal:
    code = "data_inspection_failed"
    prefix = "<400> InternalError.Algo.DataInspectionFailed: "
    return Refusal(prefix + message, code=code, type=code, by_model=True)


def timed_out() -> Refusal:
    message = "Request timed out, please try again later."
    return Refusal(message, status=500, code="RequestTimeOut", type="RequestTimeOut")


def broken() -> Refusal:
    """A fault of the endpoint itself: no detail leaves it, the log has the traceback."""
    message = "An internal error has occurred, please try again later or contact service support."
    return Refusal(message, status=500, code="internal_error", type="internal_error")
