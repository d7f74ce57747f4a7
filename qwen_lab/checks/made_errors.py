"""Errors as the SDK raises them, made up for the checks: no service is asked."""

from collections.abc import Iterator

import httpx2
import openai

from .. import paths

TABLE = paths.table(__file__)


def cases() -> Iterator[tuple[str, Exception, bool, str]]:
    """Refusals, silence, a connection that failed, and a refusal in the middle of a stream.

    Each comes in a few words and as the error itself, with whether another try is worth it, and
    the key of the words that say why.
    """
    request = httpx2.Request("POST", "http://127.0.0.1/chat/completions")
    for row in TABLE["refusals"]:
        kind, status, body = getattr(openai, row["error"]), row["status"], _body(row["code"])
        response = httpx2.Response(status, request=request, json={"error": body, "request_id": "1"})
        error = kind(f"Error code: {status} - {row['code']}", response=response, body=body)
        yield f"{row['error']} {status} {row['code']}", error, row["again"], row["why"]
    for silence in (openai.APITimeoutError(request), openai.APIConnectionError(request=request)):
        yield type(silence).__name__, silence, True, "checks_errors.why_silence"
    stopped = openai.APIError("refused", request, body=_body("data_inspection_failed"))
    yield "APIError data_inspection_failed", stopped, False, "checks_errors.why_stream"


def _body(code: str) -> dict:
    return {"message": code, "type": code, "param": None, "code": code}
