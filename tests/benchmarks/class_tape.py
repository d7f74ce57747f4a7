"""How many answers 200 clients get in 20 s of a tape, and whether the server says it is well.

Goals: twice what they got before the endpoint was asynchronous, at commit 030e326, where these
were 1,242 streamed (≥ 2484) and 3,204 in one piece (≥ 6408); `/health` answers with p99 ≤ 100 ms.
"""

import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import SimpleNamespace

from replay import record
from room import apart, asked, for_a_while, share, watched
from server import request
from table import Row, show

QUESTION = "写一首关于大海的长诗。"
CLIENTS, SECONDS, ANSWERS = 200, 20, 20_000
GOALS = {True: "≥ 2484", False: "≥ 6408"}
PLAY = """
import sys; from pathlib import Path; from qwen_lab.endpoint import server
played = server.play(Path(sys.argv[1]))
print(played.base_url, played.port, played.model, played.token, flush=True)
sys.stdin.read()
"""


@contextmanager
def playing(tape: Path) -> Iterator[SimpleNamespace]:
    """A tape's server, in a process of its own."""
    command, pipe = [sys.executable, "-c", PLAY, str(tape)], subprocess.PIPE
    with subprocess.Popen(command, stdin=pipe, stdout=pipe, text=True) as process:
        url, port, model, token = process.stdout.readline().split()
        yield SimpleNamespace(base_url=url, port=int(port), model=model, token=token)
        process.kill()


async def answered(server: object, stream: bool) -> int:
    """How many answers all clients get together."""
    call, count = request(server, QUESTION, max_tokens=200, stream=stream), 0

    async def client() -> None:
        nonlocal count
        while True:
            answer = await asked(call)
            assert answer.status == 200, answer.content
            count += 1

    await for_a_while((client() for _ in range(CLIENTS)), SECONDS)
    return count


def rows() -> Iterator[Row]:
    with tempfile.TemporaryDirectory() as folder:
        tape = Path(folder) / "tape.jsonl"
        record(tape, ANSWERS)
        for stream, how in {True: "streamed", False: "in one piece"}.items():
            with playing(tape) as server, watched(server.port) as waits:
                count = apart(answered, server, stream)
            yield Row(f"200 clients, 20 s of a tape: answers {how}", [count], "", GOALS[stream])
            yield Row(f"/health beside them, {how}", waits, "ms")
            yield Row(f"/health beside them, {how}, p99", [share(waits, 99)], "ms", "≤ 100")


if __name__ == "__main__":
    show(rows())
