"""The states of the lab's views, widgets and pages that `pictures.py` draws.

Each is a function whose first words say what its picture ought to show. Those of `pages` open one;
all others run in a notebook's kernel, and what they return is shown.
"""

import inspect
import sys
from collections.abc import Callable
from dataclasses import dataclass

from playwright.sync_api import Locator

from qwen_lab.paths import ROOT
from qwen_lab.words import language

sys.path.insert(0, str(ROOT))
from tests.views import recorded  # noqa: F401


@dataclass(frozen=True)
class State:
    """How a state is made, and what is done in the page before each picture of it.

    What is `gone` is drawn after its kernel was restarted. A `page` is made in a page of its own,
    in a theme, and what is drawn of it is returned.
    """

    make: Callable
    act: Callable[[Locator], object]
    gone: bool = False
    page: bool = False

    @property
    def shows(self) -> str:
        return inspect.getdoc(self.make)


KNOWN: dict[str, State] = {}


def state(act: Callable = lambda shown: None, **kind: bool) -> Callable:
    """Make a function the state of its name."""

    def register(make: Callable) -> Callable:
        KNOWN[make.__name__] = State(make, act, **kind)
        return make

    return register


def unfold(shown: Locator) -> None:
    """Open all that is folded."""
    shown.evaluate("el => el.querySelectorAll('details').forEach(each => { each.open = true; })")


def pick(en: object, zh: object) -> object:
    """The one for the language in use."""
    return {"en": en, "zh": zh}[language()]
