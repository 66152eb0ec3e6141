"""Control groups: what is written where. A model of the files is used, and real ones where there are any."""

import os
from pathlib import Path

import pytest

from cnnlab.grading import cgroups
from cnnlab.grading.cgroups import NoCgroupsError, cgroups_status, find_cgroups
from cnnlab.grading.limits import Limits
from cnnlab.grading.model import Cell
from cnnlab.grading.session import Session
from cnnlab.grading.warm import WarmExecutor


@pytest.fixture
def group(tmp_path):
    """A group as root or a delegated user finds it, in which groups can be made and removed."""
    folder = tmp_path / "session.scope"
    folder.mkdir()
    (folder / "cgroup.controllers").write_text("cpuset cpu io memory pids\n")
    (folder / "cgroup.subtree_control").write_text("memory pids cpu\n")
    return folder


@pytest.fixture
def removable(monkeypatch):
    """The kernel removes a group with all its files; a folder has to be emptied first."""
    real = Path.rmdir

    def rmdir(folder):
        for path in folder.iterdir():
            path.unlink()
        real(folder)

    monkeypatch.setattr(Path, "rmdir", rmdir)


@pytest.mark.usefixtures("removable")
def test_a_submission_gets_a_group_with_its_limits(group):
    made = find_cgroups(group).make(Limits(memory_bytes=123 << 20, processes=7))
    assert made.folder.parent == group
    made.add(4711)
    assert {path.name: path.read_text() for path in made.folder.iterdir()} == {
        "memory.max": str(123 << 20),
        "pids.max": "7",
        "cgroup.procs": "4711",
    }
    made.remove()
    assert not made.folder.exists()
    assert sorted(path.name for path in group.iterdir()) == ["cgroup.controllers", "cgroup.subtree_control"]


@pytest.mark.usefixtures("removable")
def test_a_process_in_the_graders_own_group_makes_groups_beside_it(group):
    (group / "cnnlab-grader").mkdir()
    assert find_cgroups(group / "cnnlab-grader").folder == group


def test_what_is_missing_is_named(group, tmp_path):
    (group / "cgroup.controllers").write_text("cpu io\n")
    with pytest.raises(NoCgroupsError, match="no memory and no pids"):
        find_cgroups(group)
    with pytest.raises(NoCgroupsError, match=r"cgroup\.controllers: No such file"):
        find_cgroups(tmp_path / "nowhere")


@pytest.mark.usefixtures("removable")
@pytest.mark.parametrize("user", [0, 1000])
def test_a_group_with_members_is_left_for_one_below_it(group, monkeypatch, user):
    monkeypatch.setattr("os.geteuid", lambda: user)
    (group / "cgroup.subtree_control").write_text("\n")
    (group / "cgroup.procs").write_text(f"17\n{os.getpid()}\n23\n99\n")
    real, busy, moved = Path.write_text, [True], []

    def write_text(path, text, **options):
        if path.name == "cgroup.subtree_control" and busy.pop():
            raise OSError(16, "Device or resource busy", str(path))
        if path.parent.name == "cnnlab-grader":
            moved.append(int(text))
            if text == "23":
                raise ProcessLookupError(3, "No such process", str(path))  # it has just ended
        return real(path, text, **options)

    monkeypatch.setattr(Path, "write_text", write_text)
    busy[:] = [False, True]
    find_cgroups(group)
    # The shell, say, and `tee`, where the group is this user's; root may be in a group that is nobody's to rearrange.
    assert moved == ([17, os.getpid(), 23, 99] if user else [os.getpid()])
    assert (group / "cgroup.subtree_control").read_text() == "+memory +pids +cpu"


@pytest.mark.usefixtures("removable")
def test_a_group_that_cannot_be_used_is_left_as_it_was(group, monkeypatch):
    (group / "cgroup.subtree_control").write_text("\n")
    (group / "cgroup.procs").write_text(f"{os.getpid()}\n")
    real = Path.write_text

    def write_text(path, text, **options):
        if path.name == "cgroup.subtree_control":
            raise OSError(16, "Device or resource busy", str(path))
        return real(path, text, **options)

    monkeypatch.setattr(Path, "write_text", write_text)
    with pytest.raises(NoCgroupsError, match="busy"):
        find_cgroups(group)
    assert (group / "cgroup.procs").read_text() == str(os.getpid())  # back again
    assert not (group / "cnnlab-grader").exists()


@pytest.mark.sandbox
@pytest.mark.usefixtures("removable")
def test_the_first_process_of_a_submission_is_put_into_its_group_before_any_code_runs(group, monkeypatch):
    added = []
    monkeypatch.setattr("cnnlab.grading.warm.find_cgroups", lambda: find_cgroups(group))
    monkeypatch.setattr(cgroups.Cgroup, "add", lambda self, pid: added.append(_inside(pid)))
    executor = WarmExecutor()
    try:
        with Session(executor, [Cell(0, "print(1)")], Limits()) as session:
            session.prepare()
            assert session.reports[0].stdout == "1\n"
            assert len([path for path in group.iterdir() if path.is_dir()]) == 1
    finally:
        executor.close()
    assert added == [("1", [])]
    assert [path for path in group.iterdir() if path.is_dir()] == []


def _inside(pid):
    """Return the number that a process has in its own namespace, and its children."""
    lines = Path(f"/proc/{pid}/status").read_text(encoding="utf-8").splitlines()
    [numbers] = [line.split() for line in lines if line.startswith("NSpid:")]
    children = [
        path.parent.name
        for path in Path("/proc").glob("[0-9]*/stat")
        if path.read_text(encoding="utf-8", errors="replace").rpartition(")")[2].split()[1] == str(pid)
    ]
    return numbers[-1], children


@pytest.mark.sandbox
def test_memory_of_all_processes_together_is_limited_where_there_are_control_groups():
    try:
        find_cgroups()
    except NoCgroupsError as reason:
        pytest.skip(f"no control groups here: {reason}")
    source = """
import os, numpy as np
for _ in range(8):
    if os.fork() == 0:
        x = np.ones(30 << 20 >> 3)
        __import__("time").sleep(3)
        os._exit(0)
ended = [os.waitstatus_to_exitcode(os.wait()[1]) for _ in range(8)]
print(min(ended))
"""
    executor = WarmExecutor()
    try:
        with Session(executor, [Cell(0, source)], Limits(memory_bytes=200 << 20)) as session:
            session.prepare()
            assert session.reports[0].left_out or session.reports[0].stdout == "-9\n"
    finally:
        executor.close()


def test_a_report_says_which_it_is():
    assert "control groups" in cgroups_status()
