"""The file `.env` as editors, shells and people leave it."""

import logging
import os

import pytest

from qwen_lab import dotfile, paths
from qwen_lab.words import LabError, say

KEY = "sk-0123456789abcdef0123456789abcdef"
LINE = f"DASHSCOPE_API_KEY={KEY}"


@pytest.fixture(autouse=True)
def elsewhere(tmp_path, tmp_path_factory, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(paths, "ROOT", tmp_path_factory.mktemp("checkout"))


@pytest.fixture
def path(tmp_path):
    return tmp_path / ".env"


def refused(path):
    with pytest.raises(LabError) as caught:
        dotfile.read(dotfile.find())
    assert str(path) in str(caught.value) and KEY not in str(caught.value)
    return caught.value.key.removeprefix("connection.dotenv_"), str(caught.value)


@pytest.mark.parametrize(
    ("text", "encoding", "why"),
    [
        (LINE, "utf-16", "utf16"),
        (LINE, "utf-16-le", "utf16"),
        (LINE, "utf-16-be", "utf16"),
        ("# 密钥\n" + LINE, "gbk", "other"),
        ("# 密鑰\n" + LINE, "big5", "other"),
    ],
)
def test_another_encoding_is_named_with_the_way_out(path, text, encoding, why):
    path.write_bytes(text.encode(encoding))
    found, words = refused(path)
    assert found == why and "UTF-8" in words


def test_a_mark_at_the_beginning_is_no_part_of_the_first_name(path):
    path.write_bytes(LINE.encode("utf-8-sig"))
    assert dotfile.read(path) == {"DASHSCOPE_API_KEY": KEY}


def test_a_folder_is_no_file_but_an_environment_of_that_name_is_passed_over(path, tmp_path):
    path.mkdir()
    assert refused(path)[0] == "folder"
    (path / "pyvenv.cfg").write_text("")
    assert dotfile.find() is None
    (paths.ROOT / ".env").write_text(LINE)
    assert dotfile.find() == paths.ROOT / ".env"


def test_a_file_that_may_not_be_read(path, monkeypatch):
    path.write_text(LINE)

    def closed(self):
        raise PermissionError(13, "Permission denied")

    # The mode alone does not keep root out.
    monkeypatch.setattr(type(path), "read_bytes", closed)
    found, words = refused(path)
    assert found == "unreadable" and "permission is missing" in words


@pytest.mark.parametrize(
    ("line", "fault"),
    [
        (f"DASHSCOPE_API_KEY: {KEY}", "equals"),
        (f"DASHSCOPE_API_KEY:{KEY}", "equals"),
        (f"DASHSCOPE_API_KEY {KEY}", "equals"),
        (f'DASHSCOPE_API_KEY="{KEY}', "quote"),
        (f"DASHSCOPE_API_KEY='{KEY}", "quote"),
        (f'DASHSCOPE_API_KEY="{KEY}" "', "quote"),
        (f"DASHSCOPE_API_KEY＝{KEY}", "wide"),
        (f"DASHSCOPE_API_KEY：{KEY}", "wide"),
        (f"set DASHSCOPE_API_KEY={KEY}", "before"),
        (f'$env:DASHSCOPE_API_KEY="{KEY}"', "before"),
        (f'"DASHSCOPE_API_KEY": "{KEY}",', "before"),
        (f'"DASHSCOPE_API_KEY"="{KEY}"', "before"),
        (f"- DASHSCOPE_API_KEY={KEY}", "before"),
        (f"\u200bDASHSCOPE_API_KEY={KEY}", "before"),
        ("QWEN_LAB_ENDPOINT local", "equals"),
        ("HF_ENDPOINT: https://hf-mirror.example", "equals"),
    ],
)
def test_a_line_of_ours_that_is_not_understood_is_an_error_with_its_fault(
    path, line, fault, caplog
):
    path.write_text(f"# DASHSCOPE_API_KEY: put it here\n\nA=1\n{line}\nB=2\n", encoding="utf-8")
    found, words = refused(path)
    name = dotfile.NAMED.search(line)[0]
    assert found == "line" and f"Line 4 of {path}" in words and not caplog.records
    assert say(f"connection.line_{fault}", name=name) in words


def test_an_open_quote_above_does_not_swallow_a_line_of_ours(path):
    for end in ('B="2"', '"'):
        path.write_text(f'A="1\n{LINE}\n{end}\n')
        assert "Line 2" in refused(path)[1] and "earlier line opens" in refused(path)[1]


def test_a_variable_that_a_later_line_empties_is_told_and_one_filled_again_is_not(path):
    path.write_text(f"{LINE}\n\n# mine\nDASHSCOPE_API_KEY=\n")
    assert "Line 4" in refused(path)[1] and "leaves DASHSCOPE_API_KEY empty" in refused(path)[1]
    path.write_text(f"DASHSCOPE_API_KEY=\n{LINE}\nA=1\nA=\n")
    assert dotfile.read(path) == {"DASHSCOPE_API_KEY": KEY, "A": ""}


def test_a_name_alone_sets_nothing_and_is_no_fault(path):
    path.write_text(f"QWEN_LAB_LANG\n{LINE}\nDASHSCOPE_MODEL\n")
    assert dotfile.read(path) == {"DASHSCOPE_API_KEY": KEY}


def test_what_is_not_ours_may_look_as_it_likes(path, caplog):
    caplog.set_level(logging.DEBUG)
    path.write_text(
        f'MY DASH BOARD: "\nOLD_DASHSCOPE_API_KEY: x\n export {LINE} # mine\nA="1\n2"\n'
    )
    assert dotfile.read(path) == {"DASHSCOPE_API_KEY": KEY, "A": "1\n2"} and not caplog.records


def test_a_reference_is_filled_and_one_to_nothing_stays(path, monkeypatch):
    monkeypatch.setenv("MINE", KEY)
    path.write_text("DASHSCOPE_API_KEY=${MINE}\nDASHSCOPE_MODEL=${NOTHING}\n")
    assert dotfile.read(path) == {"DASHSCOPE_API_KEY": KEY, "DASHSCOPE_MODEL": "${NOTHING}"}


def test_every_file_about_is_read_as_far_as_it_can_be(path, tmp_path, monkeypatch):
    path.write_bytes("这是 GBK\nONE_KEY=above".encode("gbk"))
    below = tmp_path / "below"
    below.mkdir()
    (below / ".env").write_text('TWO_KEY=here\nTHREE="open\nFOUR')
    (paths.ROOT / ".env").write_text("FIVE_KEY=checkout")
    monkeypatch.chdir(below)
    found = {name: value for file in dotfile.every() for name, value in file.items()}
    assert found.items() >= {"ONE_KEY": "above", "TWO_KEY": "here", "FIVE_KEY": "checkout"}.items()


def test_a_working_folder_that_is_gone_leaves_the_checkouts_file(tmp_path, monkeypatch):
    gone = tmp_path / "gone"
    gone.mkdir()
    monkeypatch.chdir(gone)
    gone.rmdir()
    assert dotfile.find() is None
    (paths.ROOT / ".env").write_text(LINE)
    assert dotfile.find() == paths.ROOT / ".env"
    monkeypatch.chdir(tmp_path)


@pytest.mark.parametrize(
    ("name", "text", "told"),
    [
        (".env", LINE.lower(), "dashscope_api_key"),
        (".env", f"DASHCOPE_API_KEY={KEY}", "DASHSCOPE_API_KEY"),
        (".env", f"DASHSCOPE-API-KEY={KEY}", "DASHSCOPE_API_KEY"),
        (".env", KEY, "DASHSCOPE_API_KEY="),
        (".env.txt", LINE, ".env.txt"),
        (".env.example", LINE, ".env.example"),
        ("env.txt", KEY, "env.txt"),
        (".env.txt", "QWEN_LAB_ENDPOINT=http://192.168.1.5:8000/compatible-mode/v1", ".env.txt"),
    ],
)
def test_a_key_that_is_not_read_is_hinted_at(tmp_path, name, text, told):
    (tmp_path / name).write_text(text)
    hint = dotfile.hint(dotfile.find())
    assert told in hint and KEY not in hint


def test_a_variable_in_small_letters_is_hinted_at(monkeypatch):
    assert dotfile.hint(None) == ""
    if os.name != "nt":
        monkeypatch.setenv("dashscope_api_key", KEY)
        assert "dashscope_api_key" in dotfile.hint(None)


@pytest.mark.parametrize(
    ("name", "text"),
    [
        (".env", f"OPENAI_API_KEY={KEY}\n# {KEY}\nDEBUG=1"),
        (".env", ""),
        (".env.example", "DASHSCOPE_API_KEY=\n# DASHSCOPE_MODEL=qwen-flash"),
        (".env.example", "DASHSCOPE_API_KEY=sk-your-key"),
        (".env.example", "QWEN_LAB_ENDPOINT=local\n# QWEN_LAB_ENDPOINT=http://a.example/v1"),
        ("env", f"OPENAI_API_KEY={KEY}"),
    ],
)
def test_where_nothing_is_amiss_nothing_is_hinted_at(tmp_path, name, text):
    (tmp_path / name).write_text(text)
    assert dotfile.hint(dotfile.find()) == ""


def test_in_a_checkout_of_others_none_is_looked_for(monkeypatch):
    (paths.ROOT / ".env").write_text(LINE)
    monkeypatch.setattr(os, "access", lambda path, mode: path != paths.ROOT)
    assert dotfile.find() is None
