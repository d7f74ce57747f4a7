"""Which endpoint answers: DashScope with a key, the local Qwen without one, or one you name."""

import os
from collections.abc import Mapping
from pathlib import Path
from urllib.parse import urlsplit

from . import models, paths, words
from .lab import Lab
from .words import LabError, say

BEIJING = "https://dashscope.aliyuncs.com/compatible-mode/v1"


class Secret(str):
    """A key that a cell does not show when it is looked at; sending it sends it whole."""

    def __repr__(self) -> str:
        return "'…'"


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
    settings = _settings()
    usual = "dashscope" if settings.get("DASHSCOPE_API_KEY") else "local"
    choice = endpoint or settings.get("QWEN_LAB_ENDPOINT") or usual
    if choice in ("local", "replay"):
        lab = _on_this_machine(choice, settings)
    elif choice == "dashscope":
        lab = _dashscope(settings)
    elif choice.startswith(("http://", "https://")):
        lab = _custom(choice, settings)
    else:
        raise LabError("connection.unknown_endpoint", endpoint=choice)
    print(_line(lab))
    return lab


def _settings() -> Mapping[str, str | None]:
    """The environment over `.env`, looked for from the working folder upward, then here."""
    from dotenv import dotenv_values, find_dotenv

    path = find_dotenv(usecwd=True) or paths.ROOT / ".env"
    return {**dotenv_values(path), **os.environ}


def _on_this_machine(kind: str, settings: Mapping) -> Lab:
    """The local Qwen, or with "replay" a tape of it."""
    from .endpoint import server

    _bypass_proxies()
    if kind == "local":
        running = server.start()
    else:
        timed = settings.get("QWEN_LAB_TAPE_SPEED") == "recorded"
        running = server.play(_tape(settings), timed=timed)
    return Lab(running.base_url, running.model, kind, Secret(running.token))


def _tape(settings: Mapping) -> Path:
    """The tape that is asked for, else that of the lesson whose kernel this is."""
    if path := settings.get("QWEN_LAB_TAPE"):
        return Path(path)
    # Jupyter tells each kernel the path of its notebook.
    if lesson := settings.get("JPY_SESSION_NAME"):
        return paths.tape(Path(lesson))
    raise LabError("tape.unknown_tape")


def _bypass_proxies() -> None:
    """Keep a proxy of the environment from being asked for this machine's own address."""
    for name in ("NO_PROXY", "no_proxy"):
        hosts = [host for host in os.environ.get(name, "").split(",") if host]
        if not {"127.0.0.1", "*"} & set(hosts):
            os.environ[name] = ",".join([*hosts, "127.0.0.1"])


def _dashscope(settings: Mapping) -> Lab:
    key = settings.get("DASHSCOPE_API_KEY")
    if not key:
        raise LabError("connection.no_key")
    url = settings.get("DASHSCOPE_BASE_URL") or BEIJING
    model = settings.get("DASHSCOPE_MODEL") or models.DEFAULT_MODEL
    return Lab(url, model, "dashscope", _checked(key, "DASHSCOPE_API_KEY"))


def _custom(url: str, settings: Mapping) -> Lab:
    # A DashScope key goes to Alibaba's hosts alone, a key for another server has its own name.
    if (urlsplit(url).hostname or "").endswith(".aliyuncs.com"):
        return _dashscope({**settings, "DASHSCOPE_BASE_URL": url})
    key = settings.get("QWEN_LAB_API_KEY")
    key = _checked(key, "QWEN_LAB_API_KEY") if key else Secret("none")
    model = settings.get("QWEN_LAB_MODEL") or _first_model(url, key)
    return Lab(url, model, "custom", key)


def _first_model(url: str, key: str) -> str:
    import openai

    try:
        client = openai.OpenAI(base_url=url, api_key=key, timeout=10, max_retries=0)
        return client.models.list().data[0].id
    except (openai.OpenAIError, IndexError) as error:
        raise LabError("connection.no_models", url=url) from error


def _checked(key: str, name: str) -> Secret:
    """The key, or a `LabError` that says what is wrong with it without showing it."""
    for position, character in enumerate(key, 1):
        if character.isspace() or not "!" <= character <= "~":
            raise LabError("connection.key_character", name=name, position=position)
    if set(key.removeprefix("sk-").lower()) <= {"x"}:
        raise LabError("connection.key_placeholder", name=name)
    return Secret(key)


def _line(lab: Lab) -> str:
    # A tape says what its recording said, so that a lesson's outputs are the same either way.
    kind = "local" if lab.kind == "replay" else lab.kind
    host = urlsplit(lab.base_url).netloc
    price = _price(lab.model) if lab.kind == "dashscope" else ""
    return say(f"connection.{kind}", model=lab.model, host=host) + price


def _price(model: str) -> str:
    if not (price := models.price(model)):
        return say("connection.price_unknown")
    return say("connection.price", input=price.input, output=price.output, date=price.date)
