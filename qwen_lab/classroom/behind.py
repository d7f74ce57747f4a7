"""What stands behind an endpoint in place of the local Qwen: a server at an address, with a key."""

from collections.abc import Sequence

from .. import addresses, keys, models, network, settings
from ..models import Price
from ..words import LabError, joined
from .allowance import Limits
from .relay import Relay
from .upstream import Upstream

KEY = "QWEN_LAB_UPSTREAM_KEY"


def engine(upstream: Sequence[str] | None, relay: Sequence[str] | None) -> Upstream | Relay | None:
    """The engine for a base URL and the models there, of which an `upstream` has one.

    None where neither is given. The key is the variable's. Raises `LabError` when both are given,
    a model is missing, or the address, the key or `.env` cannot be right.
    """
    if not (named := upstream or relay):
        return None
    url, *names = named
    if not names or upstream and relay:
        raise LabError("classroom.behind")
    given = settings.read()
    if given.problem:
        raise given.problem
    key = keys.checked(key, KEY) if (key := given.get(KEY)) else "none"
    address = addresses.mended(url)
    network.go_straight(address)
    return Relay(address, key, names) if relay else Upstream(address, key, *names)


def prices(behind: Upstream | Relay | None, limits: Limits) -> list[Price]:
    """The list prices of its models; raises `LabError` where limits in CNY want one unknown."""
    there = addresses.region(behind.url) in (None, "cn-beijing") if behind else False
    found = {name: models.price(name) for name in behind.names} if there else {"local": None}
    unknown = [name for name, price in found.items() if not price]
    if unknown and (limits.cny, limits.class_cny) != (None, None):
        raise LabError("classroom.no_price", models=joined(unknown))
    return [price for price in found.values() if price]
