"""The place where the Qwen is fetched into a browser, in each of its states."""

from collections.abc import Callable

from playwright.sync_api import Locator

from qwen_lab.page.offer import Offer

from . import state


def told(kind: str, **values: object) -> Callable[[Locator], None]:
    """What tells all places for the Qwen how it stands, as the page's worker does."""
    said = {"state": kind, "size": 491_400_064, **values}
    post = "said => new BroadcastChannel('qwen-weights').postMessage(said)"
    return lambda shown: shown.page.evaluate(post, said)


@state(told("none", at=0))
def offer_none():
    """In a page's lesson: recordings answer, and a button to fetch the Qwen, with its size."""
    return Offer()


@state(told("fetching", at=123_000_000, left=250))
def offer_fetching():
    """The Qwen is being fetched: a bar, how far it is, the minutes left, and Pause."""
    return Offer()


@state(told("offline", at=123_000_000))
def offer_offline():
    """There's no network: the bar stays, and it goes on by itself."""
    return Offer()


@state(told("paused", at=123_000_000))
def offer_paused():
    """A part of the Qwen is here: Go on, or Remove."""
    return Offer()


@state(told("tampered", at=123_000_000, host="models.example.org"))
def offer_tampered():
    """What came isn't the Qwen: a failure that names the host, and Go on."""
    return Offer()


@state(told("full", at=123_000_000))
def offer_full():
    """No room on the device: a failure with the MB that are missing, and Go on."""
    return Offer()


@state(told("kept", at=491_400_064))
def offer_kept():
    """The Qwen is in this browser: its size, and Remove."""
    return Offer()


@state(told("unable"))
def offer_unable():
    """This browser keeps no Qwen: why, and no button."""
    return Offer()
