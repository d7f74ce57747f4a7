"""The class's endpoint as a service of JupyterHub, whose users are its learners.

The hub starts it and says by the environment where it listens; `QWEN_LAB_CLASS` may say, in JSON,
the `names` of accounts and what a `Config` holds: the `address` to answer at, `limits`, `upstream`.
"""

import json
import os
import pwd
from dataclasses import replace
from urllib.parse import urlsplit

from ..endpoint import listener
from ..endpoint.learner import Learner
from ..paths import home
from . import door, folder
from .allowance import Limits
from .config import Config
from .hub import Hub

USER = "qwen-lab"


class Users:
    """A hub's users, called as the teacher calls them: `called` has a name for each account."""

    def __init__(self, hub: Hub, called: dict[str, str]) -> None:
        self._hub, self._called = hub, called

    def names(self) -> list[str]:
        return [*self._called.values()]

    async def identify(self, given: str) -> Learner | None:
        learner = await self._hub.identify(given)
        return learner and replace(learner, name=self._called.get(learner.name, learner.name))


def main() -> None:
    """Be the service until the hub ends it; as root, only as long as its port takes that."""
    here, told = os.environ, json.loads(os.environ.get("QWEN_LAB_CLASS", "{}"))
    called = told.pop("names", {})
    config = Config(**told | {"limits": Limits(**told.get("limits", {}))})
    place = home() / folder.CLASS
    place.mkdir(mode=0o700, parents=True, exist_ok=True)
    lock = folder.locked(place)
    url = urlsplit(here["JUPYTERHUB_SERVICE_URL"])
    bound = listener.listen(place, url.port, url.hostname)
    if not os.geteuid():
        _become(USER)
    users = Users(Hub(here["JUPYTERHUB_API_URL"], here["JUPYTERHUB_SERVICE_NAME"]), called)
    prefix = here["JUPYTERHUB_SERVICE_PREFIX"].rstrip("/")
    with lock:
        door.serve(place, bound, users, door.Answers(place, config), prefix=prefix)


def _become(name: str) -> None:
    user = pwd.getpwnam(name)
    os.setgid(user.pw_gid)
    os.initgroups(name, user.pw_gid)
    os.setuid(user.pw_uid)
    os.environ["HOME"] = user.pw_dir


if __name__ == "__main__":
    main()
