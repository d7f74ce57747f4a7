"""Judge the exercises, one topic a file: each check takes an answer and returns an `Outcome`.

An outcome is "passed", "wrong" or, as long as a `...` stands in the answer, "not yet". Its message
says what was seen and what was expected. A check never raises.

>>> from qwen_lab import checks
>>> checks.messages.roles([{"role": "user", "content": "Hi"}], "system", "user")
wrong: Too few messages, 1, with the roles user; expected system → user.
"""

# What a lesson reaches as `checks.messages` and so on.
from . import (  # noqa: F401
    answers,
    calls,
    cost,
    errors,
    messages,
    request,
    response,
    schema,
    search,
    stream,
    tools,
)
from .outcome import Outcome  # noqa: F401
