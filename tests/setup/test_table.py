"""A table fits its columns in both scripts, and loses nothing."""

import pytest

from qwen_lab.setup import table

CHINESE = "代理 http://127.0.0.1:7897 没有应答，请打开代理软件，或者去掉这个变量。" * 3
ENGLISH = "Nothing answers at http://127.0.0.1:7897; start your proxy program. " * 4


def test_a_chinese_character_takes_two_columns():
    assert table.width("千问 a，") == 8


@pytest.mark.parametrize("text", [CHINESE, ENGLISH, "/home/someone" * 20, "路" * 90, "x" * 200, ""])
@pytest.mark.parametrize("columns", [30, 64])
def test_lines_are_no_longer_than_asked_and_hold_all_the_text(text, columns):
    lines = list(table.wrapped(text, columns))
    assert all(table.width(line) <= columns for line in lines)
    assert "".join(lines).replace(" ", "") == text.replace(" ", "")


def test_no_line_begins_with_a_comma_or_full_stop():
    lines = list(table.wrapped(CHINESE, 30))
    assert not any(line.startswith(("，", "。")) for line in lines)


def test_names_are_filled_to_the_longest_by_width():
    rows = [("✓", "Key", ["one"]), ("✗", "本机的千问", ["two", "→ three"])]
    assert list(table.lines(rows, 40)) == [
        "✓ Key         one",
        "✗ 本机的千问  two",
        "              → three",
    ]
