"""What one person alone would notice of a class: the same calls to a server of one's own and to
one with turns, shares and an allowance, by turns.

Goals, class ÷ alone: time to the first token ≤ 1.02, tokens a second ≥ 0.98.
"""

import multiprocessing
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor

from server import here, request
from speed import STREAM, over_http
from table import Row, show

PAIRS = 20
# With a seed: in a class no call reads from the prompt cache.
ASKED = {"seed": 1, "max_tokens": 60, **STREAM}


def rows() -> Iterator[Row]:
    fresh = multiprocessing.get_context("spawn")
    with here() as alone, here(room=True) as room, ProcessPoolExecutor(1, mp_context=fresh) as pool:
        pairs = []
        for number in range(-2, PAIRS):
            both = [alone, room] if number % 2 else [room, alone]
            calls = [request(each, f"写一首关于大海的长诗。编号{number}", **ASKED) for each in both]
            timings = [pool.submit(over_http, call).result() for call in calls]
            # The first two are for the engines to get warm.
            pairs += [timings[:: 1 if number % 2 else -1]] * (number >= 0)
    yield Row("time to the first token, alone", [1000 * alone.first for alone, _ in pairs], "ms")
    firsts = [room.first / alone.first for alone, room in pairs]
    yield Row("time to the first token, class ÷ alone", firsts, "", "≤ 1.02")
    speeds = [room.speed / alone.speed for alone, room in pairs]
    yield Row("tokens a second, class ÷ alone", speeds, "", "≥ 0.98")


if __name__ == "__main__":
    show(rows())
