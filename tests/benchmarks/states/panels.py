"""The panel and the playground, as they are at first and after something was done with them."""

import asyncio
from collections.abc import Callable
from dataclasses import replace

from ipywidgets import Accordion

import qwen_lab
from qwen_lab.lab import Lab

from . import pick, state, unfold
from .answers import AUTUMN, LIKELY, SKY, WEATHER
from .tape import lab

NOBODY = Lab("http://127.0.0.1:1/v1", "qwen-plus", "custom", "none")
TOOLS = ("tools", "tool_choice", "response_format", "stop", "logprobs")


async def run(box: object) -> object:
    await box.run()
    return box


async def running(box: object, far: Callable[[], bool]) -> object:
    """A widget whose work has begun, and is so far that it stands still."""
    box._start()
    while not far():
        await asyncio.sleep(0.05)
    await asyncio.sleep(0.2)
    return box


def panel(**options: object) -> qwen_lab.Panel:
    return qwen_lab.panel(lab(), pick(*AUTUMN), **options)


@state()
def panel_untouched():
    """The panel at first: sliders, nothing ticked, and words where the answer will be."""
    return panel()


@state(unfold)
def panel_meanings():
    """The panel with what each parameter does open under the rows."""
    return panel()


@state()
async def panel_running():
    """A panel whose answer is being written: Run is grey, and Stop stands out."""
    box = qwen_lab.panel(lab(1), pick(*AUTUMN), temperature=1.0, max_tokens=57)
    return await running(box, lambda: len(box.answer) > 5)


@state()
async def panel_run():
    """The panel after a run: the answer, and how it ended, its tokens, seconds and speed."""
    return await run(qwen_lab.panel(lab(), pick(*SKY), seed=7))


@state(unfold)
async def panel_cut():
    """An answer that max_tokens cut off, which it says; the call as Python is open below."""
    return await run(panel(temperature=1.0, seed=7, max_tokens=12))


@state()
def panel_refused():
    """5 was typed for temperature: the field is marked, and a hint names the range."""
    box = panel()
    box.settings["temperature"].control.value = 5
    return box


@state()
def panel_pair():
    """temperature and top_p are both ticked: a hint says to change one of a pair."""
    return panel(temperature=1.2, top_p=0.5, frequency_penalty=1.0)


@state()
async def panel_failed():
    """Nobody answers at the address: a failure that says so and why, and what to do."""
    return await run(qwen_lab.panel(NOBODY, pick(*AUTUMN)))


@state()
async def panel_unsent():
    """Run was pressed without a prompt: a hint that nothing was sent."""
    return await run(qwen_lab.panel(lab()))


@state()
async def panel_recorded():
    """The panel in a page that plays recordings, asked something new: a hint, not an error."""
    box = qwen_lab.panel(replace(lab(), kind="page"), pick("Something new", "从没问过的话"))
    return await run(box)


@state()
def panel_tools():
    """Rows for tools, ticked, with its example, tool_choice, response_format, stop and logprobs."""
    box = panel(parameters=TOOLS, stop=["\n", "。"], logprobs=True)
    box.settings["tools"].tick.value = True
    return box


@state(gone=True)
async def panel_gone():
    """A panel whose kernel was restarted: it says so, and its buttons are grey."""
    return await run(qwen_lab.panel(lab(), pick(*SKY), seed=7))


def playground(prompt: tuple[str, str] = AUTUMN, **options: object) -> qwen_lab.playground:
    return qwen_lab.playground(lab(), pick(*prompt), **options)


def opened(box: object, group: int) -> object:
    """The playground with this group of its rows open."""
    next(each for each in box.children if isinstance(each, Accordion)).selected_index = group
    return box


async def side(number: int, **options: object) -> object:
    """A playground after a run, at this tab of its answer, its rows closed."""
    box = opened(await run(playground(temperature=1.0, seed=7, max_tokens=40, **options)), None)
    box.results.selected_index = number
    return box


@state()
def playground_untouched():
    """The playground at first: prompts, model and presets, the rows for drawing open."""
    return playground()


@state()
def playground_length():
    """The playground's rows for the length: two sliders, and the texts that stop."""
    return opened(playground(stop=["\n\n"]), 1)


@state()
def playground_looking():
    """The playground's rows for what comes with it: logprobs, stream, search."""
    return opened(playground(), 2)


@state()
def playground_form():
    """The playground's rows for the form: response_format and tools as JSON, switches."""
    return opened(playground(), 3)


@state()
async def playground_answer():
    """The playground's answer, and the table with one run."""
    return await side(0)


@state()
async def playground_xray():
    """The X-ray tab: coloured tokens, and the words to go on from one."""
    return await side(1, **LIKELY)


@state()
async def playground_go_on():
    """The X-ray tab after a click on the fourth token: marked, and the sampler begun there."""
    box = await side(1, **LIKELY)
    box.results.fork.go_on(3)
    await box.results.fork.children[-1].run()
    return box


@state()
async def playground_again():
    """The X-ray tab of an answer without probabilities: a button to ask again with them."""
    return await side(1)


@state()
async def playground_anatomy():
    """The Anatomy tab: the stream's chunks put together."""
    return await side(2)


@state()
async def playground_wire():
    """The Wire tab: the stream line by line."""
    return await side(3)


@state()
async def playground_code():
    """The Code tab: the call as Python, with a button that copies it."""
    return await side(4)


@state()
async def playground_called():
    """The model asked for a tool: no text, and a sentence that leads to the Anatomy tab."""
    city = {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]}
    function = {"name": "get_weather", "parameters": city}
    tools = [{"type": "function", "function": function}]
    return opened(await run(playground(WEATHER, tools=tools)), None)


@state()
async def playground_runs():
    """Three runs in the table, one of them failed; two answers compared, and where they part."""
    box = playground(temperature=1.0, seed=7, max_tokens=40, **LIKELY)
    await box.run()
    box.model.value = "qwen-nonsense"
    await box.run()
    box.model.value = lab().model
    box.settings["temperature"].set(1.5)
    await box.run()
    box.history.first.value = 1
    return opened(box, None)
