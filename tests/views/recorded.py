"""Answers of the real DashScope as they were recorded (2026-02 to 2026-08), and its fields."""

import json

# qwen3-max, Virginia, 2026-02.
ANSWER = json.loads(
    '{"choices":[{"message":{"content":"Hello!","role":"assistant"},"finish_reason":"stop",'
    '"index":0,"logprobs":null}],"object":"chat.completion","usage":{"prompt_tokens":16,'
    '"completion_tokens":2,"total_tokens":18,"prompt_tokens_details":{"cached_tokens":0}},'
    '"created":1772124401,"system_fingerprint":null,"model":"qwen3-max",'
    '"id":"chatcmpl-m2YtEc9ZIb4pcPU_"}'
)
# qwen3.8-max, thinking, Singapore, 2026-08.
THOUGHT = json.loads(
    '{"choices":[{"finish_reason":"stop","index":0,"message":{"content":"Hello",'
    '"reasoning_content":"We need respond to user: …","role":"assistant"}}],'
    '"created":1786984432,"id":"chatcmpl-d3cda061-f2ba-909d-831e-fc549dd5fc6f",'
    '"model":"qwen3.8-max","object":"chat.completion","usage":{"completion_tokens":34,'
    '"completion_tokens_details":{"reasoning_tokens":28,"text_tokens":34},"prompt_tokens":56,'
    '"prompt_tokens_details":{"cached_tokens":0,"text_tokens":56},"total_tokens":90}}'
)
# qwen3-vl-flash, Singapore, 2026-02; "…same tail…" in the source is written out.
TAIL = {
    "object": "chat.completion.chunk",
    "usage": None,
    "created": 1772221048,
    "system_fingerprint": None,
    "model": "qwen3-vl-flash",
    "id": "chatcmpl-b2712819-a3a1-96fe-9308-5b032cc18741",
}
DELTAS = [{"content": "", "role": "assistant"}, {"content": "Hello"}, {"content": "."}]
PIECE = {"finish_reason": None, "logprobs": None, "index": 0}
USED = {
    "prompt_tokens": 16,
    "completion_tokens": 3,
    "total_tokens": 19,
    "completion_tokens_details": {"text_tokens": 3},
    "prompt_tokens_details": {"text_tokens": 16},
}
CHUNKS = [
    *({"choices": [PIECE | {"delta": delta}], **TAIL} for delta in DELTAS),
    {"choices": [PIECE | {"delta": {"content": ""}, "finish_reason": "stop"}], **TAIL},
    {"choices": [], **TAIL, "usage": USED},
]
# qwen3-max, 2026-02: how a call of a tool is streamed.
CALLS = [
    {"id": "call_56a1630341b54bebaddf132e", "name": "square_root", "arguments": ""},
    {"id": "", "arguments": ' {"number"'},
    {"id": "", "arguments": ": 132413}"},
]
CALLED = {"prompt_tokens": 160, "completion_tokens": 21, "total_tokens": 181}
WRONG_KEY = {
    "error": {
        "message": "Incorrect API key provided. For details, see: https://www.alibabacloud.com/"
        "help/en/model-studio/error-code#apikey-error",
        "type": "invalid_request_error",
        "param": None,
        "code": "invalid_api_key",
    },
    "request_id": "8737bda2-61e7-967b-83ab-7e0994cc78f1",
}
# What the official pages name beyond the recordings: under a message, and under usage.
MESSAGE = "role content reasoning_content refusal audio function_call tool_calls".split()
PROMPT = (
    "cached_tokens text_tokens audio_tokens image_tokens video_tokens cache_creation"
    " cache_creation.ephemeral_5m_input_tokens cache_creation_input_tokens cache_type"
).split()
COMPLETION = "reasoning_tokens text_tokens audio_tokens".split()
DOCUMENTED = [
    *(f"choices[].message.{name}" for name in MESSAGE),
    *(f"usage.prompt_tokens_details.{name}" for name in PROMPT),
    *(f"usage.completion_tokens_details.{name}" for name in COMPLETION),
    *("service_tier", "system_fingerprint", "choices[].logprobs", "choices[].finish_reason"),
]


def tool_chunks() -> list[dict]:
    """A streamed tool call to its end, in the recorded grammar."""
    end = {"choices": [PIECE | {"delta": {"content": ""}, "finish_reason": "tool_calls"}], **TAIL}
    return [*tool_pieces(), end, {"choices": [], **TAIL, "usage": CALLED}]


def tool_pieces() -> list[dict]:
    """The pieces of the call, without what ends the stream."""
    pieces = []
    for call in CALLS:
        function = {name: call[name] for name in ("name", "arguments") if name in call}
        delta = {"tool_calls": [{"index": 0, "id": call["id"], "function": function}]}
        pieces.append({"choices": [PIECE | {"delta": delta}], **TAIL})
    pieces[0]["choices"][0]["delta"]["tool_calls"][0]["type"] = "function"
    return pieces
