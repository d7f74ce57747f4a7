"""The page's numbers without NumPy: what the lab computes with them is what it computes with it."""

import importlib
import io
import sys

import numpy
import pytest

from qwen_lab.endpoint import tape_line
from qwen_lab.endpoint.request import parse
from qwen_lab.page import arrays
from qwen_lab.paths import originals
from qwen_lab.watch import next_token, sampling

MODULES = (next_token, sampling, tape_line)
SETTINGS = (
    {},
    {"temperature": 1.9, "top_p": 0.8},
    {"temperature": 0},
    {"top_k": 20, "top_p": 0.9, "repetition_penalty": 1.5, "frequency_penalty": 0.5},
    {"presence_penalty": -2, "top_p": 0.1},
)


def looked():
    """All that is computed from a lesson's looks at the next token, as plain numbers."""
    lines = (originals() / "tape" / "en" / "02_parameters.jsonl").read_bytes().splitlines()[1:]
    rows = [row for row in map(parse, lines) if "next" in row]
    for row in rows:
        found = next_token.load(tape_line.next_token(row).dump())
        few = found.first(50)
        yield [*few.ids.tolist(), *few.tail_counts.tolist(), *map(float, few.tail_logprobs)]
        yield found.logprobs.astype(str).astype(float).tolist()
        for settings in SETTINGS:
            for stage in sampling.stages(found, sampling.Settings(**settings)):
                kept = [float(each) for each in stage.kept]
                numbers = [*map(float, stage.probabilities)]
                yield [*numbers, *kept, stage.tail, stage.tokens, stage.mass]


def looked_without_numpy():
    before = {module: dict(vars(module)) for module in MODULES}
    with pytest.MonkeyPatch.context() as page:
        page.setitem(sys.modules, "numpy", arrays)
        try:
            for module in MODULES:
                importlib.reload(module)
            return [*looked()]
        finally:
            for module, names in before.items():
                vars(module).update(names)


def test_all_that_a_lesson_computes_comes_to_the_same():
    expected, found = [*looked()], looked_without_numpy()
    assert len(found) == len(expected) > 50
    for one, other in zip(found, expected, strict=True):
        assert one == pytest.approx(other, rel=1e-6, abs=1e-12)


def test_each_reads_the_archives_of_the_other():
    for one, other in ((numpy, arrays), (arrays, numpy)):
        file = io.BytesIO()
        one.savez(file, ids=one.array([3, 1, 2], one.int32), size=7)
        with other.load(io.BytesIO(file.getvalue()), allow_pickle=False) as read:
            found = dict(read)
        assert (found["ids"].tolist(), found["ids"].dtype) == ([3, 1, 2], "i4")
        assert (found["size"].item(), found["size"].ndim) == (7, 0)


def test_draws_follow_the_weights_and_the_seed():
    counts = arrays.random.default_rng(1).multinomial(10_000, [0.7, 0.0, 0.3]).tolist()
    assert sum(counts) == 10_000 and counts[1] == 0 and 6_700 < counts[0] < 7_300
    assert counts == arrays.random.default_rng(1).multinomial(10_000, [0.7, 0.0, 0.3]).tolist()
