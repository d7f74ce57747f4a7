"""What each stage of drawing a token does now, in sentences with its numbers."""

from collections.abc import Sequence

import numpy

from ..parameters import limit
from ..watch.next_token import NextToken
from ..watch.sampling import Settings, Stage
from ..words import say
from .html import percent


def sentences(found: NextToken, told: Sequence[Stage], settings: Settings) -> list[str]:
    """What each stage does now, in a sentence each, and what is left to draw from."""
    raw, penalties, temperature, top_k, top_p = told
    total = raw.tokens
    lines = [
        say("sampler.raw", tokens=f"{total:,}", first=_most(raw), tail=_tail(found, raw)),
        _penalties(found, raw, penalties, settings),
        _temperature(found, penalties, temperature, settings.temperature),
    ]
    values = {"before": f"{temperature.tokens:,}", "kept": f"{top_k.tokens:,}"}
    name = "sampler.top_k" if limit(settings.top_k) else "sampler.top_k_off"
    lines.append(say(name, value=settings.top_k, mass=percent(top_k.mass), **values))
    values = {"before": f"{top_k.tokens:,}", "kept": f"{top_p.tokens:,}"}
    name = "sampler.top_p" if settings.top_p < 1 else "sampler.top_p_off"
    lines.append(say(name, value=f"{settings.top_p:g}", mass=percent(top_p.mass), **values))
    return [*lines, say("sampler.drawn", tokens=f"{top_p.tokens:,}", first=_most(top_p))]


def _most(stage: Stage) -> str:
    return percent(float(stage.probabilities.max()))


def _tail(found: NextToken, stage: Stage) -> str:
    if not len(found.tail_counts):
        return ""
    count = f"{int(found.tail_counts.sum()):,}"
    return say("sampler.tail", count=count, mass=percent(stage.tail))


def _penalties(found: NextToken, raw: Stage, now: Stage, settings: Settings) -> str:
    values = (settings.repetition_penalty, settings.presence_penalty, settings.frequency_penalty)
    if values == (1, 0, 0):
        return say("sampler.penalties_off")
    met = numpy.isin(found.ids, found.context)
    masses = [percent(float(stage.probabilities[met].sum())) for stage in (raw, now)]
    return say("sampler.penalties", count=int(met.sum()), before=masses[0], after=masses[1])


def _temperature(found: NextToken, before: Stage, now: Stage, value: float) -> str:
    if value == 0:
        return say("sampler.greedy")
    if value == 1:
        return say("sampler.temperature_off")
    name = "sampler.colder" if value < 1 else "sampler.hotter"
    values = {"before": _most(before), "after": _most(now), "tail": _tail(found, now)}
    return say(name, value=f"{value:g}", **values)
