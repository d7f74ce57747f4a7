"""The stages of drawing a token: against a plain reading of the rules, and against real draws."""

import asyncio
import math
from collections import Counter
from dataclasses import asdict

import numpy
import pytest

from qwen_lab.endpoint.engine import Piece
from qwen_lab.endpoint.llama import LlamaEngine
from qwen_lab.endpoint.llama_request import TOLD
from qwen_lab.endpoint.rules import checked_request
from qwen_lab.endpoint.weights import weights
from qwen_lab.watch.next_token import WHOLE, listed
from qwen_lab.watch.sampling import STAGES, Settings, stages


def plain(found, settings):
    """The rules token by token, as llama.cpp's source has them."""
    context, logits = found.context.tolist(), {}
    for number, logprob in zip(found.ids.tolist(), found.logprobs.tolist(), strict=True):
        logit, count = logprob + found.logit_offset, context.count(number)
        if count:
            factor = settings.repetition_penalty
            logit = logit / factor if logit > 0 else logit * factor
            logit -= count * settings.frequency_penalty + settings.presence_penalty
        logits[number] = logit
    ranked = sorted(logits, key=lambda number: -logits[number])
    if settings.temperature == 0:
        ranked = ranked[:1]
    if 0 < settings.top_k <= 100:
        ranked = ranked[: settings.top_k]
    best = logits[ranked[0]]
    weights = {n: math.exp((logits[n] - best) / (settings.temperature or 1)) for n in ranked}
    nucleus, total, sum_all = {}, 0.0, sum(weights.values())
    for number in ranked:
        nucleus[number] = weights[number]
        total += weights[number] / sum_all
        if settings.top_p < 1 and total >= settings.top_p:
            break
    mass = sum(nucleus.values())
    return {number: weight / mass for number, weight in nucleus.items()}


@pytest.fixture(scope="module")
def whole():
    """A vocabulary like the real one; the context has likely, middling and very rare tokens."""
    logits = numpy.sort(numpy.random.default_rng(7).normal(0, 2.5, 20_000))[::-1]
    logits[:4] += (9, 7, 6, 5)
    offset = float(numpy.log(numpy.exp(logits).sum()))
    rows = [(n, b"t%d" % n, logit - offset) for n, logit in enumerate(logits)]
    context = [0, 1, 1, 1, 7, 40, 40, 900, 1500, 8_000, 19_990, 30_000]
    return listed(rows, context, 10, offset)


SETTINGS = [
    Settings(),
    Settings(temperature=0),
    Settings(temperature=0.05),
    Settings(temperature=1.99),
    Settings(top_k=1),
    Settings(temperature=1.5, top_k=20),
    Settings(top_k=101),
    Settings(top_p=0.8),
    Settings(top_p=0.01),
    Settings(temperature=1.9, top_p=0.95),
    Settings(temperature=1.2, top_k=50, top_p=0.6),
    Settings(repetition_penalty=1.3),
    Settings(repetition_penalty=0.4),
    Settings(repetition_penalty=2, top_p=0.9),
    Settings(presence_penalty=1.5),
    Settings(presence_penalty=-2, frequency_penalty=-2),
    Settings(frequency_penalty=2, top_k=3),
    Settings(1.4, 0.9, 30, 1.2, 0.5, 0.5),
]


@pytest.mark.parametrize("settings", SETTINGS)
def test_a_whole_vocabulary_is_drawn_exactly_as_the_rules_say(whole, settings):
    last, expected = stages(whole, settings)[-1], plain(whole, settings)
    assert {n for n, kept in enumerate(last.kept) if kept} == expected.keys()
    assert last.tokens == len(expected) and last.tail == 0
    wanted = numpy.array(list(expected.values()))
    assert last.probabilities[list(expected)] == pytest.approx(wanted, rel=1e-6, abs=1e-300)


@pytest.mark.parametrize("settings", SETTINGS)
def test_a_counted_tail_leaves_every_stage_right_to_one_percent(whole, settings):
    short = whole.first(1000)
    for real, stage in zip(stages(whole, settings), stages(short, settings), strict=True):
        assert stage.probabilities == pytest.approx(real.probabilities[short.ids], rel=0.01)
        assert stage.tail == pytest.approx(1 - real.probabilities[short.ids].sum(), rel=0.01)
        assert stage.tokens == pytest.approx(real.tokens, rel=0.01)
        assert stage.mass == pytest.approx(real.mass, rel=0.01)


@pytest.mark.parametrize("settings", SETTINGS)
def test_every_stage_sums_to_one(whole, settings):
    told = stages(whole.first(200), settings)
    assert [stage.name for stage in told] == list(STAGES)
    for stage in told:
        assert stage.probabilities.sum() + stage.tail == pytest.approx(1)


def test_a_stage_says_how_much_it_has_kept(whole):
    raw, *_, few, nucleus = stages(whole, Settings(top_k=10, top_p=0.9))
    assert few.tokens == 10 and few.mass == pytest.approx(raw.probabilities[:10].sum())
    assert (
        nucleus.mass == pytest.approx(few.probabilities[nucleus.kept].sum()) and nucleus.mass > 0.9
    )


def test_a_cut_may_pass_through_the_tail(whole):
    last = stages(whole.first(20), Settings(temperature=1.9, top_k=50))[-1]
    assert last.tokens == 50 and 0 < last.tail < 1
    # The context's rare tokens are listed after the twenty likeliest, but lie beyond the cut.
    assert last.kept[:20].all() and not last.kept[-3:].any()


def test_a_list_without_its_tail_stands_for_itself():
    found = listed([(5, b"a", -1.0), (6, b"b", -2.0)])
    last = stages(found, Settings())[-1]
    assert last.probabilities == pytest.approx([0.7310586, 0.2689414]) and last.tail == 0


FRUIT = [{"role": "user", "content": "苹果、香蕉、橙子、葡萄、草莓：随便选一种，只说名字。"}]
POEM = [{"role": "user", "content": "写一首关于秋天的短诗"}]
CALLS = 100


@pytest.fixture(scope="module")
def engine():
    path = weights.fetch()
    return LlamaEngine(path, weights.model_id(path))


def engine_says(engine, context, settings):
    """The probabilities that llama.cpp's own sampler is left with, the fifty largest."""
    options = asdict(settings)
    options["top_k"] = 0 if settings.top_k > 100 else settings.top_k
    options["repeat_penalty"] = options.pop("repetition_penalty")
    options |= {name: TOLD["answer"][name] for name in ("samplers", "repeat_last_n")}
    options["post_sampling_probs"] = True
    # A part of a character, if it were drawn, would come without probabilities.
    request = {"prompt": context, "n_predict": 1, "n_probs": 50, "seed": 1, **options}
    [answer] = engine._post("/completion", request)["completion_probabilities"]
    return {row["id"]: row["prob"] for row in answer["top_probs"] if row["prob"]}


@pytest.mark.model
@pytest.mark.parametrize("settings", SETTINGS)
def test_the_last_stage_is_what_the_engines_own_sampler_has(engine, settings):
    found = asyncio.run(engine.next_token(FRUIT, "苹果，苹果，", WHOLE)).first(1000)
    last = stages(found, settings)[-1]
    own, ours = engine_says(engine, found.context.tolist(), settings), last.probabilities
    for number, probability in zip(found.ids.tolist(), ours.tolist(), strict=True):
        if number in own:
            assert probability == pytest.approx(own.pop(number), rel=1e-3, abs=1e-6)
    # What the engine has beside: tokens of the tail, or ones that lie on a cut's very edge.
    assert sum(own.values()) <= last.tail + 1e-4


def first_texts(engine, messages, settings):
    """What real calls of one token answer, each with a seed of its own."""
    request = {"model": engine.model, "messages": messages, "max_tokens": 1, **asdict(settings)}
    call, texts = checked_request(request, engine.model), Counter()
    for seed in range(CALLS):
        seen = []
        engine.answer(call, seed, False, seen.append)
        texts["".join(event.text for event in seen if isinstance(event, Piece))] += 1
    return texts


def chi_square(found, stage, texts):
    """The statistic and its critical value at 0.001, over bins of which 5 are expected."""
    bins, rest, expected_rest = [], CALLS, float(CALLS)
    for token, probability in zip(found.bytes, stage.probabilities, strict=True):
        text, expected = token.decode(errors="ignore"), CALLS * probability
        # Parts of a character are no text yet: they belong to the rest.
        if expected >= 5 and text.encode() == token and text:
            bins.append((texts[text], expected))
            rest, expected_rest = rest - texts[text], expected_rest - expected
    bins.append((rest, max(expected_rest, 1e-9)))
    if expected_rest < 5:
        last, beside = bins.pop(), bins.pop()
        bins.append((last[0] + beside[0], last[1] + beside[1]))
    freedom = len(bins) - 1
    # Wilson and Hilferty's formula; 3.0902 is the normal distribution's own value.
    part = 2 / (9 * freedom)
    critical = freedom * (1 - part + 3.0902 * math.sqrt(part)) ** 3
    return sum((seen - expected) ** 2 / expected for seen, expected in bins), critical


@pytest.mark.model
@pytest.mark.parametrize(
    ("messages", "settings"),
    [
        (POEM, Settings()),
        (POEM, Settings(temperature=1.5, top_k=20)),
        (FRUIT, Settings(top_p=0.8)),
        (FRUIT, Settings(repetition_penalty=1.3)),
        (FRUIT, Settings(temperature=1.5, presence_penalty=1.5)),
    ],
)
def test_real_calls_draw_as_often_as_the_last_stage_says(engine, messages, settings):
    found = asyncio.run(engine.next_token(messages, "", WHOLE)).first(1000)
    texts = first_texts(engine, messages, settings)
    statistic, critical = chi_square(found, stages(found, settings)[-1], texts)
    assert sum(texts.values()) == CALLS and statistic < critical
