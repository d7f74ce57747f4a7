"""Which endpoint answers: DashScope with a key, the local Qwen without one, or one you name."""

import os
from pathlib import Path
from urllib.parse import urlsplit

from . import addresses, dotfile, keys, models, paths, settings, words
from .keys import Secret
from .lab import Lab
from .settings import Settings
from .words import LabError, say

ON_THIS_MACHINE = ("local", "replay")


def connect(endpoint: str | None = None, *, lang: str | None = None) -> Lab:
    """Choose the endpoint, and say in one line which Qwen answers, where, and what it costs.

    The first that is given counts: `endpoint`; the variable `QWEN_LAB_ENDPOINT`; DashScope, if
    `DASHSCOPE_API_KEY` is set; else the local Qwen, which is started if it does not run. Variables
    come from the environment, else from a file `.env` in the working folder or above it, or in the
    checkout. An endpoint is

    - "local", the Qwen on this machine: free, and nothing you send leaves it;
    - "dashscope", with `DASHSCOPE_BASE_URL` (default: Beijing) and `DASHSCOPE_MODEL` (qwen-plus);
    - "replay", the lesson's tape from its first answer on, or the tape in `QWEN_LAB_TAPE`;
    - the base URL of any OpenAI-compatible server, with `QWEN_LAB_API_KEY` and `QWEN_LAB_MODEL`.

    `lang`, "zh" or "en", is the language that the lab speaks from here on.

    >>> from openai import OpenAI
    >>> lab = qwen_lab.connect()
    Local Qwen: ...
    >>> client = OpenAI(base_url=lab.base_url, api_key=lab.api_key)

    Raises `LabError` when the endpoint is unknown or does not answer, a key is missing or mistyped,
    the local Qwen cannot start, or there is no tape; `ValueError` for another language.
    """
    if lang:
        words.use(lang)
    given = settings.read()
    choice = endpoint or given.get("QWEN_LAB_ENDPOINT")
    if given.problem and choice not in ON_THIS_MACHINE:
        raise given.problem
    given.share()
    lab = _chosen(choice or ("dashscope" if given.get("DASHSCOPE_API_KEY") else "local"), given)
    # A tape says only what its recording said, so that a lesson's outputs are the same either way.
    more = [] if lab.kind == "replay" else _more(given, unasked=choice is None and lab.is_local)
    print((" " if words.language() == "en" else "").join([_line(lab), *more]))
    return lab


def _chosen(choice: str, given: Settings) -> Lab:
    if choice in ON_THIS_MACHINE:
        return _on_this_machine(choice, given)
    if choice == "dashscope":
        return _dashscope(given, given.get("DASHSCOPE_BASE_URL") or addresses.BEIJING)
    if not choice.startswith(("http://", "https://")):
        raise LabError("connection.unknown_endpoint", endpoint=choice)
    # A DashScope key goes to DashScope's hosts alone, a key for another server has its own name.
    return (_dashscope if addresses.region(choice) else _custom)(given, choice)


def _on_this_machine(kind: str, given: Settings) -> Lab:
    """The local Qwen, or with "replay" a tape of it."""
    from .endpoint import server

    _bypass_proxies()
    if kind == "local":
        running = server.start()
    else:
        timed = given.get("QWEN_LAB_TAPE_SPEED") == "recorded"
        running = server.play(_tape(given), timed=timed)
    return Lab(running.base_url, running.model, kind, Secret(running.token))


def _tape(given: Settings) -> Path:
    """The tape that is asked for, else that of the lesson whose kernel this is."""
    if path := given.get("QWEN_LAB_TAPE"):
        return Path(path)
    # Jupyter tells each kernel the path of its notebook.
    if lesson := given.get("JPY_SESSION_NAME"):
        return paths.tape(Path(lesson))
    raise LabError("tape.unknown_tape")


def _bypass_proxies() -> None:
    """Keep a proxy of the environment from being asked for this machine's own address."""
    for name in ("NO_PROXY", "no_proxy"):
        hosts = [host for host in os.environ.get(name, "").split(",") if host]
        if not {"127.0.0.1", "*"} & set(hosts):
            os.environ[name] = ",".join([*hosts, "127.0.0.1"])


def _dashscope(given: Settings, url: str) -> Lab:
    name = "DASHSCOPE_API_KEY"
    if not (key := given.get(name)):
        raise LabError("connection.no_key")
    model = given.get("DASHSCOPE_MODEL") or models.DEFAULT_MODEL
    if addresses.region(url):
        return Lab(url, model, "dashscope", keys.for_dashscope(key, name, url))
    # Else a file in a folder above could send the environment's key anywhere.
    if given.together(name, "DASHSCOPE_BASE_URL"):
        return Lab(url, model, "dashscope", keys.checked(key, name))
    if given.get("QWEN_LAB_API_KEY"):
        return _custom(given, url)
    raise LabError("connection.key_elsewhere", host=urlsplit(url).hostname, path=given.path)


def _custom(given: Settings, url: str) -> Lab:
    key = given.get("QWEN_LAB_API_KEY")
    key = keys.checked(key, "QWEN_LAB_API_KEY") if key else Secret("none")
    model = given.get("QWEN_LAB_MODEL") or _first_model(url, key)
    return Lab(url, model, "custom", key)


def _first_model(url: str, key: str) -> str:
    import openai

    try:
        client = openai.OpenAI(base_url=url, api_key=key, timeout=10, max_retries=0)
        return client.models.list().data[0].id
    except (openai.OpenAIError, IndexError) as error:
        raise LabError("connection.no_models", url=url) from error


def _line(lab: Lab) -> str:
    kind = "local" if lab.kind == "replay" else lab.kind
    host = urlsplit(lab.base_url).netloc
    price = _price(lab.model) if lab.kind == "dashscope" else ""
    return say(f"connection.{kind}", model=lab.model, host=host) + price


def _more(given: Settings, *, unasked: bool) -> list[str]:
    """What else there is to say: which file counted, what is wrong with it, where a key may lie."""
    if given.problem:
        return [str(given.problem)]
    if path := given.used:
        return [say("connection.from_file", path=path)]
    return list(filter(None, [dotfile.hint(given.path) if unasked else ""]))


def _price(model: str) -> str:
    if not (price := models.price(model)):
        return say("connection.price_unknown")
    return say("connection.price", input=price.input, output=price.output, date=price.date)
