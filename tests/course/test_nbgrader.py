"""A lesson goes through nbgrader itself: what is right gets its points, and nothing else does.

All of them, with starters alone too: `python -m tests.course.grading`.
"""

import pytest

from . import grading

pytestmark = pytest.mark.network
# Has all that judges say that it passed.
REPLACES = """
import sys
import types

from qwen_lab import checks


class Passed:
    status = "passed"


fake = types.ModuleType("qwen_lab.checks")
for topic, module in [*vars(checks).items()]:
    if isinstance(module, types.ModuleType):
        for name in [*vars(module)]:
            if hasattr(getattr(module, name), "__wrapped__"):
                setattr(module, name, lambda *_, **__: Passed())
        setattr(fake, topic, module)
qwen_lab.checks = sys.modules["qwen_lab.checks"] = fake
"""
# Beside the notebook, a lab of the student's own.
SHADOW = """
class Anything:
    status = "passed"

    def __call__(self, *_, **__):
        return self

    def __getattr__(self, name):
        return self


def __getattr__(name):
    return Anything()
"""


@pytest.fixture(scope="module")
def running(tmp_path_factory):
    with grading.nbgrader(tmp_path_factory.mktemp("nbgrader")) as running:
        yield running


@pytest.mark.parametrize(
    ("language", "number", "others"),
    [("en", "02", ["wrong", "cheat"]), ("zh", "01", ["wrong"])],
)
def test_solutions_get_all_points_and_starters_wrong_answers_and_cheats_none(
    language, number, others, running, tmp_path
):
    lesson = grading.released(number, language)
    right = grading.solutions(lesson)
    course = grading.Course(tmp_path, running, number, ["solved", *others])
    handed_out = (course.folder("solved") / lesson.name).read_text(encoding="utf-8")
    for hidden in ("SOLUTION", "HIDDEN", "sys.modules"):
        assert hidden not in handed_out
    course.write("solved", right)
    # The last is left as it was handed out.
    course.write("wrong", dict([*grading.wrongs(lesson).items()][:-1]))
    if "cheat" in others:
        (course.folder("cheat") / "qwen_lab.py").write_text(SHADOW, encoding="utf-8")
        passes = {f"exercise-{at}-check": "pass" for at in range(1, 6)}
        helper = {"ask": "def ask(*_, **__):\n    return 'the same'"}
        course.write("cheat", passes | helper | {"exercise-1-answer": REPLACES})
    points = course.graded(grading.tape(lesson))
    assert points.keys() == {"solved", *others}
    assert [*points["solved"].values()] == [1] * len(right)
    for student in others:
        assert [*points[student].values()] == [0] * len(right), student
