import inspect
import re
from itertools import combinations
from pathlib import Path
from types import FunctionType, ModuleType

import httpx2
import openai
import pytest
from IPython.core.interactiveshell import InteractiveShell

from qwen_lab import checks, words
from qwen_lab.checks import outcome
from qwen_lab.checks.outcome import Outcome, check, need, passed, shown

from ..views.hostile import HOSTILE
from ..views.hostile import check as check_page


class Silent(Exception):
    def __str__(self):
        raise self


class Hostile:
    """Can be asked nothing at all."""

    def refuse(self, *arguments):
        raise RuntimeError("x" * 1000)

    __getattribute__ = __eq__ = __bool__ = __len__ = __iter__ = __repr__ = __hash__ = refuse


def nasty():
    """Values that nobody should hand in, and that somebody will."""
    cycle, deep = [], []
    cycle.append({"role": cycle, "content": cycle})
    for _ in range(3000):
        deep = [deep]
    plain = [None, True, 0, -1.5, float("nan"), 10**5000, "", "\ud800", "x" * 10**6, b"user"]
    types = [int, Outcome, checks, len, lambda: None, object(), Hostile(), Hostile, range(3)]
    holders = [(), {}, set(), [], cycle, deep, [[]], [{}], {"role": {}}, NotImplemented]
    values = [*plain, *types, *holders]
    messages = [{"role": role, "content": v} for v in values for role in (v, "user", "me")]
    return [*values, *([message] for message in messages), *([value] for value in values)]


def every_check():
    topics = [topic for topic in vars(checks).values() if isinstance(topic, ModuleType)]
    judges = [judge for topic in topics for judge in vars(topic).values()]
    public = [judge for judge in judges if hasattr(judge, "__wrapped__")]
    assert {judge.__name__ for judge in public} >= {"roles", "finish_reason"}
    return public


@check
def approve(answer, other=None):
    return passed("checks_messages.roles_passed", seen=shown(answer))


@check
def demand(answer):
    need(type(answer) is str, "checks_messages.messages_not_list", answer)
    need(answer.strip(), "checks_messages.content_empty", answer, number=3)
    return passed("checks_messages.roles_passed", seen=answer)


@check
def read(answer):
    raise answer


@pytest.mark.parametrize("answer", [..., [...], {"content": ...}, [{"content": ["Hi", ...]}]])
def test_an_answer_with_a_stub_in_it_is_not_yet(answer):
    assert approve(answer).status == "not yet"
    assert approve("Hi", other=answer).status == "not yet"


@pytest.mark.parametrize("answer", ["...", [], None, {...: "Hi"}])
def test_an_answer_without_a_stub_is_judged(answer):
    assert approve(answer).status == "passed"


def test_the_first_need_that_is_not_met_ends_the_judgement():
    assert demand(5).message.startswith("messages is 5; expected")
    assert demand(" ").status == "wrong" and "message 3" in demand(" ").message
    assert demand("Hi").status == "passed"


def test_what_goes_wrong_while_an_answer_is_read_is_shown_in_short():
    crashed = read(KeyError("model\n" * 100))
    assert crashed.status == "wrong" and "ended in an error: KeyError" in crashed.message
    assert len(crashed.message) < 200 and "\n" not in crashed.message
    assert read(Silent()).message.endswith("ended in an error: Silent")


def test_a_list_that_holds_itself_is_no_endless_work():
    endless = []
    endless += [endless, endless]
    assert "RecursionError" in approve(endless).message


def test_an_interruption_is_not_held_back():
    with pytest.raises(KeyboardInterrupt):
        read(KeyboardInterrupt())


def test_a_call_that_lacks_the_answer_says_so():
    assert "missing 1 required positional argument" in approve().message


@pytest.mark.parametrize(
    ("value", "words"),
    [
        (None, "None"),
        ("a\nb", r"'a\nb'"),
        ("x" * 1000, "'xxxxxxxxxxxx...xxxxxxxxxxxxx'"),
        (True, "True"),
        (Outcome("wrong", "secret"), "an object of type Outcome"),
        (["secret"], "an object of type list"),
    ],
)
def test_a_value_is_shown_in_a_few_words(value, words):
    assert shown(value) == words


def test_an_outcome_reads_the_same_in_every_plain_text():
    assert repr(Outcome("not yet", "Try.")) == str(Outcome("not yet", "Try.")) == "not yet: Try."


@pytest.mark.parametrize(
    ("language", "status", "words"),
    [
        ("en", "passed", ["✓", "passed"]),
        ("en", "not yet", ["…", "not yet"]),
        ("en", "wrong", ["✗", "wrong"]),
        ("zh", "passed", ["✓", "通过"]),
        ("zh", "not yet", ["…", "待完成"]),
        ("zh", "wrong", ["✗", "还不对"]),
    ],
)
def test_a_notebook_shows_a_sign_and_the_status(monkeypatch, language, status, words):
    monkeypatch.setenv("QWEN_LAB_LANG", language)
    page = Outcome(status, "Hi")._repr_html_().split("</style>")[1]
    assert re.sub(r"(<[^>]*>)+", "|", page).strip("|").split("|") == [*words, "Hi"]


def test_the_three_outcomes_look_different_without_colour():
    pages = [Outcome(status, "")._repr_html_() for status in ("passed", "not yet", "wrong")]
    classes = [re.findall(r'class="qwen-(?:sign|outcome) (\w+)"', page) for page in pages]
    assert classes == [[name, name] for name in ("passed", "open", "wrong")]
    for name, style in (("passed", "solid"), ("wrong", "double")):
        assert re.search(rf"qwen-outcome\.{name}{{border-left:6px {style}", pages[0])


def test_what_the_learner_wrote_is_only_text():
    for text in HOSTILE:
        page = Outcome("wrong", text)._repr_html_().split("</style>", 1)[1]
        check_page(page, "div b span", "class lang")


def handed(judge, answer):
    """A call's arguments: the answer wherever an object is asked for, plain values elsewhere."""
    plain, given, named = {"int": 2, "str": "assistant"}, [], {}
    for name, parameter in inspect.signature(judge).parameters.items():
        value = plain.get(getattr(parameter.annotation, "__name__", ""), answer)
        if parameter.kind is parameter.KEYWORD_ONLY:
            named |= {name: value} if parameter.default is parameter.empty else {}
        elif parameter.default is parameter.empty:
            given.append(value)
    return given, named


def test_the_checks_use_the_words_that_exist_and_no_others():
    files = Path(outcome.__file__).parent.glob("*.*")
    code = "".join(path.read_text("utf-8") for path in files)
    used = set(re.findall(r'"(checks(?:_\w+)?\.\w+)"', code))
    used |= {f"checks.{name}" for name in ("passed", "not_yet", "wrong")}
    topics = [path.stem for path in (words.WORDS / "en").glob("checks*.toml")]
    assert used == {f"{topic}.{name}" for topic in topics for name in words._topic("en", topic)}


def test_no_two_chinese_messages_of_a_topic_are_the_same_unless_the_english_are():
    for path in (words.WORDS / "zh").glob("checks*.toml"):
        english, chinese = (words._topic(language, path.stem) for language in ("en", "zh"))
        for one, other in combinations(chinese, 2):
            assert chinese[one] != chinese[other] or english[one] == english[other], (one, other)


@pytest.mark.parametrize("judge", every_check(), ids=lambda judge: judge.__name__)
def test_a_check_neither_raises_nor_passes_whatever_it_is_given(judge):
    for answer in nasty():
        given, named = handed(judge, answer)
        outcome = judge(*given, **named)
        # A function that does nothing is one that was not written yet.
        open_too = {"not yet"} if type(answer) is FunctionType else set()
        assert outcome.status in {"wrong"} | open_too and outcome.message, answer
        assert len(repr(outcome)) < 400 and outcome._repr_html_()


@pytest.mark.parametrize("judge", every_check(), ids=lambda judge: judge.__name__)
def test_a_check_knows_an_untouched_answer(judge):
    given, named = handed(judge, ...)
    assert judge(*given, **named).status == "not yet"


def test_a_cell_that_failed_leaves_no_answer_to_judge(monkeypatch):
    shell = InteractiveShell()
    monkeypatch.setattr(outcome, "get_ipython", lambda: shell)
    shell.user_ns |= {"check": approve}

    def run(source):
        return shell.run_cell(source, store_history=True).result

    run("answer = 1")
    assert run("check(answer)").status == "passed"
    run("answer = 1 / 0")
    stale = run("check(answer)")
    assert stale.status == "not yet"
    assert "ZeroDivisionError" in stale.message
    assert run("check(answer)") == stale
    run("answer = 2")
    assert run("check(answer)").status == "passed"
    run("answer = (")
    assert "SyntaxError" in run("check(answer)").message


def test_an_answer_before_a_call_that_a_tape_lacks_is_judged(monkeypatch):
    shell = InteractiveShell()
    monkeypatch.setattr(outcome, "get_ipython", lambda: shell)
    response = httpx2.Response(404, request=httpx2.Request("POST", "http://lab"))
    body = {"message": "not recorded", "code": "not_on_tape"}
    shell.user_ns |= {
        "check": approve,
        "unrecorded": openai.NotFoundError("no", response=response, body=body),
        "demand": outcome.check(lambda ask: ask()),
    }

    def run(source):
        return shell.run_cell(source, store_history=True).result

    run("answer = 1; raise unrecorded")
    assert run("check(answer)").status == "passed"
    run("answer = ...; raise unrecorded")
    assert repr(run("check(answer)")) == "not yet: not recorded"
    run("def ask(): raise unrecorded")
    assert repr(run("demand(ask)")) == "not yet: not recorded"
