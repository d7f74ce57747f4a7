"""What every lesson keeps to, and that both editions are alike.

A rule is a function from a notebook and its path to complaints. Its decorator holds ways to spoil
a lesson, each of which the rule must notice: there is no rule that does not bite.
"""

import ast
import copy
import json
import re
import tempfile
from itertools import groupby, pairwise, zip_longest
from pathlib import Path

import nbformat
import pytest
from IPython.core.inputtransformer2 import TransformerManager

import qwen_lab
from qwen_lab import models
from qwen_lab.paths import ROOT

LESSONS = sorted((ROOT / "notebooks").glob("[ez][nh]/*.ipynb"))
RULES = {}

# What every lesson says in the same words.
CONNECT = {
    "en": "First connect. The next cell says which Qwen answers, where it is, and what "
    "it costs. Without a key (the secret that a cloud service bills you by), the answers come "
    "from a real, small Qwen, the “local Qwen”.",
    "zh": "先连接。下面这一格会告诉你由哪个千问回答、它在哪里、要不要钱。"
    "没有 Key（云服务凭它认出是谁在调用、向谁收费）时，"
    "回答都来自一个真正的小千问，课里叫它“本机的千问”。",
}
QUIZ = {
    "en": "## Quiz\n\nThree questions. Each choice explains itself; the first one counts.",
    "zh": "## 小测\n\n三道题，每个选项都有解释，以第一次的选择为准。",
}
NEXT = {"en": "Next: [{}]({}), where ", "zh": "下一课：[{}]({})，"}
SUMMARY = {"en": "## What you learned\n", "zh": "## 小结\n"}
LONGER = r"^### (Exercise|练习) |<details>"
HAN, FULL_WIDTH = r"[\u4e00-\u9fff]", r"[\u3001-\u9fff\uff01-\uff5e]"
# Below 5 words there is no sentence; 60 fit on the screen together with the code that follows.
# 1.7 characters of Chinese say about as much as a word of English.
WORDS, CHARACTERS_A_WORD = range(5, 61), 1.7
TO_LESSON = r"\[([^\]]*)\]\((\w+\.ipynb)\)"
LINK = r"\]\(([^)\s]+)|(?:src|href)=[\"']([^\"']+)"
MISSPELT = (
    r"\bOpen AI\b|\bopenAI\b|\bOpenai\b|\bDashscope\b|\bDash Scope\b|\bQWEN\b|\btop-[pk]\b"
    r"|\bQwen-(plus|max|turbo|flash|long)\b|\bmax-tokens\b|\bfinish-reason\b|\bJupyter ?lab\b"
)
KEYS = r"\bsk-[\w-]{6,}|\bLTAI\w{8,}|\bBearer \S{8,}"
HERE = "|".join(map(re.escape, {str(ROOT), str(Path.home()), tempfile.gettempdir()} - {"/"}))
PLACES = rf"(?<![\w.:/])/(home|Users|root|tmp|var|usr|etc|opt|mnt)/|~/|\b[A-Z]:\\+[A-Z]|{HERE}"
# What code must not hold, with examples of it. Models, addresses and keys come from `lab`.
FORBIDDEN = {
    r"^\s*[%!]\s*(pip|store)\b": ["%pip install openai", "!pip install openai", "%store reply"],
    r"\binput\(": ["name = input('Who?')"],
    r"\bOutput\(": ["box = widgets.Output()"],
    r"\binteract\w*\(|@interact": ["interact(ask, n=3)", "interactive_output(ask)", "@interact"],
    f"(?i:{'|'.join(map(re.escape, [*models.names(), 'qwen2.5']))})": ["'qwen-plus'", "'Qwen2.5'"],
    r"https?://": ["url = 'https://localhost'", "url = 'http://localhost'"],
    KEYS: ["api_key = 'sk-0123456789'"],
    PLACES: ["open('/home/ada/.env')", "open('~/.env')", r"open('C:\\Users\\ada')", str(ROOT)],
}


def load(path):
    notebook = json.loads(path.read_text(encoding="utf-8"))
    for cell in notebook["cells"]:
        cell["source"] = "".join(cell["source"])
    return notebook


def title(path):
    return load(path)["cells"][0]["source"].splitlines()[0].removeprefix("# ")


def twin(path):
    return load(path.parents[1] / {"en": "zh", "zh": "en"}[path.parent.name] / path.name)


def code(notebook):
    return [cell for cell in notebook["cells"] if cell["cell_type"] == "code"]


def prose(notebook):
    return [cell for cell in notebook["cells"] if cell["cell_type"] == "markdown"]


def outputs(notebook):
    return [output for cell in code(notebook) for output in cell["outputs"]]


def shape(cell):
    return cell["cell_type"], cell.get("id"), tags(cell)


def tags(cell):
    return cell["metadata"].get("tags", [])


def strings(value):
    """Every string in a JSON value, the names in its objects too."""
    if isinstance(value, dict):
        value = [*value, *value.values()]
    if isinstance(value, list):
        return [text for part in value for text in strings(part)]
    return [value] if isinstance(value, str) else []


def found(pattern, texts):
    matches = [re.search(pattern, text, re.M) for text in texts]
    return [match[0] for match in matches if match]


def sources(cells):
    return [cell["source"] for cell in cells]


def words(source):
    """How many words of prose; headings and fenced code are none."""
    source = re.sub(r"^#.*", "", re.sub(r"```.*?```", "", source, flags=re.S), flags=re.M)
    others = re.findall(r"\S*[A-Za-z0-9]\S*", re.sub(HAN, " ", source))
    return round(len(re.findall(HAN, source)) / CHARACTERS_A_WORD) + len(others)


def skeleton(cell):
    """The cell's code without its texts and comments."""
    tree = ast.parse(TransformerManager().transform_cell(cell["source"]))
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            node.value = ""
        if isinstance(node, ast.JoinedStr):
            # Languages put the same values between other words and in another order.
            fields = [part for part in node.values if isinstance(part, ast.FormattedValue)]
            node.values = sorted(fields, key=ast.dump)
    return ast.dump(tree)


def package_names(node):
    """The names of `qwen_lab` that a piece of code takes; a whole path for one from within it."""
    if isinstance(node, ast.Import):
        return [each.name for each in node.names if each.name.startswith("qwen_lab.")]
    if isinstance(node, ast.ImportFrom) and node.module.startswith("qwen_lab"):
        names = [each.name for each in node.names]
        return names if node.module == "qwen_lab" else [node.module]
    if isinstance(node, ast.Attribute) and ast.unparse(node.value) == "qwen_lab":
        return [node.attr]
    return []


def spoil(part, number=0, **changes):
    return lambda notebook: part(notebook)[number].update(changes)


def cells(notebook):
    return notebook["cells"]


def output(values):
    """A spoiler that gives the first code cell such an output."""
    return spoil(code, outputs=[{"output_type": "stream", **values}])


def rule(*spoilers):
    def add(function):
        RULES[function] = [*RULES.get(function, []), *spoilers]
        return function

    return add


@rule(spoil(cells, source="# 99 Title"), spoil(cells, source="Title"))
def the_title_has_the_number_of_the_file(notebook, path):
    number = re.fullmatch(r"(\d\d)_[a-z0-9_]+\.ipynb", path.name)[1]
    return [] if re.match(rf"# {number} \S", notebook["cells"][0]["source"]) else [number]


@rule(spoil(prose, source="[Lesson 01](01_basic_call.ipynb)"))
@rule(spoil(prose, source="[01 Basic calls](01_basic_call.ipynb)"))
def links_to_lessons_have_their_titles(notebook, path):
    links = [link for text in sources(prose(notebook)) for link in re.findall(TO_LESSON, text)]
    return [text for text, name in links if text != title(path.with_name(name))]


@rule(spoil(prose, 1, source="Connect first."), lambda notebook: cells(notebook).pop(1))
def the_cell_before_the_setup_is_the_same_in_every_lesson(notebook, path):
    before = cells(notebook)[cells(notebook).index(code(notebook)[0]) - 1]["source"]
    return [] if before == CONNECT[path.parent.name] else [before]


@rule(spoil(code, -1, source='qwen_lab.quiz("00")'))
def the_cell_before_the_quiz_is_the_same_in_every_lesson(notebook, path):
    pairs = pairwise(sources(cells(notebook)))
    quizzes = [before for before, source in pairs if source.startswith("qwen_lab.quiz(")]
    return [before for before in quizzes if before != QUIZ[path.parent.name]]


@rule(
    spoil(cells, -1, source="## What you learned\n\n- next: [01 Basic call](01_basic_call.ipynb)")
)
@rule(spoil(cells, -1, source="Next: [02 Parameters](02_parameters.ipynb), where you go on."))
def the_last_paragraph_leads_to_the_next_lesson(notebook, path):
    edition = [lesson for lesson in LESSONS if lesson.parent == path.parent]
    # The last lesson leads back to the tour, after a word of its own.
    following = edition[(edition.index(path) + 1) % len(edition)]
    start = NEXT[path.parent.name].format(title(following), following.name)
    last = notebook["cells"][-1]["source"].split("\n\n")[-1]
    return [] if start in last and "\n" not in last else [last]


@rule(spoil(code, source="import qwen_lab"), lambda notebook: notebook["cells"].pop(2))
def the_setup_is_the_same_in_every_lesson(notebook, path):
    setup = code(load(LESSONS[0]))[0]["source"].replace('"en"', f'"{path.parent.name}"')
    # Lesson 01 tells before it what a cell is, and what may look odd.
    early = sources(code({"cells": notebook["cells"][:5]}))[:1]
    return [] if "lang=" in setup and early == [setup] else ["the setup cell"]


@rule(spoil(cells, -1, source="## And so on\n"))
def the_last_cell_is_the_summary(notebook, path):
    last = notebook["cells"][-1]["source"]
    return [] if last.startswith(SUMMARY[path.parent.name]) else [last[:20]]


@rule(spoil(code, source="1\n" * 16))
def code_cells_have_at_most_15_lines(notebook, path):
    return [text[:20] for text in sources(code(notebook)) if len(text.splitlines()) > 15]


@rule(lambda notebook: cells(notebook).extend(code(notebook)[:3]))
def at_most_two_code_cells_follow_each_other(notebook, path):
    runs = groupby(cell["cell_type"] for cell in notebook["cells"])
    return [size for kind, run in runs if kind == "code" and (size := len(list(run))) > 2]


@rule(lambda notebook: cells(notebook).extend(code(notebook) * 3))
def there_is_at_least_as_much_prose_as_code(notebook, path):
    return ["more code than prose"] * (len(prose(notebook)) < len(code(notebook)))


@rule(spoil(prose, 1, source="word " * 61), spoil(prose, 1, source="字" * 104 + "Go on now."))
@rule(spoil(prose, 1, source="# A heading of many words\nToo short."))
def prose_has_5_to_60_words_a_cell(notebook, path):
    # Titles and summaries are lists, exercises and hints hold code: those may be longer.
    inner = [text for text in sources(prose(notebook))[1:-1] if not re.search(LONGER, text)]
    return [f"{words(text)}: {text[:30]}" for text in inner if words(text) not in WORDS]


@rule(*(spoil(code, 1, source=text) for examples in FORBIDDEN.values() for text in examples))
def code_holds_nothing_forbidden(notebook, path):
    return [text for each in FORBIDDEN for text in found(each, sources(code(notebook)))]


@rule(spoil(code, 1, source="from qwen_lab.watch.sweep import figures"))
@rule(spoil(code, 1, source="from qwen_lab import models"))
@rule(spoil(code, 1, source="import qwen_lab.parameters"))
@rule(spoil(code, 1, source="print(qwen_lab.parameters.PARAMETERS)"))
def code_uses_public_names_of_the_package_only(notebook, path):
    whole = "\n".join(map(TransformerManager().transform_cell, sources(code(notebook))))
    used = [name for node in ast.walk(ast.parse(whole)) for name in package_names(node)]
    return [name for name in used if name not in qwen_lab.__all__]


@rule(spoil(code, 1, source="asyncio.run(ask())"))
def an_event_loop_of_its_own_only_shows_that_it_fails(notebook, path):
    plain = [cell for cell in code(notebook) if "shows-failure" not in tags(cell)]
    return found(r"\basyncio\.run\(", sources(plain))


@rule(spoil(code, 1, metadata={"tags": ["raises-exception"]}))
def failures_are_caught_in_the_code_not_by_a_tag(notebook, path):
    return [cell["source"] for cell in notebook["cells"] if "raises-exception" in tags(cell)]


@rule(spoil(prose, 1, source="Set top-p in Open AI."), spoil(code, 1, source="# Dashscope"))
def names_are_spelt_right(notebook, path):
    return found(MISSPELT, sources(notebook["cells"]))


@rule(spoil(prose, source="[x](../../README.md)"), spoil(prose, source='<img src="x.png">'))
def local_links_lead_to_lessons(notebook, path):
    # The learner reads a copy, beside which there are copies of the lessons and nothing else.
    links = [one or two for text in sources(prose(notebook)) for one, two in re.findall(LINK, text)]
    local = [link.split("#")[0] for link in links if not re.match(r"https?://|mailto:|#", link)]
    return [link for link in local if (path.parent / link).resolve() not in LESSONS]


@rule(lambda notebook: notebook["metadata"].pop("kernelspec"))
@rule(lambda notebook: notebook["metadata"]["kernelspec"].update(name="conda-qwen"))
def the_kernel_is_python3(notebook, path):
    name = notebook["metadata"].get("kernelspec", {}).get("name")
    return [] if name == "python3" else [str(name)]


@rule(spoil(code, -1, execution_count=None), spoil(code, 1, execution_count=7))
def every_code_cell_was_run_in_order(notebook, path):
    counts = [cell["execution_count"] for cell in code(notebook)]
    return [] if counts == list(range(1, len(counts) + 1)) else [counts]


@rule(spoil(code, -1, source=" \n"), spoil(prose, 1, source=""))
def no_cell_is_empty(notebook, path):
    return [cell["id"] for cell in notebook["cells"] if not cell["source"].strip()]


@rule(spoil(code, 1, id="title"), lambda notebook: cells(notebook)[1].pop("id"))
def every_cell_has_an_id_of_its_own(notebook, path):
    names = [cell.get("id") for cell in notebook["cells"]]
    return [name for name in names if not name or names.count(name) > 1]


@rule(spoil(prose, attachments={}), spoil(prose, source="![](data:image/png;base64,iVBORw0)"))
def no_picture_is_pasted_in(notebook, path):
    pasted = [cell["source"] for cell in notebook["cells"] if "attachments" in cell]
    return pasted + found(r"data:image\S{0,9}", sources(prose(notebook)))


@rule(output({"output_type": "display_data", "data": {"image/png": "iVBORw0"}}))
@rule(lambda notebook: notebook["metadata"].update(widgets={}))
def no_picture_or_widget_is_stored(notebook, path):
    kinds = [kind for output in outputs(notebook) for kind in output.get("data", {})]
    kinds = [kind for kind in kinds if kind.startswith("image/")]
    return kinds + ["widgets"] * ("widgets" in notebook["metadata"])


@rule(output({"output_type": "error"}), output({"text": ["\x1b[0;31mValueError\x1b[0m"]}))
def outputs_hold_no_errors(notebook, path):
    kinds = [output["output_type"] for output in outputs(notebook)]
    return kinds.count("error") * ["error"] + found(r"\x1b\[", strings(outputs(notebook)))


@rule(output({"text": ["\n", "api_key='sk-0123456789'"]}), output({"text": "Bearer abcdefgh"}))
@rule(output({"data": {"text/html": ["a", "b <i>/home/ada/x</i>"]}}), output({"text": str(ROOT)}))
def outputs_hold_no_keys_and_no_absolute_paths(notebook, path):
    return found(f"{KEYS}|{PLACES}", strings(outputs(notebook)))


@rule(output({"text": "x" * 100_000}), spoil(prose, source="x" * 30_000))
def it_has_at_most_100_kilobytes_and_30_without_outputs(notebook, path):
    bare = copy.deepcopy(notebook)
    for cell in code(bare):
        cell["outputs"] = []
    written = [nbformat.v4.writes(nbformat.from_dict(each)) for each in (notebook, bare)]
    sizes = [len(text.encode()) for text in written]
    return [size for size, most in zip(sizes, (100_000, 30_000), strict=True) if size > most]


@rule(lambda notebook: cells(notebook).reverse(), lambda notebook: cells(notebook).pop())
@rule(spoil(cells, 3, id="another"), spoil(cells, 3, cell_type="raw"))
@rule(spoil(cells, 3, metadata={"tags": ["exercise"]}))
def both_editions_have_the_same_cells(notebook, path):
    pairs = zip_longest(*(map(shape, each["cells"]) for each in (notebook, twin(path))))
    return [pair for pair in pairs if pair[0] != pair[1]]


@rule(spoil(code, 1, source="x = lab.model"), spoil(code, 1, source="print(f'{lab}')"))
def both_editions_have_the_same_code_but_for_texts(notebook, path):
    pairs = zip(code(notebook), code(twin(path)), strict=False)
    return [one["source"] for one, two in pairs if skeleton(one) != skeleton(two)]


@rule(spoil(prose, 1, source="千问 is Qwen."), spoil(prose, 1, source="No Chinese， none"))
def each_edition_is_in_its_language(notebook, path):
    texts = sources(prose(notebook))
    if path.parent.name == "en":
        return found(FULL_WIDTH, texts)
    return [text for text in texts if not re.search(HAN, text)]


@pytest.mark.parametrize("path", LESSONS, ids=lambda path: f"{path.parent.name}-{path.stem}")
@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.__name__)
def test_in_a_lesson(rule, path):
    assert rule(load(path), path) == []


BREAKS = [(rule, spoiler) for rule, spoilers in RULES.items() for spoiler in spoilers]


@pytest.mark.parametrize(("rule", "spoiler"), BREAKS, ids=[rule.__name__ for rule, _ in BREAKS])
def test_a_spoiled_lesson_is_noticed(rule, spoiler):
    noticed = []
    for path in {lesson for lesson in LESSONS if lesson.name == LESSONS[0].name}:
        spoiled = load(path)
        spoiler(spoiled)
        noticed += [each for each in rule(spoiled, path) if each not in rule(load(path), path)]
    assert noticed and all(RULES.values())
