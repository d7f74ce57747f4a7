"""What the class keeps of each learner's exercises: little, in one file each, gone when told so."""

import json
import os

import pytest
from starlette.testclient import TestClient

from qwen_lab.classroom.progress import Progress
from qwen_lab.endpoint.app import create_app
from qwen_lab.endpoint.learner import Learner
from qwen_lab.endpoint.server_file import BASE

from ..views.hostile import HOSTILE

NUMBERS = ["01.1", "01.2", "02.1"]


@pytest.fixture
def folder(tmp_path):
    return tmp_path / "progress"


@pytest.fixture
def progress(folder):
    return Progress(folder, NUMBERS)


@pytest.fixture
def post(engine, progress):
    """Tell the class, as the checks do, with a code; gives the status."""

    async def identify(token):
        return {"code-a": Learner("Ada"), "code-b": Learner("小明")}.get(token)

    known = progress.watched(identify)
    with TestClient(
        create_app(engine, known, more=[progress.route(known)]), "http://127.0.0.1"
    ) as http:

        def post(code, told):
            headers = {"authorization": f"Bearer {code}"}
            return http.post(f"{BASE}/lab/progress", json=told, headers=headers).status_code

        yield post


def files(folder):
    return [json.loads(path.read_text(encoding="utf-8")) for path in folder.iterdir()]


def test_tries_are_counted_until_it_passes_once(post, progress, folder):
    for status in ("wrong", "wrong", "passed", "wrong"):
        assert post("code-a", {"exercise": "01.1", "status": status}) == 200
    assert post("code-b", {"exercise": "01.2", "status": "wrong"}) == 200
    kept = progress.learners["Ada"]["01.1"]
    assert (kept["status"], kept["tries"]) == ("passed", 3) and set(progress.seen) == {
        "Ada",
        "小明",
    }
    # All that is written of her, and that the next class reads.
    assert {"name": "Ada", "exercises": {"01.1": kept}} in files(folder)
    assert Progress(folder, NUMBERS).learners == progress.learners
    assert Progress(folder, NUMBERS).seen["Ada"] == kept["time"]


def test_a_foreign_token_and_what_is_no_exercise_are_refused(post, progress, folder):
    told = {"exercise": "01.1", "status": "passed"}
    assert post("code-c", told) == post("", told) == 401
    for odd in (
        {"exercise": "99.1"},
        {"status": "excellent"},
        {"exercise": ["01.1"]},
        {"status": None},
        {"exercise": "../x"},
    ):
        assert post("code-a", told | odd) == 400
    assert post("code-a", "01.1") == 400
    assert not progress.learners and not files(folder)


def test_files_are_named_by_a_hash_and_are_their_owners(progress, folder):
    names = ["../../etc/passwd", "a/b", "CON", "", *HOSTILE]
    for name in names:
        progress.note(name, "01.1", "wrong")
    found = [*folder.iterdir()]
    assert len(found) == len({*names})
    assert all(path.stem.isalnum() and len(path.stem) == 32 for path in found)
    assert os.name == "nt" or {path.stat().st_mode & 0o777 for path in found} == {0o600}


def test_a_file_is_written_whole_or_not_at_all(progress, folder, monkeypatch, caplog):
    progress.note("Ada", "01.1", "wrong")
    before = files(folder)

    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(json, "dump", full)
    progress.note("Ada", "01.1", "passed")
    assert files(folder) == before and "Ada" not in caplog.text
    # It still counts as long as the class is open, and is written with what comes next.
    monkeypatch.undo()
    progress.note("Ada", "01.2", "wrong")
    assert files(folder)[0]["exercises"]["01.1"]["status"] == "passed"


def test_half_a_file_is_none_and_the_others_stay(progress, folder):
    progress.note("Ada", "01.1", "passed")
    [whole] = folder.iterdir()
    (folder / "half.json").write_bytes(whole.read_bytes()[:-9])
    assert Progress(folder, NUMBERS).learners == progress.learners
