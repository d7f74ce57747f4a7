import psutil
import pytest

from qwen_lab.endpoint import free_memory
from qwen_lab.words import LabError

MACHINE = 8_000_000_000
UNLIMITED = 9_223_372_036_854_771_712


@pytest.fixture(autouse=True)
def machine(monkeypatch):
    memory = psutil.virtual_memory()._replace(available=MACHINE)
    monkeypatch.setattr(psutil, "virtual_memory", lambda: memory)


def group(root, where, *, limit, used, cache, version=2):
    names = free_memory.V2 if version == 2 else free_memory.V1
    folder = root / names[0] / where
    folder.mkdir(parents=True, exist_ok=True)
    for name, value in zip(names[1:3], (limit, used), strict=True):
        (folder / name).write_text(f"{value}\n")
    (folder / "memory.stat").write_text(f"anon 5\n{names[3]} {cache}\n")


def process(root, text):
    (root / "proc/self").mkdir(parents=True)
    (root / "proc/self/cgroup").write_text(text)


V2 = "0::/user.slice/me\n"
V1 = "12:cpu,cpuacct:/a\n4:memory:/docker/one\n1:name=systemd:/\n"


@pytest.mark.parametrize(
    ("version", "text", "where"), [(2, V2, "user.slice/me"), (1, V1, "docker/one")]
)
def test_what_a_group_leaves_counts_its_cache_as_free(tmp_path, version, text, where):
    process(tmp_path, text)
    group(tmp_path, where, limit=10**9, used=6 * 10**8, cache=10**8, version=version)
    assert free_memory.free(tmp_path) == (5 * 10**8, True)


@pytest.mark.parametrize(("version", "text"), [(2, V2), (1, V1)])
def test_the_limit_of_a_container_or_of_a_group_above_holds(tmp_path, version, text):
    process(tmp_path, text)
    group(tmp_path, ".", limit=10**9, used=7 * 10**8, cache=0, version=version)
    group(tmp_path, "user.slice/me", limit="max", used=1, cache=0)
    assert free_memory.free(tmp_path) == (3 * 10**8, True)


@pytest.mark.parametrize(("version", "limit"), [(2, "max"), (1, UNLIMITED)])
def test_without_a_limit_the_machine_counts(tmp_path, version, limit):
    process(tmp_path, V2 if version == 2 else V1)
    group(tmp_path, ".", limit=limit, used=10**9, cache=0, version=version)
    assert free_memory.free(tmp_path) == (MACHINE, False)


@pytest.mark.parametrize("text", [None, "", "0::/\n", "0::/nowhere\n4:memory:/\n"])
def test_a_machine_without_such_files_counts_itself(tmp_path, text):
    if text is not None:
        process(tmp_path, text)
    assert free_memory.free(tmp_path) == (MACHINE, False)


def test_which_limit_is_short_is_said(monkeypatch):
    for limited, words in ((True, "limit of this container leaves only 0 MB"), (False, "0 MB are")):
        monkeypatch.setattr(free_memory, "free", lambda limited=limited: (-5, limited))
        with pytest.raises(LabError, match=words):
            free_memory.check(10**9)
    monkeypatch.setattr(free_memory, "free", lambda: (10**9, True))
    free_memory.check(10**9)
