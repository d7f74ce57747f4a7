import html
import re

import pytest
from openai import OpenAI

from qwen_lab import words
from qwen_lab.endpoint import server
from qwen_lab.parameters import PARAMETERS
from qwen_lab.views.tokens import said
from qwen_lab.views.xray import xray

from .hostile import HOSTILE, check
from .test_tokens import row, split


def answer(*rows, reason="stop", content=None):
    said = "".join(read_row["token"] for read_row in rows) if content is None else content
    choice = {"message": {"content": said}, "finish_reason": reason, "logprobs": {"content": rows}}
    return {"choices": [choice]}


def plain(page):
    """With an ordinary space between a number and its unit."""
    return page.replace("\xa0", " ")


def seen(page):
    return plain(html.unescape(re.sub(r"(?s)<[^>]*>", "", page)))


def bars(page):
    """Each bar: how it is marked, its share of the whole, and its two labels."""
    found = re.findall(
        r'<i(?: class="(\w+)")? style="--p:(.*?)" data-token="(.*?)" data-says="(.*?)"',
        plain(page),
    )
    return [(kind, float(length), token, says) for kind, length, token, says in found]


def test_each_token_has_the_colour_of_its_probability_and_can_be_reached_by_keyboard():
    view = xray(answer(row("a", 0.95), row("b", 0.5), row("c", 0.3), row("d", 0.1), row("e", 0.01)))
    for step, letter in enumerate("abcde"):
        assert re.search(rf'tabindex="0" class="qwen-xray-{step}[ a-z]*">{letter}<', view.html)
    styles = [
        re.search(rf"qwen-xray-{step}{{border-bottom:(.*?);", view._repr_html_())
        for step in range(5)
    ]
    assert len({style[1] for style in styles}) == 5


def test_each_colour_says_how_many_tokens_have_it():
    page = seen(xray(answer(row("a", 0.95), row("b", 0.3), row("c", 0.3))).html)
    for told in ("90–100 %: 1", "50–90 %: 0", "20–50 %: 2"):
        assert told in page


def test_a_token_opens_what_else_might_have_come_as_bars():
    page = xray(answer(row("秋", 0.3, top=[("春", 0.5), ("秋", 0.3)]))).html
    told = [("", 0.5, "春", "50.00 %"), ("chosen", 0.3, "秋", "30.00 % ◀")]
    told.append(("rest", 0.2, words.say("xray.others"), "20.00 %"))
    assert bars(page) == told * 2 and "30.00 %, 1.7 bits. The candidates:" in plain(page)
    # In the table each of them stands by itself: a comma is a token too.
    listed = re.findall(r'<span class="pair"><code>(.*?)</code> (.*?)</span>', plain(page))
    assert listed == [("春", "50.00 %"), ("秋", "30.00 %")]


def test_a_token_that_is_not_among_the_likeliest_has_its_bar_too():
    page = xray(answer(row("冬", 0.1, top=[("春", 0.5), ("秋", 0.4)]))).html
    assert [bar[:3] for bar in bars(page)[:3]] == [
        ("", 0.5, "春"),
        ("", 0.4, "秋"),
        ("chosen", 0.1, "冬"),
    ]
    alone = bars(xray(answer(row("冬", 0.1, top=[]))).html)
    assert alone == [("chosen", 0.1, "冬", "10.00 % ◀")] * 2


def test_the_least_expected_token_is_open_at_first():
    page = xray(answer(row("a", 0.9), row("b", 0.2), row("c", 0.5))).html
    assert re.findall(r'class="qwen-xray-\d open">(\w)', page) == ["b"]
    opened = page.split('<div class="qwen-xray-open">')[1].split("</div>")[0]
    assert [token for _, _, token, _ in bars(opened)] == ["b"]


def test_the_token_that_is_asked_for_is_the_one_that_is_marked_and_open():
    page = xray(answer(row("a", 0.9), row("b", 0.2), row("c", 0.5)), opened=2).html
    assert re.findall(r'class="qwen-xray-\d open">(\w)', page) == ["c"]
    opened = page.split('<div class="qwen-xray-open">')[1].split("</div>")[0]
    assert [token for _, _, token, _ in bars(opened)] == ["c"]


def test_without_its_style_the_text_is_the_answer_and_nothing_else():
    page = xray(answer(row("a", 0.9), row("b", 0.2))).html
    assert seen(page.split("</div>")[0]).startswith("ab ■ stop")


def test_a_character_of_several_tokens_is_shown_whole():
    view = xray(answer(*split("😀", 2, 0.5, 0.4), content="😀"))
    assert ">😀<span>" in view.html
    assert "\ufffd" not in view.html
    assert words.say("xray.pieces", count=2) in view.html and "20.00\xa0%" in view.html


@pytest.mark.parametrize(
    ("reason", "sign"), [("stop", "■ stop"), ("length", "✂ length"), (None, "didn't end normally")]
)
def test_where_it_ended_and_why_stands_after_the_last_token(reason, sign):
    view = xray(answer(row("a", 0.5), reason=reason))
    assert sign in seen(view.html.split("</div>")[0]) and sign in view.text


def test_the_surprise_is_told_as_a_number_of_choices():
    view = xray(answer(row("a", 0.5), row("b", 0.25), row("c", 1)))
    assert "3 tokens." in view.text and "2.0 equally likely tokens" in view.text


def test_tokens_that_are_counted_and_not_shown_are_told():
    said = answer(row("a", 0.5), row("b", 0.5))
    for tokens, told in ((3, True), (2, False)):
        usage = {"prompt_tokens": 1, "completion_tokens": tokens, "total_tokens": 1 + tokens}
        page = seen(xray(said | {"usage": usage}).html)
        assert ("completion_tokens is" in page) == told
        # The usage of several answers is that of all.
        two = {"choices": 2 * said["choices"], "usage": usage}
        assert "completion_tokens" not in seen(xray(two).html)


def test_the_table_says_what_bits_are():
    assert "1 if it was one in two" in seen(xray(answer(row("a", 0.5))).html)


def test_a_lines_end_is_seen_and_stays_one_after_its_token():
    page = xray(answer(row("a\n", 0.5), row("\n\n", 0.5))).html
    assert ">a↵<span>" in page and ">↵\n↵<span>" in page and page.count("</span></span>\n") == 2


def test_a_words_blank_stands_before_its_colour_and_the_text_stays_as_it_is():
    page = xray(answer(row("a", 0.5), row(" b", 0.5), row("  ", 0.5), row(" \n", 0.5))).html
    shown = page.split("<small>")[0]
    assert re.findall(r'(.)<span tabindex="0" class="qwen-xray-\d[ a-z]*">(.*?)<', shown) == [
        (">", "a"),
        (" ", "b"),
        (">", "  "),
        (" ", "↵"),
    ]


def test_an_answer_without_probabilities_says_how_to_get_them(client, engine):
    engine.reply("好")
    ask = {"model": "fake-qwen", "messages": [{"role": "user", "content": "你好"}]}
    view = xray(client.chat.completions.create(**ask))
    assert (
        "logprobs=True, top_logprobs=5" in view.text
        and PARAMETERS["logprobs"].taken_by in view.text
    )
    assert "no text" in xray({"choices": [{"message": {"content": None}}]}).text


def test_a_text_is_no_reply():
    with pytest.raises(TypeError, match="'Paris.' .*the whole reply"):
        xray("Paris.")


def test_hostile_tokens_are_only_shown():
    tags = "div p span small b i br details summary table tr th td code"
    for hostile in HOSTILE:
        spoken = hostile.encode(errors="replace").decode()
        view = xray(answer(row(spoken, 0.5, top=[(spoken, 0.5)]), reason=hostile))
        check(view.html, tags, "tabindex class data-token data-says data-head style")


@pytest.mark.model
def test_the_real_models_tokens_are_its_answer(home, monkeypatch):
    monkeypatch.setenv("QWEN_LAB_HOME", str(home))
    running = server.start()
    client = OpenAI(base_url=running.base_url, api_key=running.token)
    messages = [{"role": "user", "content": "照抄：龘靐😀👩‍👩‍👧 café\n第二行"}]
    completion = client.chat.completions.create(
        model="qwen-plus", messages=messages, logprobs=True, top_logprobs=5, temperature=0
    )
    found = said(completion)
    assert "".join(token.text for token in found.tokens) == found.text
    assert all(0 < token.probability <= 1 for token in found.tokens)
    assert all(
        token.alternatives[0][1] >= token.probability - 1e-6
        for token in found.tokens
        if token.pieces == 1
    )
