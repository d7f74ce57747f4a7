"""An endpoint to call, and what only the local Qwen shows: its probabilities and its notes."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from .words import LabError

if TYPE_CHECKING:
    import httpx2

    from .watch.next_token import NextToken

# A whole vocabulary takes two seconds, and other requests may be before this one.
PATIENCE = 120


@dataclass(frozen=True)
class Lab:
    """An endpoint to call, as `qwen_lab.connect()` returns it.

    `base_url` and `api_key` are what `openai.OpenAI` takes, `model` is what each call takes, and
    `kind` says who answers: "local", "replay" (a tape of the local Qwen), "page" (such a tape, in
    a page), "browser" (the Qwen in a page), "class" (a class's Qwen), "own" (another server's
    model, behind `serve`), "dashscope" or "custom".
    The key is left out of what a cell shows.

    >>> from openai import OpenAI
    >>> client = OpenAI(base_url=lab.base_url, api_key=lab.api_key)
    """

    base_url: str
    model: str
    kind: str
    api_key: str = field(repr=False)
    # What a class's endpoint said of itself when it was connected.
    about: dict = field(default_factory=dict, repr=False, compare=False)

    @property
    def is_local(self) -> bool:
        """True for the local Qwen, its tapes and a class's: calls cost the learner no money."""
        return self.kind in ("local", "replay", "page", "browser", "class", "own")

    def next_token(
        self,
        messages: list[dict],
        prefix: str | Sequence[int] = "",
        *,
        whole: bool = False,
        tail: bool = True,
    ) -> "NextToken":
        """The model's own probabilities for the token after `prefix` of its answer.

        `messages` is a conversation as in a call; `prefix` is how the answer begins, as text or as
        token ids. The `NextToken` lists the 1,000 likeliest tokens, and those of the context, with
        their log-probabilities (natural logarithms, before temperature and any cut). The others
        are counted in its tail, which takes a second or two; `tail=False` leaves them out, and
        `whole=True` lists the whole vocabulary (151,936 tokens) instead. A tape has the first 200.

        >>> found = lab.next_token([{"role": "user", "content": "Who are you?"}])
        >>> found.ids.dtype, found.logprobs.dtype
        (dtype('int32'), dtype('float32'))

        Raises `LabError` when another than the local Qwen is connected, when the local Qwen
        refuses the request, and when it no longer answers, or something else does.
        """
        self._require_local("next_token")
        from .watch import next_token

        prefix = prefix if isinstance(prefix, str) else [int(token) for token in prefix]
        asked = {"messages": messages, "prefix": prefix, "whole": whole, "tail": tail}
        path = "lab/next_token"
        return self._ask(lambda answer: next_token.load(answer.content), "POST", path, json=asked)

    def search(self, question: str) -> list[dict[str, str]]:
        """The notes that `enable_search` would find for a question, the best first.

        Each note is a dict with its "title" and its "text"; the list is empty where none fits.

        >>> notes = lab.search("How many golds did China win in Paris?")
        >>> [sorted(note) for note in notes[:1]]
        [['text', 'title']]

        Raises `LabError` when another than the local Qwen is connected, and when it no longer
        answers, or something else does.
        """
        self._require_local("search")
        return self._ask(_notes, "GET", "lab/search", params={"question": question})

    def left(self) -> int | None:
        """How many tokens a class's endpoint still gives you; None where there is no limit.

        >>> lab.left()

        Raises `LabError` when it no longer answers, or something else does.
        """
        if self.kind != "class":
            return None
        return self._ask(lambda answer: answer.json()["left"], "GET", "lab")

    def _require_local(self, name: str) -> None:
        if not self.is_local:
            raise LabError("connection.only_local", name=f"lab.{name}")

    def _ask(self, read: Callable, method: str, path: str, **content: object) -> object:
        """What `read` makes of the server's answer."""
        import httpx2

        url = f"{self.base_url.rstrip('/')}/{path}"
        headers = {"Authorization": f"Bearer {self.api_key}"}
        try:
            with httpx2.Client(trust_env=self.kind == "class", timeout=PATIENCE) as client:
                answer = client.request(method, url, headers=headers, **content)
        except httpx2.HTTPError as error:
            key = "class_closed" if self.kind == "class" else "unreachable"
            raise LabError(f"connection.{key}", url=self.base_url) from error
        try:
            if answer.status_code == 200:
                return read(answer)
            error = answer.json()["error"]
            # What a tape says of that needs no word before it.
            key = "unrecorded" if error.get("code") == "not_on_tape" else "refused"
            refused = LabError(f"connection.{key}", message=error["message"])
        # Another server may have the port by now: what it says may break a reader anywhere.
        except Exception as error:
            raise LabError("connection.not_the_lab", url=self.base_url) from error
        raise refused


def _notes(answer: "httpx2.Response") -> list[dict[str, str]]:
    notes = answer.json()["notes"]
    if not all(isinstance(text, str) for note in notes for text in (note["title"], note["text"])):
        raise TypeError(notes)
    return notes
