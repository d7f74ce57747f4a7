"""What only the local Qwen shows: the probabilities of the next token, and what a search finds."""

from collections.abc import Sequence
from urllib.parse import urljoin

import httpx2

from .watch import next_token
from .watch.next_token import NextToken
from .words import LabError

# A whole vocabulary takes two seconds, and others may be before us.
PATIENCE = 120


def ask_next_token(
    url: str, key: str, messages: list[dict], prefix: str | Sequence[int], **options: bool
) -> NextToken:
    """`Lab.next_token` over HTTP; raises `LabError`."""
    prefix = prefix if isinstance(prefix, str) else [int(token) for token in prefix]
    body = {"messages": messages, "prefix": prefix, **options}
    return next_token.load(_send("POST", url, key, "/lab/next_token", json=body).content)


def ask_search(url: str, key: str, question: str) -> list[dict[str, str]]:
    """`Lab.search` over HTTP; raises `LabError`."""
    return _send("GET", url, key, "/lab/search", params={"question": question}).json()["notes"]


def _send(method: str, url: str, key: str, path: str, **content: object) -> httpx2.Response:
    headers = {"Authorization": f"Bearer {key}"}
    try:
        with httpx2.Client(trust_env=False, timeout=PATIENCE) as client:
            answer = client.request(method, urljoin(url, path), headers=headers, **content)
    except httpx2.HTTPError as error:
        raise LabError("connection.unreachable", url=url) from error
    if answer.status_code != 200:
        raise LabError("connection.refused", message=answer.json()["error"]["message"])
    return answer
