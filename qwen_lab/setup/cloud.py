"""The doctor's question to DashScope's hosts: which of them take this key. It costs nothing."""

from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress

from .. import addresses, keys
from ..network import why
from ..settings import Settings
from ..words import LabError, joined, say
from .finding import BROKEN, FINE, ODD, Finding, found

SECONDS = 8


def cloud(given: Settings) -> Finding:
    """Ask for the list of models at each shared host and at the one that is set."""
    import httpx2  # noqa: F401

    name = "DASHSCOPE_API_KEY"
    if not (key := given.get(name)):
        return found(ODD, "cloud_no_key")
    chosen = _chosen(given)
    keys.for_dashscope(key, name, chosen)
    urls = list(dict.fromkeys([chosen, *addresses.SHARED]))
    with ThreadPoolExecutor(len(urls)) as pool:
        answers = dict(zip(urls, pool.map(lambda url: _answer(url, key), urls), strict=True))
    each = [f"{addresses.host(url)}: {_told(answers[url])}" for url in urls]
    told = {"shown": joined(each, "clauses")}
    if answers[chosen] == 200:
        return found(FINE, "cloud", **told)
    if taken := [url for url in urls if answers[url] == 200]:
        return found(BROKEN, "cloud_elsewhere", **told, url=taken[0])
    refused = answers[chosen] in (401, 403)
    return found(BROKEN, "cloud_refused" if refused else "cloud_silent", **told)


def _chosen(given: Settings) -> str:
    """The host that `connect()` would ask, if it is one of DashScope's: no other gets the key."""
    for named in filter(None, map(given.get, ("QWEN_LAB_ENDPOINT", "DASHSCOPE_BASE_URL"))):
        with suppress(LabError):
            if addresses.region(url := addresses.mended(named)):
                return url
    return addresses.BEIJING


def _answer(url: str, key: str) -> int | str:
    """The status of the answer, or what kept it away."""
    import httpx2

    headers = {"authorization": f"Bearer {key}"}
    try:
        return httpx2.get(f"{url}/models", headers=headers, timeout=SECONDS).status_code
    except (httpx2.HTTPError, OSError, ValueError) as error:
        return why(error, url)


def _told(answer: int | str) -> str:
    known = {200: "doctor.taken", 401: "doctor.refused", 403: "doctor.refused"}
    return say(known[answer]) if answer in known else str(answer)
