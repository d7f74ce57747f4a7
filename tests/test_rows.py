import csv

import pytest

from qwen_lab.rows import write_csv


def read(path):
    with open(path, encoding="utf-8-sig", newline="") as file:
        return list(csv.DictReader(file))


def test_every_name_has_a_column_and_every_text_comes_back(tmp_path):
    rows = [{"run": 1, "text": '一,"二"\n三'}, {"run": 2, "stop": ["。"], "cny": 0.5, "seed": None}]
    write_csv(tmp_path / "a.csv", rows)
    first, second = read(tmp_path / "a.csv")
    assert first == {"run": "1", "text": '一,"二"\n三', "stop": "", "cny": "", "seed": ""}
    assert (second["stop"], second["cny"]) == ('["。"]', "0.5")


@pytest.mark.parametrize(
    "text", ["=1+1", "+1", "-1", "@A1", "\t=1", "\r=1", "\n=1", "＝1", "＋1", "－1", "＠A1"]
)
def test_no_text_is_a_formula_but_numbers_stay_numbers(tmp_path, text):
    write_csv(tmp_path / "a.csv", [{text: text, "number": -1.5}])
    [row] = read(tmp_path / "a.csv")
    assert row == {f"'{text}": f"'{text}", "number": "-1.5"}


def test_half_a_character_does_no_harm(tmp_path):
    write_csv(tmp_path / "a.csv", [{"text": "a\ud800b"}])
    assert read(tmp_path / "a.csv") == [{"text": "a?b"}]


def test_a_file_is_written_whole_or_not_at_all(tmp_path):
    class Broken(dict):
        def get(self, name):
            raise RuntimeError

    (tmp_path / "a.csv").write_text("old")
    with pytest.raises(RuntimeError):
        write_csv(tmp_path / "a.csv", [Broken(a=1)])
    assert [path.name for path in tmp_path.iterdir()] == ["a.csv"]
    assert (tmp_path / "a.csv").read_text() == "old"
