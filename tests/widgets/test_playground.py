"""The playground without a kernel: the real SDK, the real app on a real port, a fake engine."""

import asyncio
import contextlib
import csv
import html
import io
import re
from dataclasses import replace

import pytest
from openai import OpenAI

import qwen_lab
from qwen_lab.endpoint.engine import End, Piece, Prompt, Thought
from qwen_lab.parameters import PARAMETERS
from qwen_lab.widgets.history import History
from qwen_lab.widgets.playground import ALL, Playground
from qwen_lab.widgets.presets import Presets
from qwen_lab.widgets.reply import Reply

from ..views.hostile import HOSTILE, check
from ..views.test_tokens import row


@pytest.fixture
def playground(lab, tmp_path):
    def make(prompt="问好", real=None, **start):
        presets = Presets(tmp_path / "presets.json")
        return Playground(real or lab, prompt, presets=presets, **start)

    return make


def run(playground):
    return asyncio.run(playground.run())


def words(widget):
    return html.unescape(re.sub(r"<[^>]*>", "", widget.value)).strip()


def printed_by(box):
    """What the code of the box prints when it is run as a cell."""
    printed = io.StringIO()
    with contextlib.redirect_stdout(printed):
        exec(box.results.code.value, {})
    return printed.getvalue()


def test_every_parameter_of_the_table_can_be_turned(playground):
    # stream_options go with every stream, so that the tokens are counted.
    assert set(ALL) == PARAMETERS.keys() - {"stream_options"}
    assert playground().settings.keys() == set(ALL)
    assert all(f"`{name}`" in Playground.__doc__ for name in ALL)


def test_all_that_is_ticked_reaches_the_model(playground, engine):
    engine.reply("好")
    engine.reply("好")
    asked = {"temperature": 1.2, "top_k": 5, "stop": ["。"], "logprobs": True, "top_logprobs": 2}
    run(playground(system="你是诗人。", n=2, seed=7, **asked))
    call, seed, alone = engine.calls[0]
    assert [message["role"] for message in call.messages] == ["system", "user"]
    assert (call.sampling["temperature"], call.sampling["top_k"], call.stop) == (1.2, 5, ["。"])
    assert (call.logprobs, call.top_logprobs, call.n, seed, alone) == (True, 2, 2, 7, True)


def test_the_answer_is_shown_from_every_side(playground, engine):
    engine.reply("你", "好")
    box = playground()
    assert run(box) == words(box.shown) == "你好"
    sides = box.results.sides
    assert "choices" in sides["anatomy"].value and "finish_reason" in sides["anatomy"].value
    assert "data: " in words(sides["wire"]) and "[DONE]" in words(sides["wire"])
    assert "logprobs=True" in words(sides["xray"])
    assert "qwen_lab.connect(" in box.results.code.value


def test_the_list_of_presets_invites_to_choose_one(playground):
    assert playground().preset.label == "choose a set"


def test_what_a_model_thinks_first_is_counted_then_shown_apart_from_its_answer(playground, engine):
    engine.thinks, asked = True, {"enable_thinking": True}
    thoughts = [Prompt(5), Thought("<b>想"), Thought("一想")]
    engine.replies.append([*thoughts, Piece("好"), End("stop", 5, 3, 0)])
    engine.replies.append([*thoughts, OSError("gone")])
    box, seen = playground(**asked), set()
    box.status.observe(lambda change: seen.add(change.new), "value")
    box._paint_soon = box._paint
    assert run(box) == words(box.shown) == "好"
    assert "thinking… 4 characters so far" in "".join(seen)
    assert words(box.thought) == "What it thought first (6 characters)<b>想一想"
    assert run(box) == "" and words(box.thought).endswith("<b>想一想")


def test_an_answer_that_does_not_stream_is_shown_too(playground, engine):
    engine.reply("你", "好")
    box = playground(stream=False)
    assert run(box) == "你好" and "no stream to see" in box.results.sides["wire"].value
    assert "choices" in box.results.sides["anatomy"].value


def test_the_code_run_as_a_cell_gives_the_same_request(playground, engine, lab, monkeypatch):
    monkeypatch.setattr(qwen_lab, "connect", lambda endpoint: lab, raising=False)
    box = playground(temperature=0.3, top_k=9, seed=5, stop=["x"], enable_search=False)
    engine.reply("好")
    engine.reply("好")
    run(box)
    printed = printed_by(box)
    first, second = engine.calls
    assert printed.strip() == "好"
    assert (
        replace(second[0], stream=True, include_usage=True) == first[0] and second[1:] == first[1:]
    )


@pytest.mark.model
@pytest.mark.parametrize("stream", [None, True, False])
def test_the_code_run_as_a_cell_gives_the_same_text_of_the_real_model(
    playground, home, monkeypatch, stream
):
    monkeypatch.setenv("QWEN_LAB_HOME", str(home))
    lab = qwen_lab.connect("local")
    asked = {"temperature": 1.3, "top_k": 40, "max_tokens": 30, "stop": ["\n\n"], "seed": 11}
    asked |= {} if stream is None else {"stream": stream}
    box = playground("写一首关于秋天的短诗。", real=lab, **asked)
    text = run(box)
    # The two lines before it are what connecting says.
    assert text and printed_by(box).split("\n", 2)[2].strip() == text.strip()


def test_an_error_is_shown_as_a_lesson_would_and_taken_apart(playground, lab):
    box = playground()
    box.model.value = "gpt-9"
    run(box)
    assert "HTTP 404, code model_not_found" in words(box.error)
    assert "model_not_found" in words(box.results.sides["anatomy"])
    assert "model_not_found" in words(box.history.table)


def test_every_run_stands_in_the_table_with_what_it_used(playground, engine):
    box = playground(temperature=0.5)
    engine.reply("你", "好", prompt=9)
    engine.reply("再", "见", prompt=9)
    run(box)
    run(box)
    table = words(box.history.table)
    assert "temperature=0.5" in table and "再见" in table and "9\xa0in, 2\xa0out" in table
    assert "Together: runs 2, tokens 22" in table
    rows = box.history.to_dicts()
    assert [row["text"] for row in rows] == ["你好", "再见"]
    assert rows[0]["temperature"] == 0.5 and rows[0]["completion_tokens"] == 2


def test_a_run_tells_what_is_otherwise_than_in_the_one_before_and_in_the_one_beside(lab):
    history, reply = History(), Reply()
    reply._texts, reply.reason = {0: "好"}, "stop"
    reply.end("done")
    for sent in ({"temperature": 0, "top_p": 0.5}, {"temperature": 1}, {"temperature": 1}):
        history.add({"model": lab.model, "messages": [], "seed": 7, **sent}, reply, lab)
    table = words(history.table)
    for told in (
        "seed=7, temperature=0, top_p=0.5",
        "run 1: temperature=1, without top_p",
        "run 2: nothing",
    ):
        assert told in table, told
    history.first.value, history.second.value = 1, 2
    assert "Run\xa01: temperature=0, top_p=0.5" in words(history.compared)
    assert "Run\xa02: temperature=1" in words(history.compared)
    assert "seed" not in words(history.compared)
    history.first.value, history.second.value = 2, 3
    assert "Run\xa03\n好" in words(history.compared)


def test_in_the_table_a_poem_and_a_question_show_where_their_lines_end(lab):
    history, reply = History(), Reply()
    reply._texts, reply.reason = {0: "秋风\n落叶"}, "stop"
    reply.end("done")
    for asked in ("一\n二", "三\n四"):
        messages = [{"role": "user", "content": asked}]
        history.add({"model": lab.model, "messages": messages}, reply, lab)
    table = words(history.table)
    assert table.count("秋风\u2060↵ 落叶") == 2 and 'prompt="三\u2060↵ 四"' in table
    assert history.to_dicts()[0]["text"] == "秋风\n落叶"


def test_a_run_that_gave_no_finish_reason_says_so_in_the_table(lab):
    history, reply = History(), Reply()
    reply.end("done")
    history.add({"model": lab.model, "messages": []}, reply, lab)
    assert "broke off without a finish_reason" in words(history.table)


def test_two_runs_whose_prompts_differ_say_so(playground, engine):
    box = playground()
    for prompt in ("一", "一", "二"):
        engine.reply("好")
        box.prompt.value = prompt
        run(box)
    assert 'compared with run 2: prompt="二"' in words(box.history.table)
    told = html.unescape(words(box.history.compared))
    assert "different prompts" in told and 'Run\xa02: prompt="一"' in told
    box.history.second.value = 1
    assert "prompt" not in words(box.history.compared)


def test_an_empty_prompt_is_none_of_the_runs(playground, engine):
    box = playground("", system="你是诗人。")
    run(box)
    assert "Nothing was sent" in box.status.value and not box.history.runs and not engine.calls


def test_runs_can_be_compared_from_the_second_on(playground, engine):
    box = playground()
    for display in ("none", ""):
        engine.reply("好")
        run(box)
        assert box.history.choices.layout.display == display


def test_any_two_runs_are_compared(playground, engine):
    box = playground()
    for text in ("一二", "一三", "一二"):
        engine.reply(*text)
        run(box)
    assert "三" in words(box.history.compared)
    box.history.first.value = 1
    assert "三" not in words(box.history.compared)


def test_a_run_without_text_is_compared_with_none(playground, engine):
    box = playground()
    engine.reply("一二")
    run(box)
    box.model.value = "gpt-9"
    run(box)
    assert words(box.history.compared) == "Run 2 brought no text, so there's nothing to compare."


def test_the_table_is_exported_without_overwriting(playground, engine, monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    engine.reply("=1+1", "你好")
    box = playground()
    run(box)
    box.history.export_button.click()
    box.history.export_button.click()
    assert "qwen_lab_runs_2.csv" in words(box.history.exported)
    with open("qwen_lab_runs.csv", encoding="utf-8-sig", newline="") as file:
        [row] = csv.DictReader(file)
    assert not row["text"].startswith("=") and "1+1你好" in row["text"]


def test_a_preset_sets_its_parameters_and_no_others(playground):
    box = playground(top_k=5)
    box.preset.value = "short"
    assert box._sent() == {"temperature": 0.3, "max_tokens": 60}


def test_ones_own_preset_is_kept(playground):
    box = playground(temperature=0.1, stop=["。"])
    box.save_button.click()
    assert "First write a name" in words(box.saved)
    box.preset_name.value = "我的 <b>"
    box.save_button.click()
    assert "我的 <b>" in words(box.saved)
    other = playground()
    other.preset.value = "我的 <b>"
    assert other._sent() == {"temperature": 0.1, "stop": ["。"]}


def test_a_field_that_holds_no_json_is_named_and_not_sent(playground):
    box = playground(response_format={"type": "json_object"})
    box.settings["response_format"].control.value = "{"
    assert "response_format isn't JSON and isn't sent" in words(box.hint)
    assert "response_format" not in box._request()


def test_a_run_that_was_stopped_is_one_of_the_runs(playground, engine):
    engine.reply_forever()
    box = playground()

    async def stop():
        running = asyncio.create_task(box.run())
        while not box.answer:
            await asyncio.sleep(0.01)
        box.stop()
        await running
        await asyncio.sleep(0.05)

    asyncio.run(stop())
    assert len(box.history.runs) == 1 and "Stopped" in words(box.history.table)


@pytest.mark.parametrize("given", [["hi"], [OpenAI(api_key="x")], [0]])
def test_without_a_lab_it_says_how_to_get_one(given):
    with pytest.raises(TypeError, match=r"playground\(…\) takes the lab first; .*connect\(\)"):
        Playground(*given)


@pytest.mark.parametrize("texts", [{"prompt": None}, {"system": ["Be brief."]}])
def test_its_texts_are_texts(playground, texts):
    with pytest.raises(TypeError, match="a text in quotes"):
        playground(**texts)


def test_its_repr_is_short_and_stable(playground, engine):
    engine.reply("好")
    box = playground()
    before = repr(box)
    run(box)
    assert before == repr(box) == "Playground('问好'): run this cell to see it"


def test_hostile_text_is_only_shown(playground, engine):
    tags = "style div span p small b code pre ul ol li br svg rect details summary wbr q i"
    attributes = "class style role open tabindex data-says aria-label aria-live aria-busy"
    attributes += " viewbox preserveaspectratio x y width height data-token data-head title lang"
    for hostile in HOSTILE:
        spoken = hostile.encode(errors="replace").decode()
        engine.reply(spoken)
        # Some of them are no text at all, and an empty prompt is not sent.
        box = playground(f"{hostile}!", system=hostile, stop=[spoken])
        run(box)
        for widget in (box.shown, box.sends, box.history.table, *box.results.sides.values()):
            check(widget.value, f"{tags} table tr th td", attributes)


def test_from_a_token_of_the_x_ray_one_goes_on_in_the_sampler(playground, engine, lab):
    engine.replies.append(
        [Prompt(5), *(Piece(text, [row(text, 0.5)]) for text in "秋风"), End("stop", 5, 2, 0)]
    )
    box = playground(temperature=1.5, top_k=40, logprobs=True, top_logprobs=2)
    fork = box.results.fork
    assert not fork.places.value
    run(box)
    assert "click it" in fork.places.value and fork.again.layout.display == "none"
    # What is offered at first sight is the token whose bars are open.
    assert fork.places.offer == "Replace “秋” and go on from there"

    async def press():
        fork.places._handle_custom_msg(1, [])
        await fork.children[-1].run()

    asyncio.run(press())
    *_, title, sampler = fork.children
    assert "in the place of “风”" in title.value
    # The token is marked as well, and its bars are open.
    assert fork.places.offer == "Replace “风” and go on from there"
    marked = box.results.sides["xray"].value
    assert re.findall(r'class="qwen-xray-\d open">(.)', marked) == ["风"]
    assert engine.calls[-1][1] == "秋" and sampler.path == []
    assert (sampler.settings.temperature, sampler.settings.top_k) == (1.5, 40)
    run(box)
    assert sampler not in fork.children


def test_an_answer_without_probabilities_is_asked_again_with_them(playground, engine):
    engine.reply("好")
    box = playground()
    run(box)
    assert box.results.fork.again.layout.display == ""

    async def again():
        box.results.fork.again.click()
        assert box.results.fork.again.disabled
        await box._task

    asyncio.run(again())
    assert engine.calls[-1][0].top_logprobs == 5 and len(box.history.runs) == 2
