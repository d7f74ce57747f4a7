"""Which endpoint answers: DashScope with a key, the local Qwen without one, or one you name."""

import sys
from dataclasses import replace
from pathlib import Path

from . import addresses, discovery, dotfile, keys, models, network, paths, report, settings, words
from .keys import Secret
from .lab import Lab
from .settings import Settings
from .words import LabError, say

ON_THIS_MACHINE = ("local", "replay")


def connect(
    endpoint: str | None = None, *, code: str | None = None, lang: str | None = None
) -> Lab:
    """Choose the endpoint, and say which Qwen answers, where, and what it costs.

    The first that is given counts: `endpoint`; the variable `QWEN_LAB_ENDPOINT`; DashScope, if
    `DASHSCOPE_API_KEY` is set; else the local Qwen, which is started if it does not run. Variables
    come from the environment, else from a file `.env` in the working folder or above it, or in the
    checkout. An endpoint is

    - "local", the Qwen on this machine: free, and nothing you send leaves it; in a class's
      JupyterHub that of the class;
    - "dashscope", with `DASHSCOPE_BASE_URL` (default: Beijing) and `DASHSCOPE_MODEL` (qwen-plus);
    - "replay", the lesson's tape from its first answer on, or the tape in `QWEN_LAB_TAPE`;
    - the base URL of any OpenAI-compatible server, with `QWEN_LAB_API_KEY` and `QWEN_LAB_MODEL`;
    - the address of a class, with your `code` for it, or the code as `QWEN_LAB_API_KEY`.

    `lang`, "zh" or "en", is the language that the lab speaks from here on.

    >>> from openai import OpenAI
    >>> lab = qwen_lab.connect()
    Local Qwen: ...
    >>> client = OpenAI(base_url=lab.base_url, api_key=lab.api_key)

    A proxy or a certificate file that nothing can use is left out of this process's environment,
    and a script that ends in a `LabError` shows its sentence alone.

    Raises `LabError` when the endpoint is unknown or does not answer, `.env`, a key or an address
    cannot be right, a key would go elsewhere than it belongs, the local Qwen cannot start, or
    there is no tape; `ValueError` for another language.
    """
    if sys.excepthook is sys.__excepthook__:
        sys.excepthook = words.show
    if lang:
        words.use(lang)
    given = settings.read()
    if code:
        given = replace(given, process={**given.process, "QWEN_LAB_API_KEY": code})
    choice = plain(endpoint or given.get("QWEN_LAB_ENDPOINT"))
    if given.problem and choice not in ON_THIS_MACHINE:
        raise given.problem
    given.share()
    changed = network.prepare()
    # Said first: it may be why the local Qwen is asked, and its weights are large.
    if hint := not choice and usual(given) == "local" and dotfile.hint(given.path):
        print(hint, flush=True)
    lab = chosen(choice or usual(given), given)
    report.to(lab)
    # A tape says only what its recording said, so that a lesson's outputs are the same either way.
    more = [] if lab.kind == "replay" else [*_more(given, choice, lab), changed]
    print("\n".join(filter(None, [*_lines(lab), *more])))
    if sys.platform == "emscripten":
        from .page import weights

        weights.offer(lab.kind)
    return lab


def plain(choice: str | None) -> str | None:
    """Without what a shell left around it, and a name in small letters."""
    bare = settings.bare(choice or "")
    return (bare.lower() if bare.isalpha() else bare) or None


def usual(given: Settings) -> str:
    """Who answers where nobody is named: DashScope with its key, else the local Qwen."""
    return "dashscope" if given.get("DASHSCOPE_API_KEY") else "local"


def chosen(choice: str, given: Settings) -> Lab:
    """The lab for a choice; `LabError` as `connect` has it."""
    if sys.platform == "emscripten":
        from .page import kernel

        return kernel.lab(choice, lambda url: _elsewhere(url, given))
    if choice == "local":
        # A model for each learner is more than a hub's computer has room for.
        choice = _class_of_hub(given) or choice
    return (_on_this_machine if choice in ON_THIS_MACHINE else _elsewhere)(choice, given)


def _elsewhere(choice: str, given: Settings) -> Lab:
    ours = choice == "dashscope"
    if not ours and not set(choice) & set(":/.：／。"):
        raise LabError("connection.unknown_endpoint", endpoint=choice)
    named = (given.get("DASHSCOPE_BASE_URL") or addresses.BEIJING) if ours else choice
    url = addresses.mended(named)
    network.go_straight(url)
    # A DashScope key goes to DashScope's hosts alone, a key for another server has its own name.
    return (_dashscope if ours or addresses.region(url) else _custom)(given, url)


def _on_this_machine(kind: str, given: Settings) -> Lab:
    """The local Qwen, or with "replay" a tape of it."""
    from .endpoint import server

    if kind == "local":
        running = server.start()
    else:
        timed = given.get("QWEN_LAB_TAPE_SPEED") == "recorded"
        running = server.play(_tape(given), timed=timed)
    return Lab(running.base_url, running.model, kind, Secret(running.token))


def _tape(given: Settings) -> Path:
    """The tape that is asked for, else that of the lesson whose kernel this is."""
    if path := given.get("QWEN_LAB_TAPE"):
        return paths.given(path)
    # Jupyter tells each kernel the path of its notebook.
    if lesson := given.get("JPY_SESSION_NAME"):
        return paths.tape(Path(lesson))
    raise LabError("tape.unknown_tape")


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
    raise LabError("connection.key_elsewhere", host=addresses.host(url), path=given.path)


def _custom(given: Settings, url: str) -> Lab:
    key = _key(given, url)
    if model := given.get("QWEN_LAB_MODEL"):
        return Lab(url, model, "custom", key)
    if about := discovery.of_a_class(url, key):
        # One's own relay may cost money, and has nothing of the lab's to show.
        own = "custom" if about.get("relays") else "own"
        return Lab(url, about["model"], "class" if about.get("learner") else own, key, about)
    return Lab(url, discovery.first_model(url, key), "custom", key)


def _class_of_hub(given: Settings) -> str | None:
    """The address of its class in a JupyterHub's server, as its own environment names it."""
    named = settings.bare(given.process.get("QWEN_LAB_ENDPOINT") or "")
    return named if "://" in named and given.process.get("JUPYTERHUB_API_TOKEN") else None


def _key(given: Settings, url: str) -> Secret:
    """The key for the server of this address.

    A hub's token opens the learner's own server too: no file and no argument says where it goes.
    """
    ours = _class_of_hub(given)
    if ours and addresses.mended(ours) == url and not given.process.get("QWEN_LAB_API_KEY"):
        return Secret(given.process["JUPYTERHUB_API_TOKEN"])
    key = given.get("QWEN_LAB_API_KEY")
    return keys.checked(key, "QWEN_LAB_API_KEY") if key else Secret("none")


def _lines(lab: Lab) -> list[str]:
    kind, told = "local" if lab.kind == "replay" else lab.kind, []
    if kind == "dashscope" and addresses.region(lab.base_url):
        told = [_price(lab)]
    elif kind == "dashscope":
        # A name that looks like DashScope's is not taken for it, nor is the owner's own gateway.
        kind = "gateway"
        told = [say("connection.gateway_readable")] if lab.base_url.startswith("http:") else []
    if passed_on := lab.about.get("passed_on"):
        told.append(say("connection.passed_on", host=passed_on))
    if (left := lab.about.get("left")) is not None:
        told.append(say("connection.class_left", left=left))
    who = {"model": lab.model, "host": addresses.host(lab.base_url)}
    return [say(f"connection.{kind}", **who, name=lab.about.get("learner")), *told]


def _more(given: Settings, choice: str | None, lab: Lab) -> list[str]:
    """What else there is to say: what was mended, and which file counted."""
    told = [str(given.problem)] if given.problem else []
    wanted = given.get("DASHSCOPE_BASE_URL") if lab.kind == "dashscope" else None
    wanted = choice if set(choice or "") & set(":/.") else wanted
    if wanted and wanted.rstrip("/") != lab.base_url.rstrip("/"):
        told.append(say("connection.mended", url=addresses.shown(lab.base_url)))
    if path := given.used:
        told.append(say("connection.from_file", path=path))
    if sys.platform == "emscripten":
        from .page import kernel

        told += kernel.lost(lab.kind)
    return told


def _price(lab: Lab) -> str:
    if not addresses.has_list_price(lab.base_url):
        return say("connection.price_elsewhere")
    if not (price := models.price(lab.model)):
        return say("connection.price_unknown")
    return say("connection.price", input=price.input, output=price.output, date=price.date)
