"""The command line and its help, in both languages."""

import pytest

from qwen_lab import words
from qwen_lab.setup import arguments, commands


def test_without_a_command_the_lessons_start():
    options = arguments.read([])
    assert options.command == "start"
    assert arguments.read(["--no-browser"]).no_browser
    assert arguments.read(["--no-browser", "start"]).no_browser
    assert arguments.read(["start", "--no-browser"]).no_browser


@pytest.mark.parametrize("line", [["--lang", "zh", "status"], ["status", "--lang", "zh"]])
def test_the_language_may_stand_before_or_after_the_command(line):
    assert arguments.read(line).command == "status"
    assert words.language() == "zh"


def test_a_question_comes_with_its_parameters():
    line = "ask hello --system Be_brief --temperature 0.5 --seed 7 --max-tokens 9"
    options = arguments.read(line.split())
    assert (options.question, options.system) == ("hello", "Be_brief")
    assert (options.temperature, options.seed, options.max_tokens) == (0.5, 7, 9)


def test_what_test_does_not_know_goes_to_pytest_in_order():
    options = arguments.read(["test", "--lang", "en", "-k", "one or two", "--la", "tests"])
    assert options.rest == ["-k", "one or two", "--la", "tests"]


@pytest.mark.parametrize("line", ["stop -x", "aks", "serve --port x", "ask", "status --lang fr"])
def test_a_line_that_makes_no_sense_ends_in_a_sentence_and_the_next_step(line, capsys):
    with pytest.raises(SystemExit) as caught:
        arguments.read(line.split())
    shown = capsys.readouterr()
    assert caught.value.code == 2
    assert "Couldn't read" in shown.err and "--help" in shown.err


@pytest.mark.parametrize("name", arguments._COMMANDS)
def test_every_command_exists_and_explains_itself_in_both_languages(name, capsys):
    assert callable(getattr(commands, arguments._COMMANDS[name][0]))
    for language in words.LANGUAGES:
        with pytest.raises(SystemExit):
            arguments.read([name, "--help", "--lang", language])
        shown = capsys.readouterr().out
        assert shown.startswith("usage: " if language == "en" else "用法：")
        assert words.say(f"commands.help_{name}")[:12] in shown
