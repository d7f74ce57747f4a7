"""The doctor's look at the way out: proxies, certificates, `.env`, keys and the endpoint."""

import os
import socket
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import replace
from urllib.parse import urlsplit

from .. import addresses, dotfile, keys, network
from ..settings import Settings, bare
from ..words import LabError, joined, say
from .finding import BROKEN, FINE, ODD, Finding, found

# For a name to be looked up.
SECONDS = 1.5
BEGINNINGS = ("sk-sp-", "sk-", "st-")


def proxies(before: Mapping[str, str]) -> Finding:
    """The proxies; `before` is the environment before `network.prepare` put it right."""
    both = {**os.environ, **before}
    named = {name: both[name] for name in both if name.lower() in network.PROXIES and both[name]}
    faults = {address: _fault(address) for address in named.values()}
    told = []
    for fault in filter(None, dict.fromkeys(faults.values())):
        which = {name: network.plain(named[name]) for name in named if faults[named[name]] == fault}
        # What no one can read may hold a password anywhere.
        shown = joined(which) if fault == "unusable" else _by_value(which)
        told.append(say(f"doctor.proxy_{fault}", which=shown))
    if told:
        return found(BROKEN, "proxy_wrong", shown=joined(told, "clauses"))
    shown = _by_value({name: network.plain(address) for name, address in named.items()})
    if "socks://" in shown:
        return found(ODD, "proxy_socks", shown=shown)
    return found(FINE, "proxy", shown=shown) if named else found(FINE, "proxy_none")


def _fault(address: str) -> str:
    """What keeps a proxy from being used, by the words for it; "" if nothing is seen."""
    url = network.plain(address)
    if wrong := network.fault(bare(address)):
        return wrong
    return "silent" if _is_silent(url) else "unknown" if _is_unknown(url) else ""


def _is_unknown(url: str) -> bool:
    """Whether the host's name leads nowhere; what takes long to look up may yet."""
    try:
        network.within(SECONDS, lambda: socket.getaddrinfo(urlsplit(url).hostname, None))
    except TimeoutError:
        return False
    except (OSError, UnicodeError):
        return True
    return False


def _is_silent(url: str) -> bool:
    """Whether nobody listens there, on this very machine; others are not asked."""
    parts = urlsplit(url)
    if parts.hostname not in ("127.0.0.1", "localhost", "::1"):
        return False
    try:
        socket.create_connection(
            (parts.hostname, parts.port or (443 if parts.scheme == "https" else 80)), 0.5
        ).close()
    except OSError:
        return True
    return False


def certificates(before: Mapping[str, str]) -> Finding:
    """The certificates that variables name, where there are any; `before` as for proxies."""
    named = {name: before[name] for name in network.CERTIFICATES if before.get(name)}
    if broken := {name: path for name, path in named.items() if name not in os.environ}:
        return found(BROKEN, "certificates_broken", shown=_by_value(broken), names=joined(broken))
    if named:
        return found(FINE, "certificates", shown=_by_value(named))
    return found(FINE, "certificates_none")


def _by_value(named: Mapping[str, str]) -> str:
    """Each value with the variables that say it: one is often said by several."""
    said = {value: [name for name in named if named[name] == value] for value in named.values()}
    told = [f"{value} ({', '.join(names)})" for value, names in said.items()]
    return joined(told, "clauses")


def dotenv(given: Settings) -> Finding:
    """The file `.env` and the variables it sets, or where a key lies that is not read."""
    _need_file(given)
    if given.problem:
        raise given.problem
    named = given.get("DASHSCOPE_API_KEY") or given.get("QWEN_LAB_ENDPOINT")
    if not named and (hint := dotfile.hint(given.path)):
        return Finding(ODD, hint)
    names = joined(name for name in dotfile.NAMES if given.file.get(name))
    told = {"path": given.path, "names": names or say("doctor.nothing")}
    return found(FINE, "dotenv" if given.path else "dotenv_none", **told)


def key(given: Settings) -> Finding:
    """The keys, by their shape alone."""
    _need_file(given)
    names = [name for name in ("DASHSCOPE_API_KEY", "QWEN_LAB_API_KEY") if given.get(name)]
    if given.problem and not names:
        return found(ODD, "key_unread")
    shown = joined((_shape(given, name) for name in names), "clauses")
    for name in names:
        try:
            _judge(given, name)
        except LabError as problem:
            return found(BROKEN, "key_wrong", shown=shown, problem=problem)
    return found(FINE, "key", shown=shown) if names else found(FINE, "key_none")


def _need_file(given: Settings) -> None:
    """`ImportError` where there is a file `.env` and nothing yet to read it with."""
    if given.path:
        import dotenv  # noqa: F401


def _shape(given: Settings, name: str) -> str:
    value = given.get(name)
    start = next((start for start in BEGINNINGS if value.startswith(start)), None)
    begins = say("doctor.key_begins", start=start) if start else say("doctor.key_other")
    place = "key_from_process" if given.process.get(name, "").strip() else "key_from_file"
    return say(f"doctor.{place}", name=name, begins=begins, length=len(value))


def _judge(given: Settings, name: str) -> None:
    value, url = given.get(name), addresses.BEIJING
    with suppress(LabError):
        url = addresses.mended(given.get("DASHSCOPE_BASE_URL") or url)
    if name == "DASHSCOPE_API_KEY" and addresses.region(url):
        keys.for_dashscope(value, name, url)
    else:
        keys.checked(value, name)


def choice(given: Settings) -> str:
    """The endpoint that `connect()` would choose, as it is named."""
    from .. import connection

    return connection.plain(given.get("QWEN_LAB_ENDPOINT")) or connection.usual(given)


def endpoint(given: Settings) -> Finding:
    """The endpoint that `connect()` would choose, and why; nothing is started.

    One that has a key of its own is asked: whether a class knows a code, it alone can say.
    """
    from .. import connection

    _need_file(given)
    named = connection.plain(given.get("QWEN_LAB_ENDPOINT"))
    if given.problem and named not in connection.ON_THIS_MACHINE:
        return found(BROKEN, "endpoint_dotenv")
    chosen = choice(given)
    why = say(f"doctor.why_{'named' if named else 'key' if chosen == 'dashscope' else 'nothing'}")
    if chosen in connection.ON_THIS_MACHINE:
        return found(FINE, f"endpoint_{chosen}", why=why)
    try:
        has_code = given.get("QWEN_LAB_API_KEY")
        lab = connection.chosen(chosen, given if has_code else _with_model(given))
    except LabError as problem:
        at_key = problem.key.startswith("connection.key_") and "elsewhere" not in problem.key
        reason = say("doctor.see_key") if at_key else problem
        return found(BROKEN, "endpoint_wrong", why=why, reason=reason)
    told = {"url": addresses.shown(lab.base_url), "why": why}
    if lab.kind == "class":
        left = lab.about.get("left")
        told["left"] = say(
            "doctor.no_limit" if left is None else "connection.class_left", left=left
        )
        return found(FINE, "endpoint_class", **told)
    if _is_silent(lab.base_url):
        return found(BROKEN, "endpoint_silent", **told)
    return found(FINE, "endpoint", **told)


def _with_model(given: Settings) -> Settings:
    """The settings with a model named, so that no server is asked for its models."""
    name = "QWEN_LAB_MODEL"
    return replace(given, process={**given.process, name: given.get(name) or "?"})
