"""What the lessons show by the model's words: for how many of 20 seeds the point shows.

Goal: ≥ 18 of 20 for each, in both languages. `bench demonstrations` takes all lessons; run by
itself, this file takes words too, and measures what has them all in its row:

    .venv/bin/python tests/benchmarks/demonstrations.py "05 zh"

The lessons' texts are in `demonstrations.toml`. Lesson 04's own points are about time and order,
which do not hang on the model's words.
"""

import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path

import learner as by
from learner import ORDER, SEARCH, Learner
from server import own
from table import Row, show

SEEDS = range(20)
TEXTS = tomllib.loads(Path(__file__).with_suffix(".toml").read_text(encoding="utf-8"))
FOUR = (0, 100, 200, 300)
# A practice stream breaks after so many chunks; there must be an answer that it breaks.
BREAKS_AFTER = 9
FREELY = {"top_k": 101, "top_p": 1}
TURNS = [("user", "told"), ("assistant", "greeting"), ("user", "name")]
RULED = [("system", "rule"), ("user", "capital")]


def names(x: Learner, start: int, **fields: float) -> int:
    return len(x.texts("wish", start, 5, max_tokens=15, **fields))


def ends(x: Learner, prompt: str, seed: int, most: int) -> str:
    return x.choice(prompt, seed=seed, max_tokens=most)["finish_reason"]


def length(x: Learner, seed: int, most: int) -> int:
    return x.answer("poem", seed=seed, max_tokens=most)["usage"]["completion_tokens"]


# By lesson, what it shows, and whether that shows to a learner `x` with the seed `s`.
POINTS = {
    "01": {
        "a system message makes the answer short": lambda x, s: len(x.talk(*RULED, seed=s)) < 6,
        "it does not know a name": lambda x, s: x.words["mine"] not in x.text("name", seed=s),
        "with the conversation so far it does": lambda x, s: (
            x.words["mine"] in x.talk(*TURNS, seed=s)
        ),
        "temperature 0: five seeds, one name": lambda x, s: names(x, s, temperature=0) == 1,
        "temperature 1.9: more than one": lambda x, s: names(x, s, temperature=1.9) > 1,
        "top_p 0.1: five seeds, one name": lambda x, s: names(x, s, top_p=0.1) == 1,
        "top_p 1: more than one": lambda x, s: names(x, s, top_p=1) > 1,
        "max_tokens cuts a poem": lambda x, s: ends(x, "poem", s, 12) == "length",
        "stop leaves the count at 4": by.stops_before_five,
        "presence_penalty 2: a more varied poem": lambda x, s: (
            by.coldly_varied(x, presence_penalty=2) > by.coldly_varied(x)
        ),
        "frequency_penalty 2: a more varied poem": lambda x, s: (
            by.coldly_varied(x, frequency_penalty=2) > by.coldly_varied(x)
        ),
    },
    "02": {
        "temperature 0: three seeds, one text": lambda x, s: (
            len(x.texts("poem", s, 3, max_tokens=12, temperature=0)) == 1
        ),
        "top_p 0.1 hides the temperature": by.hides_the_temperature,
        "1.9 without cuts: foreign letters": lambda x, s: by.has_foreign_letters(x, s, **FREELY),
        "1.9 with top_p 0.8 alone: too": lambda x, s: by.has_foreign_letters(
            x, s, **FREELY | {"top_p": 0.8}
        ),
        "1.9 with both, as by default: none": lambda x, s: not by.has_foreign_letters(x, s),
        "1.9 with top_k 20 alone: none": lambda x, s: (
            not by.has_foreign_letters(x, s, **FREELY | {"top_k": 20})
        ),
        "a seed gives its text, the next another": by.is_drawn_by_its_seed,
        "stop at a new line leaves a poem's first": lambda x, s: by.leaves_one_line(x, "poem", s),
        "stop leaves the first colour": by.leaves_the_first_colour,
        "presence_penalty 2: more varied than -2": lambda x, s: (
            by.varied(x, s, 2) > by.varied(x, s, -2)
        ),
        "it counts from 1 to 10": lambda x, s: by.counts_to_ten(x, s, 0),
        "frequency_penalty 2 breaks the count": lambda x, s: not by.counts_to_ten(x, s, 2),
        "n 3: not all the same": lambda x, s: len(by.three_choices(x, s)) > 1,
    },
    "03": {
        "11 tokens cut the week short": lambda x, s: by.days(x, 11) in range(2, 7),
        "40 tokens hold all seven days": lambda x, s: by.days(x, 40) == 7,
        "a capital's name: 42 tokens or a few more": lambda x, s: by.billed(x, s) in range(42, 46),
        "a count to five stops": lambda x, s: by.stops(x, s, "5"),
        "stop 3 stops it after 2": lambda x, s: by.stops(x, s, "2", stop="3"),
        "max_tokens 3 cuts it": lambda x, s: ends(x, "count", s, 3) == "length",
        "a demanded call comes, with the city": by.calls_for_the_city,
        "a fact surprises less than a poem": lambda x, s: (
            x.surprise("capital", seed=s) < x.surprise("poem", seed=s)
        ),
    },
    "04": {
        "each of the four capitals is right": lambda x, s: by.right_capitals(x, s) == 4,
    },
    "05": {
        "without search no 40 gold medals": lambda x, s: "40" not in by.fact(x, "golds", s),
        "with search 40 gold medals": lambda x, s: "40" in by.fact(x, "golds", s, **SEARCH),
        "a search that finds nothing: the right capital": lambda x, s: (
            x.words["right"] in by.fact(x, "capital", s, **SEARCH)
        ),
        "a forced search: another capital": lambda x, s: (
            x.words["right"] not in by.fact(x, "capital", s, **ORDER)
        ),
        "a search that finds nothing: a number all the same": by.gives_a_number,
    },
    "06": {
        "a stream breaks in the middle of its answer": lambda x, s: (
            length(x, s, 40) > 2 * BREAKS_AFTER
        ),
        "a talk goes on without the refused turn": by.recalls_the_name,
    },
    "07": {
        "prose: four seeds, more than one form": lambda x, s: (
            len({x.text("prose", seed=s + k, max_tokens=80) for k in FOUR}) > 1
        ),
        "json_object: JSON, but not the program's keys": by.has_keys_of_its_own,
        "json_schema: keys and types as asked, values right": lambda x, s: (
            by.booked(x, "prose", s) == by.right(x)
        ),
        "a number that the note does not give is made up": lambda x, s: (
            type(by.booked(x, "vague", s).get("people")) is int
        ),
        "the day does not fit; told the error, the model mends it": by.mends_the_day,
        "the tool is called for Friday": lambda x, s: (
            by.called(x, "tables", s) == [{"day": "Friday"}]
        ),
        "the answer after the tool's result is 3": lambda x, s: "3" in by.told_the_result(x, s),
        "the tool is called for Sunday": lambda x, s: (
            by.called(x, "sunday", s) == [{"day": "Sunday"}]
        ),
        "a question that needs no tool gets an answer": lambda x, s: (
            by.called(x, "capital", s) == []
        ),
    },
}


def rows(wanted: list[str]) -> Iterator[Row]:
    with own() as server:
        for lesson, points in POINTS.items():
            for point, holds in points.items():
                for language, words in TEXTS[lesson].items():
                    what = f"{lesson} {language}: {point}"
                    if all(word in what for word in wanted):
                        learner = Learner(server, words)
                        times = sum(holds(learner, seed) for seed in SEEDS)
                        yield Row(what, [times], "of 20", "≥ 18")


if __name__ == "__main__":
    show(rows(sys.argv[1:]))
