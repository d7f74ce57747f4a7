"""Where a service is: an address as it is meant, and DashScope's hosts by `addresses.toml`."""

import re
import unicodedata
from urllib.parse import SplitResult, urlsplit

from . import paths
from .words import LabError

_TABLE = paths.table(__file__)
# What the SDK itself adds to a base URL.
ENDS = re.compile(r"/(?:chat/completions|completions|responses|embeddings|models)/*$")

# "https:x", "https//x" and the like, as they are typed.
BEGIN = re.compile(r"^(https?)(?::/?|:?//)(?=[^/:])", re.I)
PLACEHOLDER = re.compile(r"[{}<>]|workspace[-_]?id|your[-_](?:workspace|server|host|id)", re.I)
REGIONS = "|".join(_TABLE["workspace"]["regions"])
WORKSPACE = re.compile(rf"[a-z0-9][a-z0-9-]*\.({REGIONS})\.maas\.aliyuncs\.com")


class Address(str):
    """A base URL; a password in it is not shown when it is looked at."""

    def __repr__(self) -> str:
        return repr(shown(self))


def shown(url: str) -> str:
    """The address without the user and password that it may hold."""
    return re.sub(r"//[^/?#]*@", "//", url)


def host(url: str) -> str:
    """The host, with its port if one is named."""
    return urlsplit(url).netloc.rpartition("@")[2]


def mended(text: str) -> Address:
    """The base URL that is meant; `LabError` for what cannot be one.

    A DashScope host gets https and the path of its API, whatever stood there; every other address
    loses what the SDK adds itself.
    """
    plain = unicodedata.normalize("NFKC", text).replace("。", ".").strip(" \t\r\n\"'`<>")
    url = BEGIN.sub(lambda found: f"{found[1].lower()}://", plain)
    if PLACEHOLDER.search(url):
        raise LabError("connection.address_placeholder", url=shown(url))
    parts = _parts(url if "://" in url else f"https://{url.lstrip('/')}", text)
    known = _known(parts.hostname)
    if region(known) and parts.port in (None, 80, 443):
        return Address(known)
    if not url.startswith(("http://", "https://")):
        raise LabError("connection.address_scheme", url=shown(url))
    return Address(ENDS.sub("", url))


def _parts(url: str, text: str) -> SplitResult:
    try:
        parts = urlsplit(url)
        # Reading the port judges it.
        if parts.port != 0 and re.fullmatch(r"[^\s\\^|]+", url) and parts.hostname:
            return parts
    except ValueError:
        pass
    raise LabError("connection.address_broken", url=shown(text))


def region(url: str) -> str | None:
    """The region of a DashScope host that is asked over https; None for every other address."""
    # Letters, digits, dots: nothing that another reader of addresses could take for another host.
    found = re.match(r"https://([a-z0-9.-]+)(?::443)?(?:[/?#]|$)", url, re.I)
    name = found[1].lower() if found else ""
    own = WORKSPACE.fullmatch(name)
    return own[1] if own else _TABLE["shared"].get(name)


def has_list_price(url: str) -> bool:
    """Whether the prices of `models.toml`, Beijing's, hold for this address."""
    return region(url) == "cn-beijing" and not is_plan(url)


def is_plan(url: str) -> bool:
    """Whether a Token Plan's or a Coding Plan's keys belong to this address."""
    return urlsplit(url).hostname == urlsplit(PLAN).hostname


def _known(host: str) -> str:
    return f"https://{host}{_TABLE['path']}"


# The base URLs of the hosts that a region's customers share, Beijing's first; and where the keys
# of a Token Plan or a Coding Plan belong.
BEIJING, *_ = SHARED = [*map(_known, _TABLE["shared"])]
PLAN = _known(_TABLE["workspace"]["plan"])
