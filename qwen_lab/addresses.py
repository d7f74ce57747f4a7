"""Where a service is: DashScope's hosts and their regions, read from `addresses.toml`."""

import re
import tomllib
from functools import cache
from pathlib import Path
from urllib.parse import urlsplit

BEIJING = "https://dashscope.aliyuncs.com/compatible-mode/v1"


@cache
def _table() -> dict:
    return tomllib.loads(Path(__file__).with_name("addresses.toml").read_text(encoding="utf-8"))


def region(url: str) -> str | None:
    """The region of a DashScope host that is asked over https; None for every other address."""
    # Letters, digits, dots: nothing that another reader of addresses could take for another host.
    found = re.match(r"https://([a-z0-9.-]+)(?::443)?(?:[/?#]|$)", url, re.I)
    host = found[1].lower() if found else ""
    shared, regions = _table()["shared"], "|".join(_table()["workspace"]["regions"])
    own = re.fullmatch(rf"[a-z0-9][a-z0-9-]*\.({regions})\.maas\.aliyuncs\.com", host)
    return own[1] if own else shared.get(host)


def is_plan(url: str) -> bool:
    """Whether a Token Plan's or a Coding Plan's keys belong to this address."""
    return urlsplit(url).hostname == _table()["workspace"]["plan"]


def plan() -> str:
    """The base URL for the keys of a Token Plan or a Coding Plan."""
    return f"https://{_table()['workspace']['plan']}/compatible-mode/v1"
