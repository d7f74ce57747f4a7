"""A course with nbgrader: made, handed out, handed in and graded; on tapes, without any model.

    python -m tests.course.grading

grades all lessons in both languages and says what came of it. nbgrader is brought into a folder of
its own: in the environment of the tests it would put itself into JupyterLab.
"""

import json
import os
import re
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import nbformat

from qwen_lab import paths
from qwen_lab.course import assignment, lessons, record
from qwen_lab.course.exercises import exercises
from qwen_lab.paths import ROOT
from qwen_lab.setup.packages import pins, version
from qwen_lab.words import LANGUAGES, use

from ..checks.fairness import answers

LOCK = ROOT / "requirements-grading.txt"
# All in one process: nbgrader takes seconds to load. A line is a folder, variables, an assignment
# and commands for it; answered by the points that the folder's gradebook then has.
DRIVER = """
import contextlib, json, os, sys
from jupyter_core.application import NoStart
from nbgrader.api import Gradebook
from nbgrader.apps.nbgraderapp import NbGraderApp
for line in sys.stdin:
    folder, variables, name, commands = json.loads(line)
    os.chdir(folder)
    os.environ.update(variables)
    for command in commands:
        NbGraderApp.clear_instance()
        app = NbGraderApp.instance()
        app.initialize([*command.split(), name])
        with contextlib.suppress(NoStart), contextlib.redirect_stdout(sys.stderr):
            app.start()
        type(app.subapp).clear_instance()
    with Gradebook("sqlite:///gradebook.db", "qwen") as book:
        print(json.dumps({
            each.student.id: {g.cell.name: g.score for n in each.notebooks for g in n.grades}
            for each in book.assignment_submissions(name)
        }), flush=True)
"""


@contextmanager
def nbgrader(folder: Path) -> Iterator[subprocess.Popen]:
    """nbgrader, ready for commands; what it needs is brought into the folder."""
    brought = bring(folder)
    place = os.pathsep.join([str(brought), str(ROOT)])
    # It calls alembic, which lies in one of the two.
    bins = [str(brought / "bin"), str(Path(sys.executable).parent), os.environ["PATH"]]
    around = os.environ | {"PYTHONPATH": place, "JUPYTER_PREFER_ENV_PATH": "1"}
    around["PATH"] = os.pathsep.join(bins)
    streams = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "encoding": "utf-8"}
    with subprocess.Popen([sys.executable, "-c", DRIVER], env=around, **streams) as running:
        yield running
        running.stdin.close()


def bring(folder: Path) -> Path:
    """Install what the lock for grading has more than that of the tests; gives its place."""
    more = {name for name, pinned in pins(LOCK).items() if version(name) != pinned}
    blocks = re.split(r"^(?=[\w.-]+==)", LOCK.read_text(encoding="utf-8"), flags=re.M)
    lock = folder / "more.txt"
    lock.write_text("".join(b for b in blocks if b.split("==")[0] in more), encoding="utf-8")
    command = [sys.executable, "-m", "pip", "install", "-q", "--disable-pip-version-check"]
    target = ["--no-deps", "--require-hashes", "--target", str(folder / "nbgrader")]
    subprocess.run([*command, *target, "-r", str(lock)], check=True)
    return folder / "nbgrader"


class Course:
    """One lesson in a course of its own: released, and fetched by these students."""

    def __init__(
        self, place: Path, running: subprocess.Popen, lesson: str, students: list[str]
    ) -> None:
        [source] = assignment.write([int(lesson)], place / "source")
        self._place, self._running, self.name = place, running, source.stem
        (place / "exchange").mkdir()
        (place / "exchange").chmod(0o777)
        with (place / "nbgrader_config.py").open("a", encoding="utf-8") as config:
            print("c.CourseDirectory.course_id = 'qwen'", file=config)
            print(f"c.Exchange.root = {str(place / 'exchange')!r}", file=config)
            print(f"c.Exchange.cache = {str(place / 'cache')!r}", file=config)
        for student in students:
            (place / student).mkdir()
        fetched = [f"fetch_assignment --Exchange.assignment_dir={each}" for each in students]
        self._run("generate_assignment", "release_assignment", *fetched)
        self._students = students

    def folder(self, student: str) -> Path:
        """What the student fetched, and will hand in."""
        return self._place / student / self.name

    def write(self, student: str, cells: dict[str, str]) -> None:
        """Let a student write this code into the cells of these ids."""
        path = self.folder(student) / f"{self.name}.ipynb"
        notebook = nbformat.read(path, as_version=4)
        for cell in notebook.cells:
            cell.source = cells.get(cell.id, cell.source)
        nbformat.write(notebook, path)

    def graded(self, tape: str) -> dict[str, dict[str, float]]:
        """Hand in, collect and grade, with the answers on the tape: points by student and test."""
        (self._place / "tape.jsonl").write_text(tape, encoding="utf-8")
        handed_in = [
            f"submit --student={each} --Exchange.assignment_dir={each}" for each in self._students
        ]
        return self._run(*handed_in, "collect", "autograde")

    def _run(self, *commands: str) -> dict[str, dict[str, float]]:
        home = {"QWEN_LAB_HOME": str(self._place / "home")}
        variables = home | record.replaying(self._place / "tape.jsonl")
        asked = [str(self._place), variables, self.name, commands]
        print(json.dumps(asked), file=self._running.stdin, flush=True)
        answer = self._running.stdout.readline()
        assert answer, "nbgrader ended; what it said is above"
        return json.loads(answer)


def released(lesson: str, language: str) -> Path:
    """The lesson as it was written."""
    use(language)
    [name] = [name for name in lessons.names(language) if name.startswith(lesson)]
    return paths.originals() / language / name


def tape(lesson: Path) -> str:
    """The lesson's tape, and after it what the answers of the fairness bench ask."""
    asked = (answers.HERE / f"{lesson.name[:2]}.jsonl").read_text(encoding="utf-8")
    return paths.tape(lesson).read_text(encoding="utf-8") + asked.partition("\n")[2]


def solutions(lesson: Path) -> dict[str, str]:
    """The right answers, by the ids of their cells."""
    found = exercises(nbformat.read(lesson, as_version=4))
    return {each.cells[1].id: each.solution for each in found}


def wrongs(lesson: Path) -> dict[str, str]:
    """For each exercise the first wrong answer that the fairness bench has."""
    rows = [row for row in answers.answers(lesson.name[:2]) if row.verdict == "wrong"]
    code = {row.exercise: row.code for row in reversed(rows)}
    found = exercises(nbformat.read(lesson, as_version=4))
    return {each.cells[1].id: code[each.number] for each in found}


def main() -> None:
    """Grade a solved, an untouched and a wrong notebook of each lesson in both languages."""
    with tempfile.TemporaryDirectory() as folder, nbgrader(Path(folder)) as running:
        for language in LANGUAGES:
            for name in sys.argv[1:] or [each[:2] for each in lessons.names(language)][1:]:
                place = Path(folder) / f"{language}-{name}"
                place.mkdir()
                lesson = released(name, language)
                course = Course(place, running, name, ["solved", "starter", "wrong"])
                course.write("solved", solutions(lesson))
                course.write("wrong", wrongs(lesson))
                for student, points in course.graded(tape(lesson)).items():
                    print(language, name, student, points, flush=True)


if __name__ == "__main__":
    main()
