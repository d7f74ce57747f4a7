"""Judge the exercises, one topic a file: each check takes an answer and returns an `Outcome`.

>>> from qwen_lab import checks
>>> checks.messages.roles(messages, "system", "user")
"""

from . import messages, response
from .outcome import Outcome

__all__ = ["Outcome", "messages", "response"]
