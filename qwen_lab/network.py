"""Proxies and certificates of this process, put right before anything calls by way of them.

Every HTTP client here reads them from the environment, whichever host it calls. Standard library
only, for pip is started with them too. No file changes, and no other process.
"""

import os
import re
import urllib.request
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from contextlib import suppress
from ipaddress import ip_address
from threading import Thread
from urllib.parse import urlsplit

from .settings import bare
from .words import causes, joined, reason, say

PROXIES = ("http_proxy", "https_proxy", "all_proxy")
# What httpx2, the SDK's HTTP library, can go through; "socks" is read as "socks5".
SCHEMES = ("http", "https", "socks5", "socks5h", "socks")
# The errors, httpx2's and socksio's, of a call that came as far as the proxy at most.
AT_THE_PROXY = {"ConnectError", "ConnectTimeout", "ProxyError", "SOCKSError"}
CERTIFICATES = ("SSL_CERT_FILE", "SSL_CERT_DIR", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "PIP_CERT")


def prepare() -> str:
    """Put the variables right, and say in a line which were changed; "" if none was."""
    _keep_the_systems()
    told = [*_mend_proxies(), *_drop_certificates()]
    _bypass("127.0.0.1")
    return say("connection.network", changes=joined(told, "clauses")) if told else ""


def go_straight(url: str) -> None:
    """Ask no proxy for an address of this machine, by whatever name."""
    host = urlsplit(url).hostname or ""
    try:
        near = ip_address(host).is_loopback or ip_address(host).is_unspecified
    except ValueError:
        near = host == "localhost" or host.endswith(".localhost")
    if near:
        _bypass(host)


def why(error: BaseException, url: str) -> str:
    """Why a call to this address failed: `reason`, and the proxy's address if it is to blame."""
    said, parts, proxies = reason(error), urlsplit(url), urllib.request.getproxies()
    kinds = {each.__name__ for cause in causes(error) for each in type(cause).__mro__}
    proxy = proxies.get(parts.scheme) or proxies.get("all")
    straight = not proxy or urllib.request.proxy_bypass(parts.hostname or "")
    # A certificate is the server's, by whatever way it was reached.
    if straight or "SSLError" in kinds or not kinds & AT_THE_PROXY:
        return said
    names = ", ".join(name for name, value in os.environ.items() if value == proxy)
    return say("connection.at_the_proxy", proxy=plain(proxy), names=names, reason=said)


def within(seconds: float, ask: Callable[[], None]) -> None:
    """Call `ask`; `TimeoutError` after so long, for the look-up of a name obeys no limit itself."""
    answer = Future()

    def run() -> None:
        try:
            answer.set_result(ask())
        except Exception as error:
            answer.set_exception(error)

    Thread(target=run, daemon=True).start()
    answer.result(timeout=seconds)


def plain(address: str) -> str:
    """A proxy's scheme, host and port, without the user and password that may stand there."""
    address = bare(address)
    scheme = address.partition("://")[0] if "://" in address else "http"
    return f"{scheme}://{address.rpartition('@')[2].rpartition('://')[2].split('/')[0]}"


def fault(address: str) -> str:
    """Why no client here can go through a proxy: "socks4", else "unusable"; "" if one can."""
    if re.match("socks4", address, re.I):
        return "socks4"
    with suppress(ValueError):
        parts = urlsplit(address if "://" in address else f"http://{address}")
        # Reading the port judges it. What begins with "http:/" has "http" for its host.
        whole = parts.port != 0 and parts.hostname and parts.hostname not in SCHEMES
        if whole and parts.scheme in SCHEMES and re.fullmatch("[!-~]+", address):
            return ""
    return "unusable"


def _keep_the_systems() -> None:
    """Note the proxies of the system's own settings: a variable of ours would hide them."""
    there = {name.lower() for name in os.environ}
    for scheme, address in urllib.request.getproxies().items():
        if (name := f"{scheme}_proxy") in PROXIES and name not in there:
            os.environ[name] = address


def _bypass(host: str) -> None:
    for name in ("NO_PROXY", "no_proxy"):
        hosts = [each.strip() for each in os.environ.get(name, "").split(",") if each.strip()]
        if not {host, "*"} & set(hosts):
            os.environ[name] = ",".join([*hosts, host])


def _mend_proxies() -> Iterator[str]:
    for name in [name for name in os.environ if name.lower() in PROXIES]:
        given = bare(os.environ[name])
        address = re.sub("^socks://", "socks5://", given, flags=re.I)
        if given and (wrong := fault(given)):
            del os.environ[name]
            yield say(f"connection.network_{wrong}", name=name)
        elif address != os.environ[name]:
            os.environ[name] = address
            if address != given:
                yield say("connection.network_socks", name=name)


def _drop_certificates() -> Iterator[str]:
    for name in CERTIFICATES:
        path = os.environ.get(name)
        if path and not any(_has_certificates(each, name) for each in _places(name, path)):
            del os.environ[name]
            yield say("connection.network_certificates", name=name, path=path)


def _places(name: str, path: str) -> list[str]:
    return path.split(os.pathsep) if name == "SSL_CERT_DIR" else [path]


def _has_certificates(path: str, name: str) -> bool:
    try:
        if name != "SSL_CERT_FILE" and os.path.isdir(path):
            # OpenSSL finds them by such names alone.
            return any(re.fullmatch(r"[0-9a-f]{8}\.\d+", each) for each in os.listdir(path))
        return name != "SSL_CERT_DIR" and _loads(path)
    except (OSError, ValueError):
        return False


def _loads(path: str) -> bool:
    """Whether the file begins with a certificate: to load a whole bundle takes too long here."""
    import ssl

    with open(path, encoding="ascii", errors="ignore") as file:
        first, end, _ = file.read().partition("-----END CERTIFICATE-----")
    wanted = {"cadata": first + end} if end else {"cafile": path}
    ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT).load_verify_locations(**wanted)
    return True
