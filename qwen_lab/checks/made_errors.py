"""Errors as the SDK raises them, made up for the checks: no service is asked."""

from collections.abc import Iterator
from typing import NamedTuple

import httpx2
import openai

# Status, code, whether another try is worth it, and the words that say why.
REFUSALS = (
    (400, "invalid_parameter_error", False, "checks_errors.why_request"),
    (400, "Arrearage", False, "checks_errors.why_debt"),
    (401, "invalid_api_key", False, "checks_errors.why_request"),
    (403, "AccessDenied", False, "checks_errors.why_request"),
    (404, "model_not_found", False, "checks_errors.why_request"),
    (429, "limit_requests", True, "checks_errors.why_limit"),
    (429, "insufficient_quota", True, "checks_errors.why_tokens"),
    (429, "CommodityNotPurchased", False, "checks_errors.why_bill"),
    (429, "PrepaidBillOverdue", False, "checks_errors.why_bill"),
    (429, "PostpaidBillOverdue", False, "checks_errors.why_bill"),
    (500, "internal_error", True, "checks_errors.why_service"),
    (503, "ModelUnavailable", True, "checks_errors.why_service"),
)
KINDS = {
    400: openai.BadRequestError,
    401: openai.AuthenticationError,
    403: openai.PermissionDeniedError,
    404: openai.NotFoundError,
    429: openai.RateLimitError,
}


class Case(NamedTuple):
    """An error, in a few words and as it is; `again` is whether another try is worth it."""

    words: str
    error: Exception
    again: bool
    why: str


def cases() -> Iterator[Case]:
    """Refusals, silence, a connection that failed, and a refusal in the middle of a stream."""
    request = httpx2.Request("POST", "http://127.0.0.1/chat/completions")
    for status, code, again, why in REFUSALS:
        kind = KINDS.get(status, openai.InternalServerError)
        body = _body(code)
        response = httpx2.Response(status, request=request, json={"error": body, "request_id": "1"})
        error = kind(f"Error code: {status} - {code}", response=response, body=body)
        yield Case(f"{kind.__name__} {status} {code}", error, again, why)
    for silence in (openai.APITimeoutError(request), openai.APIConnectionError(request=request)):
        yield Case(type(silence).__name__, silence, True, "checks_errors.why_silence")
    stopped = openai.APIError("refused", request, body=_body("data_inspection_failed"))
    yield Case("APIError data_inspection_failed", stopped, False, "checks_errors.why_stream")


def _body(code: str) -> dict:
    return {"message": code, "type": code, "param": None, "code": code}
