"""The local endpoint: a real Qwen on this machine behind DashScope's protocol.

A request's way through the files, from top to bottom and back:

    server      one process for all kernels, found by its `server_file`, with the `weights`
    app         DashScope's paths; each leads through what follows
    request     the guards: who asks (`learner`), an id for it, the body and its JSON
    weather     bad weather on purpose: waits, refuses, or spoils the answer on its way out
    rules       DashScope's checks (`messages`, `tools`, `schema`): a `ChatRequest` or a `refusal`
    search      notes, put into the prompt before the question
    answer      events, once for each choice
    turns       a slot (`slots`) when the learner's turn has come, and in it the engine
    engine      what is asked of a model, and the events that it answers with; behind it stands
                `llama` (with `llama_request`, `llama_chunks`), or a `tape` (`tape_line`) of one
    chunks      the events as DashScope's chunks, which app sends one by one or put together

Whoever stops reading, at whatever place, stops the engine at its next token and frees the slot.
"""

# The path of them all, the same as in the cloud.
BASE = "/compatible-mode/v1"
