"""The words a person reads, in Chinese and English, and the error that carries them.

The words lie in `words/<language>/<topic>.toml`, one file a topic, the same keys in both
languages (by test). Standard library only: set-up speaks before anything is installed.
"""

import errno
import os
import re
import reprlib
import sys
import tomllib
from collections.abc import Iterable, Iterator
from functools import cache
from pathlib import Path

WORDS = Path(__file__).parent / "words"
LANGUAGES = ("en", "zh")
# What could steer a terminal, or turn a line's order round: controls, marks of direction, and
# halves of characters, which no terminal can take.
STEERING = re.compile(
    "[\0-\x08\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069\ud800-\udfff]"
)


def use(language: str) -> None:
    """Speak this language, "zh" or "en", from now on in this process and those it starts."""
    if language not in LANGUAGES:
        raise ValueError(f"language is {language!r}; it must be one of {', '.join(LANGUAGES)}")
    os.environ["QWEN_LAB_LANG"] = language


def language() -> str:
    """The language in use: that of `QWEN_LAB_LANG`, else the locale's; "zh" or "en"."""
    wanted = os.environ.get("QWEN_LAB_LANG") or _locale()
    return "zh" if wanted.lower().startswith("zh") else "en"


def tag() -> str:
    """The language in use as a page names it; by that a browser chooses the font of its letters."""
    return {"zh": "zh-Hans"}.get(language(), "en")


def reads_chinese() -> bool:
    """Whether the language in use is Chinese, or the system's is."""
    return "zh" in (language(), _locale().lower()[:2])


def say(key: str, **values: object) -> str:
    """The words for "topic.name" in the language in use, with `values` filled in, printable."""
    topic, name = key.split(".", 1)
    return printable(_topic(language(), topic)[name].format(**values))


def joined(parts: Iterable[str], between: str = "names") -> str:
    """The parts in a line, with what the language puts `between` such parts.

    >>> joined(["top_k", "top_p"])
    'top_k, top_p'
    """
    return say(f"joins.{between}").join(parts)


def printable(text: str) -> str:
    """The text with a "�" for each character that could steer a terminal; lines and tabs stay.

    All goes through here that a terminal shows, or a notebook as plain text: some of it is a
    server's, such as a model's name.
    """
    return STEERING.sub("\ufffd", text.replace("\r\n", "\n"))


def names(topic: str) -> set[str]:
    """The names in a topic: those that `say` knows as "topic.name"."""
    return set(_topic(language(), topic))


def patterns(topic: str, spoken: str = "") -> dict[str, str]:
    """The words of a topic as they stand in its file, for a page that fills the values in.

    In the language in use, or in the one that is `spoken`.
    """
    return {name: printable(words) for name, words in _topic(spoken or language(), topic).items()}


def reason(error: BaseException) -> str:
    """Why something failed, to stand within a sentence: a usual cause in the language in use.

    What is none of these is quoted as the system, or a library, put it.

    >>> reason(PermissionError(13, "Permission denied"))
    'permission is missing'
    """
    *_, error = causes(error)
    kinds = [each.__name__ for each in type(error).__mro__]
    number = errno.errorcode.get(getattr(error, "errno", None), "").removeprefix("WSA")
    known = [name for name in (*kinds, number) if name in names("reasons")]
    told = getattr(error, "verify_message", None) or getattr(error, "strerror", None) or str(error)
    return say(f"reasons.{[*known, 'other'][0]}", said=within(told) or kinds[0])


def within(said: str) -> str:
    """Somebody's sentence, to stand within one of ours, which has an end of its own.

    >>> within("The model is overloaded. ")
    'The model is overloaded'
    """
    return said.strip().rstrip(" .。")


def causes(error: BaseException) -> Iterator[BaseException]:
    """An error and what caused it, the first cause last; httpcore2 keeps that as an argument."""
    while isinstance(error, BaseException):
        yield error
        error = error.__cause__ or next(iter(error.args), None)


class LabError(Exception):
    """Something the lab cannot do: what happened and the one thing to do next.

    Its text is in the reader's language: the words for `key`, with the `values` filled in. `key`
    ("weights.disk_full") says the same to code, which need not read the sentence.

    >>> try:
    ...     qwen_lab.connect("nowhere")
    ... except qwen_lab.LabError as error:
    ...     print(error.key)
    connection.unknown_endpoint
    """

    def __init__(self, key: str, **values: object) -> None:
        super().__init__(say(key, **values))
        self.key = key

    def _render_traceback_(self) -> list[str]:
        """What IPython shows of it: the lab's own lines above it would tell the learner nothing."""
        return [f"{type(self).__name__}: {self}"]


def show(kind: type, error: BaseException, trace: object) -> None:
    """For `sys.excepthook`: a script that ends in a `LabError` shows it as a notebook does."""
    if isinstance(error, LabError):
        print(*error._render_traceback_(), file=sys.stderr)
    else:
        sys.__excepthook__(kind, error, trace)


class WrongTypeError(LabError, TypeError):
    """A `TypeError` in the reader's words, which tell what was `given` in its place."""

    def __init__(self, key: str, given: object, **values: object) -> None:
        name = "None" if given is None else type(given).__name__
        plain = type(given) in (str, int, float, bool)
        super().__init__(key, given=f"{reprlib.repr(given)} ({name})" if plain else name, **values)


class WrongValueError(LabError, ValueError):
    """A `ValueError` in the reader's words."""


def need_type(key: str, value: object, kinds: type | tuple[type, ...], **values: object) -> None:
    """Raise a `WrongTypeError` in the words for `key`, unless the value is of one of these types.

    >>> need_type("xray.no_answer", "Paris.", ChatCompletion)
    WrongTypeError: You gave 'Paris.' (str), which isn't a reply. Pass the whole reply, …
    """
    if not isinstance(value, kinds):
        raise WrongTypeError(key, value, **values)


@cache
def _topic(language: str, topic: str) -> dict[str, str]:
    return tomllib.loads((WORDS / language / f"{topic}.toml").read_text(encoding="utf-8"))


def _locale() -> str:
    for name in ("LC_ALL", "LC_MESSAGES", "LANG"):
        if value := os.environ.get(name):
            return value
    if sys.platform == "win32":
        import ctypes

        # The primary language is the low ten bits; 0x04 is Chinese.
        return "zh" if ctypes.windll.kernel32.GetUserDefaultUILanguage() & 0x3FF == 0x04 else "en"
    if sys.platform == "darwin":
        import subprocess

        asked = ["defaults", "read", "-g", "AppleLocale"]
        return subprocess.run(asked, capture_output=True, text=True).stdout or "en"
    return "en"
