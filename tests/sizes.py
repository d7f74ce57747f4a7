"""Requests of any size: so many of something, each so long, up to the most that a body may have."""

import json

from hypothesis import strategies as st

HELLO = [{"role": "user", "content": "Say hello in JSON."}]
CALL = {"id": "c", "type": "function", "function": {"name": "f", "arguments": "{}"}}
# As many as fit into a request, and as long, in every mixture.
sizes = st.integers(0, 18).flatmap(
    lambda many: st.integers(0, 22 - max(many, 5)).map(lambda long: (2**many, 2**long))
)


def talk(count, length):
    return {"messages": [{"role": "user", "content": "好" * (length // 3 + 1)}] * (count // 4 + 1)}


def parts(count, length):
    content = [{"type": "text", "text": "a" * length}] * (count // 2 + 1)
    return {"messages": [{"role": "user", "content": content}]}


def results(count, length):
    """One message with so many calls of tools, and each one's result."""
    count = count // 8 + 1
    calls = [CALL | {"id": str(number)} for number in range(count)]
    said = {"role": "assistant", "content": "", "tool_calls": calls}
    told = [
        {"role": "tool", "tool_call_id": str(number), "content": "a" * (length // 8)}
        for number in range(count)
    ]
    return {"messages": [*HELLO, said, *told]}


def offered(count, length):
    function = {"name": "f", "description": "a" * length, "parameters": {"type": "object"}}
    return {"tools": [{"type": "function", "function": function}] * (count // 4 + 1)}


def stops(count, length):
    return {"stop": ["a" * length] * count}


def stop_tokens(count, length):
    return {"stop": [[7] * (length // 2 + 1)] * count}


def choices(count, length):
    return {"n": count, "max_tokens": length, "top_logprobs": count}


def broad(count, length):
    return formed({"type": "object", "properties": {f"{n:0{length}}": {} for n in range(count)}})


def alternatives(count, length):
    return formed(
        {"enum": ["a" * length] * count, "anyOf": [{"const": "b" * length}] * (count // 2)}
    )


def nested(count, length):
    inner = {"type": "string", "const": "a" * length}
    for _ in range(min(count, 300)):
        inner = {"anyOf": [inner, {"type": "null"}], "properties": {"p": inner}}
        if len(json.dumps(inner)) > 10**6:
            break
    return formed(inner)


def formed(schema):
    form = {"type": "json_schema", "json_schema": {"name": "a", "schema": schema}}
    return {"response_format": form}


def unknown(count, length):
    return {"metadata": [{"a" * length: []}] * count}


talk_shapes = st.sampled_from([talk, parts, results])
shapes = talk_shapes | st.sampled_from(
    [
        offered,
        stops,
        stop_tokens,
        choices,
        broad,
        alternatives,
        nested,
        unknown,
    ]
)
