"""A call as Python that a learner can run: the call alone, and a whole cell."""

import json

from ..lab import Lab

IMPORTS = "from openai import OpenAI\n\nimport qwen_lab\n"
WHOLE = "\nprint(completion.choices[0].message.content)\n"
STREAMED = """
for chunk in completion:
    if chunk.choices and chunk.choices[0].delta.content:
        print(chunk.choices[0].delta.content, end="")
"""


def call(request: dict, model: str = "lab.model") -> str:
    """The call that makes the request; `model` is how the code names the model."""
    given = [f"    {name}={_literal(value)}," for name, value in request.items() if name != "model"]
    return "\n".join(["client.chat.completions.create(", f"    model={model},", *given, ")"])


def cell(request: dict, lab: Lab) -> str:
    """A complete cell: run where the lab is installed, it connects, calls and prints."""
    endpoint = lab.base_url if lab.kind in ("custom", "class", "own") else lab.kind
    return (
        f"{IMPORTS}\nlab = qwen_lab.connect({_literal(endpoint)})\n"
        "client = OpenAI(base_url=lab.base_url, api_key=lab.api_key)\n"
        f"completion = {call(request, _literal(request['model']))}\n"
        f"{STREAMED if request.get('stream') else WHOLE}"
    )


def _literal(value: object) -> str:
    """The value as Python, with the lessons' double quotes."""
    if isinstance(value, dict):
        items = ", ".join(f"{_literal(name)}: {_literal(item)}" for name, item in value.items())
        return f"{{{items}}}"
    if isinstance(value, list | tuple):
        return f"[{', '.join(map(_literal, value))}]"
    # A string of JSON is one of Python too.
    return json.dumps(value, ensure_ascii=False) if isinstance(value, str) else repr(value)
