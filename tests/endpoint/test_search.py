"""The search in the bundled notes and a learner's own, and what the model and the learner see."""

import tomllib
from collections import Counter
from datetime import date

import pytest

from qwen_lab.endpoint import server_file
from qwen_lab.endpoint.messages import question
from qwen_lab.endpoint.search import BUNDLED, LONGEST, Note, Search, insert
from qwen_lab.paths import ROOT
from qwen_lab.words import LabError

QUESTIONS = ROOT / "tests" / "benchmarks" / "questions.toml"
MONDAY = date(2026, 11, 23)


@pytest.fixture(scope="module")
def notes():
    return Search(today=lambda: MONDAY)


def titles(search, question, **options):
    return [note.title for note in search.find(question, **options)]


def own(folder, **files):
    """A search with a learner's folder of Markdown files."""
    for name, text in files.items():
        (folder / f"{name}.md").write_text(text, encoding="utf-8")
    return Search(folder)


def test_both_languages_have_the_same_sixty_notes_or_more():
    counts = {
        language: Counter(
            path.name
            for path in (BUNDLED / language).glob("*.md")
            for line in path.read_text(encoding="utf-8").splitlines()
            if line.startswith("## ")
        )
        for language in ("zh", "en")
    }
    assert counts["zh"] == counts["en"] and counts["zh"].total() >= 60


def test_a_question_of_the_benchmark_finds_its_note(notes):
    questions = tomllib.loads(QUESTIONS.read_text(encoding="utf-8"))
    asked = [*questions["zh"], *questions["en"]]
    missed = [row["question"] for row in asked if row["note"] not in titles(notes, row["question"])]
    assert len(asked) == 40 and not missed


@pytest.mark.parametrize(
    ("asked", "title"),
    [
        ("缅甸首都", "缅甸的首都"),
        ("珠峰有多高", "珠穆朗玛峰的高度"),
        ("印度人口是不是最多", "人口最多的国家"),
        ("第一个上太空的中国人是谁？", "中国第一位进入太空的航天员"),
        ("ＱＷＥＮ－ＰＬＵＳ 的价格？", "qwen-plus 的价格"),
        ("Canada capital", "Capital of Canada"),
        ("when did ChatGPT come out?", "The first release of ChatGPT"),
        ("Which planet has the most moons?", "The moons of Saturn"),
        ("BRASILIA is the capital of which country?", "Capital of Brazil"),
        ("How much does qwen-plus cost?", "Price of qwen-plus"),
    ],
)
def test_a_question_in_other_words_finds_the_note_as_well(notes, asked, title):
    assert titles(notes, asked)[0] == title


@pytest.mark.parametrize(
    "asked",
    [
        *(
            "你好",
            "写一首关于秋天的短诗",
            "1+1等于几？",
            "用 Python 写一个快速排序",
            "什么是机器学习？",
        ),
        *("北京有什么好吃的？", "今天天气怎么样", "法国的首都是哪里？", "从 1 数到 100", "100"),
        *("Hello!", "Write a poem about autumn", "What is 17*23?", "Who are you?", "Explain DNA"),
        *("What is the capital of France?", "What's the weather today?", "What is AlphaFold?"),
        *("", " ", "？", "the"),
    ],
)
def test_what_no_note_is_about_finds_nothing(notes, asked):
    assert titles(notes, asked) == []


@pytest.mark.parametrize("asked", ["2025 年诺贝尔文学奖给了谁？", "Who won the 2019 Turing Award?"])
def test_a_year_that_no_note_tells_of_finds_nothing(notes, asked):
    assert titles(notes, asked) == []


@pytest.mark.parametrize(
    ("asked", "day"),
    [
        ("今天几号？", "今天是 2026 年 11 月 23 日，星期一。"),
        ("现在是哪一年？", "今天是 2026 年 11 月 23 日，星期一。"),
        ("What day is it today?", "Today is Monday, 23 November 2026."),
        ("What year is it?", "Today is Monday, 23 November 2026."),
    ],
)
def test_todays_date_is_found(notes, asked, day):
    assert notes.find(asked)[0].text == day


def test_the_date_is_that_of_the_day_when_it_is_asked():
    days = [date(2026, 2, 28)]
    search = Search(today=lambda: days[-1])
    assert "28 February" in search.find("today's date")[0].text
    days.append(date(2026, 3, 1))
    assert "1 March" in search.find("today's date")[0].text


def test_a_forced_search_finds_what_shares_a_word(notes):
    assert "Turing Award 2024" in titles(notes, "What is machine learning?", forced=True)
    assert titles(notes, "哈哈哈", forced=True) == []


def test_the_notes_come_in_the_language_of_the_question(notes):
    assert titles(notes, "DashScope seed 1234 ？") == ["Default seed on DashScope"]
    assert titles(notes, "DashScope seed 默认 1234？") == ["DashScope 的默认 seed"]


@pytest.mark.parametrize(
    "asked",
    [
        '"',
        "capital* OR NEAR(Brazil)",
        "title:x -y ^z",
        "'; DROP",
        "".join(map(chr, range(0x4E00, 0x9000))),
    ],
)
def test_a_question_is_words_and_never_a_query(notes, asked):
    assert len(notes.find(asked, forced=True)) <= 3


def test_only_the_beginning_of_a_long_text_is_looked_for(notes):
    assert titles(notes, "吗" * 400 + "缅甸的首都")
    assert not titles(notes, "吗" * 600 + "缅甸的首都")


def test_a_learners_notes_are_found_beside_the_bundled_ones(tmp_path):
    search = own(tmp_path, school="## 校训\n\n勤奋求实。\n\n## School bell\n\nIt rings at 7:50.")
    assert search.find("我们的校训是什么？") == [Note("校训", "勤奋求实。")]
    assert search.find("When does the school bell ring?")[0].text == "It rings at 7:50."
    assert titles(search, "缅甸的首都")[0] == "缅甸的首都"


def test_text_without_a_title_goes_by_the_name_of_its_file(tmp_path):
    search = own(tmp_path, zookeeper="Mr Li looks after the pandas.")
    assert search.find("Who is the zookeeper?") == [
        Note("zookeeper", "Mr Li looks after the pandas.")
    ]


def test_a_long_note_becomes_several_and_loses_nothing(tmp_path):
    text = "\n\n".join(["dumpling " * 60, "sesame " * 80, "noodle" * 300, "tofu"])
    parts = own(tmp_path, menu=f"## Menu\n\n{text}").find("menu", limit=99)
    assert len(parts) > 3 and max(len(part.text) for part in parts) <= LONGEST
    parts.sort(key=lambda part: text.index(part.text))
    assert "".join("".join(part.text for part in parts).split()) == "".join(text.split())


def test_notes_that_are_not_utf_8_harm_nobody(tmp_path):
    (tmp_path / "old.md").write_bytes("## 校训\n勤奋".encode("gbk"))
    assert titles(Search(tmp_path), "缅甸的首都")


def test_a_folder_that_is_not_there_is_named(monkeypatch, tmp_path):
    monkeypatch.setenv("QWEN_LAB_NOTES", str(tmp_path / "nowhere"))
    with pytest.raises(LabError, match="nowhere"):
        server_file.notes()


def test_each_folder_of_notes_has_a_server_of_its_own(monkeypatch, tmp_path):
    monkeypatch.setenv("QWEN_LAB_HOME", str(tmp_path / "home"))
    monkeypatch.chdir(tmp_path)
    without = server_file.folder(tmp_path)
    monkeypatch.setenv("QWEN_LAB_NOTES", ".")
    relative = server_file.folder(tmp_path)
    monkeypatch.setenv("QWEN_LAB_NOTES", str(tmp_path))
    assert without != relative == server_file.folder(tmp_path)


def test_the_notes_stand_before_the_last_question():
    talk = [
        {"role": "system", "content": "Be brief."},
        {"role": "user", "content": "Hello"},
        {"role": "assistant", "content": "Hi"},
        {"role": "user", "content": "And Myanmar?"},
    ]
    told = insert(talk, [Note("Capital of Myanmar", "Naypyidaw.")])
    assert told[:3] == talk[:3]
    assert "Naypyidaw." in question(told) and question(told).endswith("And Myanmar?")
    assert insert(talk, []) == talk


def ask(client, text, **fields):
    return client.chat.completions.create(
        model="fake-qwen", messages=[{"role": "user", "content": text}], extra_body=fields
    )


@pytest.mark.parametrize(
    ("text", "fields", "found"),
    [
        ("缅甸的首都是哪里？", {"enable_search": True}, ["缅甸的首都"]),
        ("缅甸的首都是哪里？", {}, []),
        ("缅甸的首都是哪里？", {"enable_search": False}, []),
        ("缅甸的首都是哪里？", {"search_options": {"forced_search": True}}, []),
        ("什么是机器学习？", {"enable_search": True}, []),
    ],
)
def test_a_request_searches_when_it_says_so(client, engine, text, fields, found):
    engine.reply("内比都")
    ask(client, text, **fields)
    request = engine.calls[0][0]
    assert request.found == found
    assert request.prompt[0]["content"].endswith(text)
    assert ("内比都" in request.prompt[0]["content"]) == bool(found)
    assert request.messages == [{"role": "user", "content": text}]


def test_a_request_may_force_the_search(client, engine):
    engine.reply("…")
    forced = {"enable_search": True, "search_options": {"forced_search": True}}
    ask(client, "什么是机器学习？", **forced)
    request = engine.calls[0][0]
    assert request.found and request.found[0] in request.prompt[0]["content"]


def test_the_lab_shows_what_a_search_finds(lab):
    found = lab.search("缅甸的首都是哪里？")
    assert [row["title"] for row in found] == ["缅甸的首都"] and "内比都" in found[0]["text"]
