"""A list of names becomes seats: a code for each, which stays, and which opens that seat alone."""

import asyncio
import math
import time

import pytest

from qwen_lab.classroom import seats as seats_module
from qwen_lab.classroom.seats import SIGNS, Seats, listed
from qwen_lab.words import LabError


@pytest.fixture
def path(tmp_path):
    return tmp_path / "seats.csv"


@pytest.fixture
def seats(path):
    seats = Seats(path)
    seats.add(["Ada Lovelace", "小明", 'Bo "Bobby", Jr.'])
    return seats


def whose(seats, given):
    return asyncio.run(seats.identify(given))


def test_each_learner_is_known_by_their_own_code(seats):
    assert [whose(seats, seat.code).name for seat in seats.seats] == [
        "Ada Lovelace",
        "小明",
        'Bo "Bobby", Jr.',
    ]
    assert not any(whose(seats, seat.code).teacher for seat in seats.seats)


def test_a_code_holds_more_than_sixty_bits_and_is_easy_to_read(seats):
    codes = {seat.code for seat in seats.seats}
    assert len(codes) == 3 and 16 * math.log2(len(SIGNS)) > 60
    assert all(set(code) <= {*SIGNS, "-"} and len(code) == 19 for code in codes)
    assert not set("0o1li") & set(SIGNS)


@pytest.mark.parametrize("typed", [str.upper, lambda code: code.replace("-", " "), "“{}” ".format])
def test_a_code_is_known_however_it_was_typed(seats, typed):
    assert whose(seats, typed(seats.seats[1].code)).name == "小明"


@pytest.mark.parametrize("given", ["", "aaaa-bbbb-cccc-dddd", "小明", "é" * 1000, "\udc80"])
def test_a_wrong_code_is_told_only_after_a_while_and_nobody_else_waits(seats, given, monkeypatch):
    monkeypatch.setattr(seats_module, "WRONG", 0.3)

    async def both():
        wrong = asyncio.create_task(seats.identify(given))
        await asyncio.sleep(0)
        begun = time.monotonic()
        right = await seats.identify(seats.seats[0].code)
        assert right and not wrong.done()
        assert await wrong is None and time.monotonic() - begun > 0.25

    asyncio.run(both())


def test_codes_stay_when_a_class_is_opened_again_with_more_learners(seats, path):
    again = Seats(path)
    again.add(["小明", "Cy", "ada lovelace"])
    assert again.seats[:3] == seats.seats and again.seats[3].name == "Cy"
    assert Seats(path).seats == again.seats


def test_only_the_teacher_can_read_the_codes(seats, path):
    assert path.stat().st_mode & 0o077 == 0


@pytest.mark.parametrize(
    "content",
    [
        "小明\r\nAda  Lovelace\r\n\r\n",
        "\ufeff小明\nAda Lovelace",
        "姓名,班级\n小明,7A\nAda Lovelace,7B",
        " 小明 ,7A,42\n Ada Lovelace,7B,\n,,\n",
        '"小明"\n"Ada Lovelace"\n',
        # As Excel saves it in China.
        "姓名,班级\r\n小明,７班\r\nAda Lovelace,二（3）班".replace("７", "7").encode("gbk"),
    ],
)
def test_a_teachers_list_is_read_in_every_form(content, path):
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    seats = Seats(path.with_name("made.csv"))
    seats.add(listed(path))
    assert [seat.name for seat in seats.seats] == ["小明", "Ada Lovelace"]


@pytest.mark.parametrize(
    ("content", "key"),
    [
        (b"", "seats_empty"),
        (b"\r\n , \r\n", "seats_empty"),
        ("小明\n".encode("utf-16"), "seats_unreadable"),
        # What decodes as GBK and is none.
        ("Renée Müller\n".encode("latin-1"), "seats_unreadable"),
        ("陳大文\n李小明\n".encode("big5"), "seats_unreadable"),
        ("田中太郎\n鈴木\n".encode("shift-jis"), "seats_unreadable"),
        ("小\x01明\n".encode("gbk"), "seats_unreadable"),
        (None, "seats_unreadable"),
    ],
)
def test_a_list_that_cannot_be_read_is_told_with_what_to_do(content, key, path):
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(LabError, match="open the class again") as caught:
        listed(path)
    assert caught.value.key == f"classroom.{key}"


def test_a_name_that_comes_twice_is_told_and_nothing_is_written(path):
    with pytest.raises(LabError, match="小明"):
        Seats(path).add(["小明", "Ada", " 小明 "])
    with pytest.raises(LabError, match="Ada, ADA"):
        Seats(path).add(["Ada", "ADA", "Bo"])
    with pytest.raises(LabError, match="60 characters"):
        Seats(path).add(["x" * 61])
    assert not path.exists()


@pytest.mark.parametrize("name", ["=cmd|'/C calc'!A0", "+1", "@x", " ＝1"])
def test_a_name_that_a_spreadsheet_would_run_is_refused(name, path):
    with pytest.raises(LabError, match="formula"):
        Seats(path).add([name])
    assert not path.exists()


def test_what_could_steer_a_terminal_or_look_like_another_name_is_made_plain(path):
    seats = Seats(path)
    seats.add(["A\x1b]0;x\x07\u202eda", "cafe\u0301"])
    assert [seat.name for seat in seats.seats] == ["A�]0;x��da", "caf\xe9"]
