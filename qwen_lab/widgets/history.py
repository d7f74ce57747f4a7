"""The runs so far: a table, what they cost together, any two compared, and all as CSV."""

import itertools
from dataclasses import dataclass
from pathlib import Path

from ipywidgets import HTML, Button, Dropdown, VBox

from .. import models
from ..lab import Lab
from ..rows import write_csv
from ..views.difference import difference
from ..views.html import Html, View, breaking, cards, in_line
from ..views.knobs import HYPHENED
from ..words import reason, say
from . import style
from .reply import Reply

COLUMNS = ("number", "parameters", "beginning", "ending", "tokens", "time", "speed", "cost")
BEGINNING = 60
# What the texts of a system and a user message are called, and how much is told of one that another
# run did not have.
TEXTS = {"system": "system", "user": "prompt"}
TOLD = 30


@dataclass(frozen=True)
class Run:
    """One call that has ended, and what was asked."""

    number: int
    request: dict
    reply: Reply
    lab: Lab

    @property
    def parameters(self) -> dict:
        """What was sent beside model and messages, with what went in `extra_body`."""
        sent = self.request | self.request.get("extra_body", {})
        others = ("model", "messages", "extra_body")
        return {name: value for name, value in sent.items() if name not in others}

    @property
    def asked(self) -> dict:
        """All that was sent: the model, the texts as `system` and `prompt`, the parameters."""
        texts = {TEXTS[each["role"]]: each["content"] for each in self.request["messages"]}
        return {"model": self.request["model"]} | texts | self.parameters

    @property
    def ending(self) -> str:
        """The finish_reason, or the error's code, or how it was stopped."""
        reply = self.reply
        stage = "no_reason" if reply.stage == "done" else reply.stage
        return reply.error_code or reply.reason or say(f"panel.{stage}")

    @property
    def tokens(self) -> tuple[int, int] | None:
        """Those of the prompt and of the answer, where the service counted them."""
        usage = self.reply.usage
        return (usage.prompt_tokens, usage.completion_tokens) if usage else None

    @property
    def cost(self) -> float | None:
        """CNY by the dated price list; 0 on one's own machine, None where it is unknown."""
        return models.cost(self.lab, self.request["model"], self.tokens)

    def to_dict(self) -> dict:
        """Flat, for a table: one column for each parameter that was sent."""
        tokens = self.tokens or (None, None)
        error = self.reply.error
        return {
            "run": self.number,
            "model": self.request["model"],
            **self.parameters,
            "text": self.reply.text,
            "finish_reason": self.reply.reason,
            "error": str(error) if error else None,
            "prompt_tokens": tokens[0],
            "completion_tokens": tokens[1],
            "seconds": round(self.reply.seconds, 3),
            "cny": self.cost,
        }


class History(VBox):
    """The table of runs; `add` puts one more in."""

    def __init__(self) -> None:
        self.runs: list[Run] = []
        self.table = HTML()
        self.compared = HTML()
        self.first = Dropdown(description=say("playground.first"))
        self.second = Dropdown(description=say("playground.second"))
        self.export_button = Button(description=say("playground.export"))
        self.exported = HTML()
        for choice in (self.first, self.second):
            choice.observe(self._compare, "value")
        self.export_button.on_click(lambda _: self._export())
        self.choices = style.row(self.first, self.second)
        row = style.row(self.choices, self.export_button)
        super().__init__([self.table, row, self.exported, self.compared])
        self.layout.display = "none"

    def add(self, request: dict, reply: Reply, lab: Lab) -> None:
        """One more run, which is compared with the one before it."""
        self.runs.append(Run(len(self.runs) + 1, request, reply, lab))
        self.layout.display = ""
        self.choices.layout.display = "" if len(self.runs) > 1 else "none"
        self.table.value = _table(self.runs)
        numbers = [run.number for run in self.runs]
        for choice in (self.first, self.second):
            choice.options = [(say("playground.run", number=each), each) for each in numbers]
            choice.value = numbers[-1]
        self.first.value = numbers[-2:][0]
        self._compare()

    def to_dicts(self) -> list[dict]:
        """The runs as rows: parameters, text, how it ended, tokens, seconds, CNY."""
        return [run.to_dict() for run in self.runs]

    def to_csv(self, path: str | Path) -> None:
        """Write the rows as CSV that a spreadsheet opens; raises `OSError`."""
        write_csv(Path(path), self.to_dicts())

    def _export(self) -> None:
        path = _unused(Path("qwen_lab_runs.csv"))
        try:
            self.to_csv(path)
            told = "status", say("playground.exported", path=path.resolve())
        except OSError as error:
            problem = f"{path.resolve()}: {reason(error)}"
            told = "failed", say("playground.not_exported", problem=problem)
        self.exported.value = style.box(*told)

    def _compare(self, change: object = None) -> None:
        pair = [self.runs[n - 1] for n in (self.first.value, self.second.value) if n]
        if len(pair) < 2 or pair[0] is pair[1]:
            self.compared.value = ""
            return
        if silent := [run.number for run in pair if not run.reply.text]:
            self.compared.value = style.box("status", say("playground.silent", number=silent[0]))
            return
        labels = [_label(*both) for both in (pair, pair[::-1])]
        a, b = (run.reply.answer or run.reply.text for run in pair)
        unlike = pair[0].request["messages"] != pair[1].request["messages"]
        told = style.box("hint", say("playground.unlike")) if unlike else ""
        self.compared.value = told + difference(a, b, labels=labels)._repr_html_()


def _unused(path: Path) -> Path:
    """The path, with a number where there is such a file already."""
    numbered = (path.with_stem(f"{path.stem}_{number}") for number in itertools.count(2))
    return next(free for free in itertools.chain([path], numbered) if not free.exists())


def _parameters(run: Run, before: Run | None) -> str:
    """What was sent; after the first run, what is otherwise than in the one before."""
    if before is None:
        return _told(run.parameters) or say("playground.defaults")
    changes = [_told(_otherwise(run, before))]
    left_out = [name for name in before.asked if name not in run.asked]
    changes += [say("playground.without", name=name) for name in left_out]
    told = ", ".join(filter(None, changes)) or say("playground.same")
    return say("playground.as_before", number=before.number, changes=told)


def _label(run: Run, other: Run) -> str:
    """The run, and what it sent that the other did not."""
    name, setting = say("playground.run", number=run.number), _told(_otherwise(run, other))
    return say("playground.run_with", run=name, setting=setting) if setting else name


def _otherwise(run: Run, other: Run) -> dict:
    mine, theirs = run.asked, other.asked
    return {name: v for name, v in mine.items() if name not in theirs or theirs[name] != v}


def _told(parameters: dict) -> str:
    return ", ".join(f"{name}={_short(name, value)}" for name, value in parameters.items())


def _short(name: str, value: object) -> object:
    """The value; of a message's text the beginning, in quotation marks."""
    return f'"{in_line(value, TOLD)}"' if name in TEXTS.values() else value


def _table(runs: list[Run]) -> str:
    heads = (say(f"playground.{name}") for name in COLUMNS)
    shown = cards(map(_cells, runs, [None, *runs]), *heads)
    page = Html('<div class="qwen-history"><b>{}</b>{}{}</div>')
    whole = page.format(say("playground.history"), shown, _total(runs))
    return View(whole, "")._repr_html_()


def _cells(run: Run, before: Run | None) -> list[str]:
    reply = run.reply
    unknown = say("playground.unknown")
    return [
        str(run.number),
        breaking(_parameters(run, before), whole=HYPHENED),
        in_line(reply.text, BEGINNING),
        f"✗\u00a0{run.ending}" if reply.error else run.ending,
        say("playground.in_out", tokens=run.tokens) if run.tokens else unknown,
        say("panel.seconds", seconds=reply.seconds),
        say("playground.a_second", speed=reply.speed) if reply.speed else unknown,
        _cny(run.cost),
    ]


def _cny(cost: float | None) -> str:
    if cost is None:
        return say("playground.unknown")
    return say("playground.cny", cny=f"{cost:.6f}" if cost else "0")


def _total(runs: list[Run]) -> str:
    costs = [run.cost for run in runs]
    return say(
        "playground.total",
        runs=len(runs),
        tokens=sum(sum(run.tokens or ()) for run in runs),
        # As they are shown above.
        seconds=sum(round(run.reply.seconds, 1) for run in runs),
        cny=_cny(None if None in costs else sum(costs)),
    )
