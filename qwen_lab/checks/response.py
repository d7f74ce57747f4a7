"""Checks of a response: the `ChatCompletion` that the SDK returns."""

from .outcome import Outcome, check, passed, shown, wrong

# Reasons that a learner can bring about, each with words on how.
ADVICE = {
    "length": "checks.reason_not_length",
    "stop": "checks.reason_not_stop",
    "tool_calls": "checks.reason_not_tool_calls",
}


@check
def finish_reason(completion: object, expected: str) -> Outcome:
    """Judge that the response ended for this reason: "length", "stop", "tool_calls" …

    `completion` is the whole `ChatCompletion`; its first choice counts.
    """
    # Checks are imported with `qwen_lab`, which must not wait for the SDK.
    from openai.types.chat import ChatCompletion

    if not isinstance(completion, ChatCompletion):
        return _no_completion(completion)
    if not completion.choices:
        return wrong("checks.completion_no_choices", expected=expected)
    reason = completion.choices[0].finish_reason
    if reason == expected:
        return passed("checks.reason_passed", expected=expected)
    key = ADVICE.get(expected, "checks.reason_other")
    return wrong(key, seen=shown(reason), expected=expected)


def _no_completion(answer: object) -> Outcome:
    from openai import AsyncStream, Stream

    if isinstance(answer, str):
        return wrong("checks.completion_text", seen=shown(answer))
    if isinstance(answer, Stream | AsyncStream):
        return wrong("checks.completion_stream")
    return wrong("checks.completion_other", seen=shown(answer))
