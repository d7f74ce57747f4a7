"""Learners of a JupyterHub: whose token a request carries, the hub itself is asked."""

import hashlib
from collections import OrderedDict
from time import monotonic

import httpx2

from ..endpoint.learner import Learner
from ..endpoint.refusal import Refusal

# Seconds for which an answer of the hub's holds, so that a token that it revokes is soon dead.
HOLDS = 60
PATIENCE = 5
REMEMBERED = 5_000


class Hub:
    """Knows the hub's users, those who may use the `service`, by the API of the hub at `url`."""

    def __init__(self, url: str, service: str) -> None:
        self._url = f"{url.rstrip('/')}/user"
        self._scopes = {"access:services", f"access:services!service={service}"}
        # The environment's proxies are for other machines.
        self._http = httpx2.AsyncClient(trust_env=False, timeout=PATIENCE)
        self._known: OrderedDict[bytes, tuple[float, Learner | None]] = OrderedDict()

    async def identify(self, given: str) -> Learner | None:
        """Whose token it is; raises `Refusal` where the hub does not say."""
        digest = hashlib.sha256(given.encode(errors="replace")).digest()
        until, learner = self._known.pop(digest, (0, None))
        if until < monotonic():
            until, learner = monotonic() + HOLDS, await self._asked(given)
        self._known[digest] = until, learner
        while len(self._known) > REMEMBERED:
            self._known.popitem(last=False)
        return learner

    async def _asked(self, given: str) -> Learner | None:
        # What no header can carry is no token.
        if not (given.isascii() and given.isprintable() and given):
            return None
        try:
            answer = await self._http.get(self._url, headers={"Authorization": f"token {given}"})
            if answer.status_code in (401, 403, 404):
                return None
            user = answer.raise_for_status().json()
            # Every token of the hub resolves: only its scopes say what it is for.
            is_ours = user["kind"] == "user" and self._scopes & {*user["scopes"]}
            return Learner(user["name"]) if is_ours else None
        except (httpx2.HTTPError, ValueError, KeyError, TypeError):
            raise Refusal.named("unavailable") from None
