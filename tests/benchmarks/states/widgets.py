"""The sampler, a comparison, a sweep and a quiz, at first and after something was done."""

from playwright.sync_api import Locator

import qwen_lab
from qwen_lab.lab import Lab

from . import pick, state, unfold
from .answers import AUTUMN
from .panels import NOBODY, run, running
from .tape import lab


def sampler(**options: object) -> qwen_lab.sampler:
    return qwen_lab.sampler(lab(), pick(*AUTUMN), **options)


@state()
def sampler_start():
    """The sampler at first: its sliders, and a button that asks for the next token."""
    return sampler()


@state(unfold)
async def sampler_asked():
    """The next token's bars on the service's defaults; what each slider means open below."""
    return await run(sampler())


@state()
async def sampler_hot():
    """Temperature 1.7: flat bars with marks where the model had them, much for all the others."""
    return await run(sampler(temperature=1.7, top_p=1, top_k=0))


@state(lambda shown: shown.locator(".step .name").nth(2).dispatch_event("click"))
async def sampler_step():
    """The step temperature pressed: the bars before top_k cuts, and a hint that says so."""
    return await run(sampler(temperature=1, top_p=1, top_k=3))


@state()
async def sampler_top_k():
    """top_k 3: three bars stay, the others are cut and say so."""
    return await run(sampler(temperature=1, top_p=1, top_k=3))


@state()
async def sampler_top_p():
    """top_p 0.5: the likeliest stay, the others are cut and say so."""
    return await run(sampler(temperature=1, top_p=0.5, top_k=0))


@state()
async def sampler_penalties():
    """Penalties on, all else off: what is in the text has fallen, by how often it is there."""
    colours = "The leaves are red and red and red and gold and gold and brown and"
    begun = pick(colours, "红叶、红叶、红叶、黄叶、黄叶、绿叶、")
    off = {"temperature": 1, "top_p": 1, "top_k": 0, "repetition_penalty": 1}
    return await run(sampler(prefix=begun, presence_penalty=0.2, frequency_penalty=0.5, **off))


@state(lambda shown: shown.locator(".draw button").nth(1).dispatch_event("click"))
async def sampler_drawn():
    """After Draw 1,000: counts in place of percentages, filled bars, and the sum below."""
    return await run(sampler(temperature=1.2, seed=5))


def back(shown: Locator) -> None:
    """Return to the beginning."""
    shown.locator(".line button").first.dispatch_event("click")
    shown.locator(".ahead").first.wait_for()


@state(back)
async def sampler_tree():
    """A step back: the token taken there is marked, the answer goes on dashed; other branches."""
    box = await run(sampler(temperature=1.2, top_p=1))
    for path, rank in (((), 0), (None, 1), ((), 2), (None, 0), ((), 0)):
        if path is not None:
            box.branches.go(path)
        box.branches.take(int(box.found.ids[rank]), box.found.bytes[rank])
        await box.run()
    return box


@state()
async def sampler_failed():
    """Another endpoint shows no probabilities: a failure, and the button to ask again."""
    return await run(qwen_lab.sampler(NOBODY, pick(*AUTUMN)))


@state(gone=True)
async def sampler_gone():
    """A sampler whose kernel was restarted: the bars still move, what asks is grey, and why."""
    return await run(sampler(temperature=1.2))


def cut(temperature: float) -> dict:
    return {"temperature": temperature, "max_tokens": 12}


def compare(*settings: object) -> qwen_lab.compare:
    return qwen_lab.compare(lab(), pick(*AUTUMN), *settings, seed=7)


@state()
def compare_before():
    """Two settings side by side, not asked yet."""
    return compare({"temperature": 0}, {"temperature": 1.5})


@state()
async def compare_run():
    """Two settings' answers side by side, marked where they part; a sentence below says where."""
    return await run(compare(cut(1.0), cut(1.5)))


@state()
async def compare_four():
    """Four settings side by side, each with its answer and its figures."""
    return await run(compare(*map(cut, (0, 0.7, 1.3, 1.9))))


@state()
async def compare_failed():
    """Of two the second failed: its column has the error, the first one its answer."""
    return await run(compare(cut(1.0), (NOBODY, cut(1.0))))


def sweep(place: Lab, **options: object) -> qwen_lab.sweep:
    parameters = {"temperature": [0, 1.9], "top_p": 1, "max_tokens": 12, "seed": [0, 1, 2]}
    return qwen_lab.sweep(place, pick(*AUTUMN), **parameters | options)


@state()
def sweep_before():
    """A sweep before its run: how many calls it will make."""
    return sweep(lab())


@state()
async def sweep_running():
    """A sweep after some of its calls: a bar, how far it is, and the grid so far."""
    box = sweep(lab(3))
    return await running(box, lambda: len(box.answers) == 2)


@state()
async def sweep_done():
    """A sweep's grid: a row a setting, which answers are the same, and how many differ."""
    return await run(sweep(lab()))


@state(unfold)
async def sweep_opened():
    """A sweep's grid with its answers and its figures open."""
    return await run(sweep(lab()))


@state()
async def sweep_failed():
    """A sweep whose calls all failed: a failure that says why and what to do, and no grid."""
    return await run(sweep(NOBODY, temperature=[0]))


@state()
def sweep_bill():
    """Many calls of the cloud: how many and about how many CNY, and that Run asks twice."""
    cloud = Lab("https://dashscope.aliyuncs.com/compatible-mode/v1", "qwen-plus", "dashscope", "x")
    box = sweep(cloud, seed=[*range(20)])
    box.run_button.click()
    return box


@state()
def quiz_open():
    """A quiz: three questions with their choices, none answered."""
    return qwen_lab.quiz("01")


@state()
def quiz_wrong():
    """The first question answered wrongly: it says why, and which was right; two are open."""
    box = qwen_lab.quiz("01")
    box.questions[0].choose(1)
    return box


@state()
def quiz_right():
    """All three questions answered rightly, and the score."""
    box = qwen_lab.quiz("01")
    for question in box.questions:
        question.choose([each.get("right", False) for each in question._choices].index(True) + 1)
    return box


@state(gone=True)
def quiz_gone():
    """A quiz whose kernel was restarted: it says so."""
    return qwen_lab.quiz("01")
