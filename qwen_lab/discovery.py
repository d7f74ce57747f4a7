"""What a server says of itself when it is asked: whether it is a class's, and its models."""

import re

from . import addresses, network
from .words import LabError

# Models that a server may list first and that answer no chat.
NO_CHAT = re.compile(
    r"embed|rerank|moderation|whisper|tts|asr|speech|image|diffusion|dall-e|(^|[/_-])(bge|gte|e5)[_-]",
    re.I,
)


def of_a_class(url: str, key: str) -> dict | None:
    """What a class's endpoint says of itself; None where another server answers."""
    try:
        found = _got(url, key, "/lab")
    except LabError as error:
        if error.key == "connection.silent":
            raise
        return None
    is_ours = isinstance(found, dict) and "qwen_lab" in found
    return found if is_ours and isinstance(found.get("model"), str) else None


def first_model(url: str, key: str) -> str:
    """The first model that it lists and that can chat; `LabError` where there is none."""
    listed = _got(url, key, "/models")
    rows = listed.get("data") if isinstance(listed, dict) else None
    for row in rows if isinstance(rows, list) else []:
        name = row.get("id") if isinstance(row, dict) else None
        if isinstance(name, str) and name and not NO_CHAT.search(name):
            return name
    raise LabError("connection.no_models", url=addresses.shown(url))


def _got(url: str, key: str, path: str) -> object:
    import openai

    try:
        with openai.OpenAI(base_url=url, api_key=key, timeout=10, max_retries=0) as client:
            return client.get(path, cast_to=object)
    except openai.AuthenticationError as error:
        raise LabError("connection.wants_key", url=addresses.shown(url)) from error
    except openai.APIConnectionError as error:
        raise LabError(
            "connection.silent", url=addresses.shown(url), reason=network.why(error, url)
        ) from error
    except (openai.OpenAIError, ValueError) as error:
        raise LabError("connection.no_models", url=addresses.shown(url)) from error
