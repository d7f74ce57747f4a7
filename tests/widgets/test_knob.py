"""A parameter's row: what is ticked is sent, and the table says what a slider can be."""

import pytest

from qwen_lab.parameters import PARAMETERS, SAMPLING
from qwen_lab.widgets.knob import settings


def setting(name, start=None):
    return settings((name,), {} if start is None else {name: start})[name]


def test_nothing_is_sent_that_was_not_set():
    assert {row.value for row in settings(SAMPLING, {}).values()} == {None}


def test_a_start_is_ticked_and_sent():
    row = setting("temperature", 0)
    assert row.tick.value and row.value == 0


def test_a_moved_slider_is_ticked_and_sent_as_it_reads():
    row = setting("temperature")
    row.slider.value = 0.15000000000000002
    assert row.tick.value and row.value == row.control.value == 0.15


def test_a_typed_number_moves_the_slider_and_even_its_end():
    row = setting("top_k")
    row.control.value = 150
    assert row.value == row.slider.value == 150
    row.control.value = 50
    assert row.value == row.slider.value == 50


@pytest.mark.parametrize(
    ("name", "typed", "said"),
    [
        ("temperature", 5, "5 is outside its range, [0, 2)"),
        ("top_p", 0, "0 is outside"),
        ("seed", -1, "-1 is outside"),
    ],
)
def test_a_typed_number_out_of_range_stays_is_named_and_is_not_sent(name, typed, said):
    row = setting(name)
    row.control.value = typed
    assert row.control.value == typed and row.value is None
    assert row.problem.startswith(f"{name} isn't sent: {said}")
    row.tick.value = False
    assert not row.problem


def test_what_is_typed_stays_when_a_page_adds_up_the_sliders_steps():
    row = setting("temperature", 0.6)
    row.control.value = 5
    row.slider.value = 0.6000000000000001
    assert row.control.value == 5 and row.problem


def test_a_ticked_default_is_sent():
    row = setting("presence_penalty")
    row.tick.value = True
    assert row.value == 0


def test_a_slider_moved_back_to_its_default_stays_ticked():
    row = setting("temperature", 1.5)
    row.control.value = 0.7
    assert row.value == 0.7


def test_an_unticked_slider_goes_back_to_the_default_and_is_not_sent():
    row = setting("temperature", 1.5)
    row.tick.value = False
    assert row.control.value == 0.7 and row.value is None


@pytest.mark.parametrize("name", ["max_tokens", "seed"])
def test_a_whole_number_is_sent_as_one(name):
    row = settings(("max_tokens",), {})[name]
    row.control.value = 7
    assert row.value == 7 and isinstance(row.value, int)


@pytest.mark.parametrize("name", SAMPLING)
def test_a_slider_is_made_from_its_row_of_the_table(name):
    row, slider = PARAMETERS[name], setting(name).slider
    assert (slider.value, slider.step) == (row.default, row.step)
    assert (slider.description, slider.tooltip) == (name, row.meaning)


@pytest.mark.parametrize("name", SAMPLING)
def test_a_slider_stops_inside_its_range(name):
    row, slider = PARAMETERS[name], setting(name).slider
    assert row.allows(slider.min) and row.allows(slider.max)
    assert slider.min - row.low == (row.step if row.open_low else 0)
    if row.high is not None:
        assert row.high - slider.max == pytest.approx(row.step if row.open_high else 0)


@pytest.mark.parametrize(
    ("name", "value"),
    [("temperature", 1.99), ("top_p", 0.01), ("top_k", 150), ("repetition_penalty", 3.5)],
)
def test_a_start_beyond_the_sliders_end_but_in_range_is_kept(name, value):
    assert setting(name, value).value == value


@pytest.mark.parametrize(
    ("parameters", "start", "complaint"),
    [
        (("temperature",), {"temperature": 2}, r"temperature is 2; it must be float in \[0, 2\)"),
        (("max_tokens",), {"max_tokens": 1.5}, r"max_tokens is 1.5; it must be int in \[1, 2048\]"),
        (("temperature",), {"seed": -1}, "seed is -1"),
        (("temperature",), {"top_k": 3}, "'top_k' has no row here. The rows are: temperature"),
        (("heat",), {}, "no parameter 'heat'. There are: temperature, "),
        (("stream",), {"stream": 1}, "stream is 1; it must be bool"),
        (("tools",), {"tools": "x"}, "tools is 'x'; it must be list"),
    ],
)
def test_what_cannot_be_set_is_a_value_error(parameters, start, complaint):
    with pytest.raises(ValueError, match=complaint):
        settings(parameters, start)


def test_every_parameter_of_the_table_has_a_control_that_sends_what_the_table_takes():
    names = PARAMETERS.keys() - {"stream_options"}
    for name, row in settings(names, {}).items():
        row.tick.value = True
        assert PARAMETERS[name].fits(row.value), name


def test_a_switch_is_on_as_soon_as_it_is_ticked():
    row = setting("logprobs")
    assert row.value is None
    row.tick.value = True
    assert row.value is True
    row.control.value = False
    assert row.value is False


def test_texts_that_stop_are_seen_and_typed_as_json_or_one_of_them_as_it_is():
    assert setting("stop", ["。", "\n"]).control.value == r'["。", "\n"]'
    row = setting("stop")
    row.control.value = r'["\n"]'
    assert row.tick.value and row.value == ["\n"]
    row.control.value = "END"
    assert row.value == "END"
    row.control.value = '["END'
    assert row.value is None and "stop isn't JSON" in row.problem


@pytest.mark.parametrize(
    ("name", "shown"),
    [("seed", 1234), ("logprobs", False), ("n", 1), ("thinking_budget", 2048), ("tools", "")],
)
def test_what_is_not_sent_shows_what_the_service_does_without_it(name, shown):
    assert setting(name).control.value == shown


def test_a_tick_puts_an_example_into_an_empty_field_and_an_emptied_one_is_not_sent():
    row = setting("response_format")
    assert row.control.placeholder == "default: text"
    row.tick.value = True
    assert row.value == {"type": "json_object"}
    row.control.value = ""
    assert not row.tick.value and not row.problem


def test_a_switch_can_be_set_to_what_it_is_by_default():
    row = setting("logprobs")
    row.set(False)
    assert row.value is False


def test_an_object_is_written_as_json():
    row = setting("response_format")
    row.control.value = '{"type": "text"}'
    assert row.value == {"type": "text"} and row.problem == ""
    row.control.value = '{"type": '
    assert row.value is None and "response_format isn't JSON" in row.problem


def test_a_row_can_be_set_and_taken_back():
    row = setting("temperature")
    row.set(0.2)
    assert row.value == 0.2
    row.set(None)
    assert row.value is None and row.control.value == 0.7
