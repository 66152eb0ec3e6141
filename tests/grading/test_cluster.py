"""A Dask scheduler and its workers, as processes of this machine: the same points as here, and nothing is lost."""

import contextlib
import json
import os
import queue
import shutil
import socket
import subprocess
import sys
import time
from collections import Counter
from dataclasses import replace
from pathlib import Path

import psutil
import pytest

from cnnlab.grading.cluster_address import ClusterError, Scheduler
from cnnlab.grading.course import Course
from cnnlab.grading.executor import NoSandboxError
from cnnlab.grading.limits import Limits
from cnnlab.grading.model import Cell
from cnnlab.grading.plan import canary_tasks
from cnnlab.grading.task import Task, read_result, run_task

pytest.importorskip("distributed")
from cnnlab.grading import cluster as cluster_module
from cnnlab.grading.cluster import Cluster

ROOT = Path(__file__).parents[2]
SEED = 918_273_645
STUB = "def scan_1d(*a): raise NotImplementedError"
# A plain process, the child that grades it, and the Dask worker above that.
KILL_THE_WORKER = """
import os
line = open(f"/proc/{os.getppid()}/stat").read()
os.kill(int(line.rpartition(")")[2].split()[1]), 9)
"""


class Dask:
    """A scheduler and workers, each in a session of its own; all are gone after `close`."""

    def __init__(self, folder, *, tls=(), **environment):
        self.folder = folder
        self.tls = list(tls)
        self.environment = environment
        self.started = []
        self.seen = set()
        self.file = folder / "scheduler.json"
        self.log = folder / "dask.log"
        self.scheduler = self.start("scheduler", "--port", "0")
        self.address = wait_for(self._address)

    def _address(self):
        with contextlib.suppress(OSError, ValueError):
            return json.loads(self.file.read_text())["address"]
        return None

    def start(self, *words, **environment):
        command = [sys.executable, "-m", "dask", *words, "--host", "127.0.0.1", "--no-dashboard"]
        protocol = ["--protocol", "tls"] if self.tls else []
        paths = {"PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}
        paths["DASK_DISTRIBUTED__SCHEDULER__IDLE_TIMEOUT"] = "5 minutes"  # also when the tests are killed
        with self.log.open("a") as log:
            process = subprocess.Popen(
                [*command, "--scheduler-file", str(self.file), *protocol, *self.tls],
                cwd=self.folder,
                env={**os.environ, **paths, **self.environment, **environment},
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        self.started.append(process)
        return process

    def worker(self, *, nanny=False, sandbox=False, **environment):
        """Start a worker; without a sandbox, bubblewrap is not on its PATH."""
        if not sandbox:
            environment.setdefault("PATH", str(Path(sys.executable).parent))
        words = ["--nthreads", "1", "--local-directory", str(self.folder), "--nanny" if nanny else "--no-nanny"]
        return self.start("worker", *words, **environment)

    def below(self):
        """Return all processes that were started, and that these started."""
        for process in self.started:
            with contextlib.suppress(psutil.Error):
                self.seen |= {psutil.Process(process.pid), *psutil.Process(process.pid).children(recursive=True)}
        return [each for each in self.seen if each.is_running() and each.status() != psutil.STATUS_ZOMBIE]

    def close(self):
        """Kill what is Dask's; what grades must then end by itself."""
        left = self.below()
        for each in left:
            if "cnnlab.grading" not in " ".join(words_of(each)):
                with contextlib.suppress(psutil.Error):
                    each.kill()
        for process in self.started:
            process.wait()
        _, left = psutil.wait_procs(left, timeout=20)
        for each in left:
            each.kill()
        assert left == []


def words_of(process):
    try:
        return process.cmdline()
    except psutil.Error:
        return []


def wait_for(condition, seconds=60):
    deadline = time.monotonic() + seconds
    while not (found := condition()):
        assert time.monotonic() < deadline, "waited for too long"
        time.sleep(0.1)
    return found


@pytest.fixture(scope="module")
def lab(tmp_path_factory):
    """Two workers without a sandbox."""
    dask = Dask(tmp_path_factory.mktemp("lab"))
    dask.worker()
    dask.worker()
    yield dask
    dask.close()
    # No log of Dask's shows whose submission it was, or what the hidden inputs come from.
    assert not [word for word in (str(SEED), "zaphod", "of the tests") if word in dask.log.read_text()]


@pytest.fixture
def alone(tmp_path):
    """A scheduler without a worker."""
    dask = Dask(tmp_path)
    yield dask
    dask.close()


def ready(cluster, course):
    """Let the workers of a cluster be looked at, and return a task to copy."""
    executor = cluster.choose_executor(allow_unsandboxed=True)
    base = Task("", "a1", "", (), {}, SEED, Limits(), executor.name)
    cluster.sing(*canary_tasks(Course(course, "a1"), base))
    return base


@pytest.fixture(scope="module")
def shared(lab, released_course):
    """The cluster of the lab, and a task to copy."""
    with Cluster(Scheduler(lab.address), None, lambda _: None) as cluster:
        wait_for(lambda: len(cluster.client.threads()) == 2)
        yield cluster, ready(cluster, released_course)


@pytest.fixture
def opened(released_course):
    """Open a cluster that is ready to run tasks, and return it with a task to copy."""
    with contextlib.ExitStack() as stack:

        def opened(address, *, jobs=None, said=None, **options):
            tell = said.append if said is not None else lambda _: None
            cluster = stack.enter_context(Cluster(Scheduler(address, **options), jobs, tell))
            return cluster, ready(cluster, released_course)

        yield opened


def tasks(base, count, *sources):
    cells = tuple(Cell(number, source) for number, source in enumerate(sources))
    return [replace(base, student=f"zaphod{number}", key=f"key {number}", cells=cells) for number in range(count)]


def points(result):
    checks = [(check.title, check.passed, check.points) for each in result.exercises for check in each.checks]
    return result.student, result.status, result.score, checks


def test_points_are_those_of_this_machine(shared, answers):
    cluster, base = shared
    asked = tasks(base, 2, "import numpy as np", answers["one"])
    asked += [replace(each, student=f"other {each.student}") for each in tasks(base, 2, STUB)]
    here = [read_result(run_task(task.to_bytes())) for task in asked]
    there = sorted(cluster.run(asked), key=lambda result: [task.student for task in asked].index(result.student))
    assert [points(result) for result in there] == [points(result) for result in here]
    assert {result.score for result in there} == {5.0, 0.0}
    assert all(peak.worker > 10_000 for peak in cluster.peaks())


def test_a_whole_run_enters_the_same_gradebook_and_a_second_one_does_nothing(lab, course, monkeypatch, capsys):
    monkeypatch.setenv("PATH", str(Path(sys.executable).parent))  # so that this machine has no sandbox either
    course.hand_in("zaphod")
    course.hand_in("zaphod2", one=STUB)
    course.save("zaphod3", "no notebook")
    there = course.grade(scheduler=Scheduler(lab.address), jobs=None)
    assert {name: result.score for name, result in there.items()} == {"zaphod": 15, "zaphod2": 10, "zaphod3": 0}
    written = course.database()
    assert "2 run in" in capsys.readouterr().out
    here = course.grade(jobs=1)
    assert "3 students: 0 to run" in capsys.readouterr().out
    assert [points(result) for result in here.values()] == [points(result) for result in there.values()]
    assert course.database() == written


def test_a_worker_without_a_sandbox_is_refused(lab):
    with Cluster(Scheduler(lab.address), None, print) as cluster:
        with pytest.raises(NoSandboxError, match=r"the worker tcp://.* has no sandbox: bubblewrap is not installed"):
            cluster.choose_executor(allow_unsandboxed=False)
        assert not cluster.choose_executor(allow_unsandboxed=True).isolated


def test_few_tasks_are_on_the_cluster_at_a_time_and_none_when_a_run_is_given_up(lab, shared, monkeypatch):
    from distributed import Client

    cluster, base = shared
    monkeypatch.setattr(cluster, "jobs", 3)
    with Client(lab.address, set_as_default=False) as other:
        run = cluster.run(tasks(base, 12, STUB))
        keys = set()
        for _ in range(4):
            next(run)
            there = [str(key) for each in other.processing().values() for key in each]
            assert len(there) <= 3
            keys |= set(there)
        run.close()  # as Ctrl-C does
        wait_for(lambda: not any(other.processing().values()), 20)
    assert keys
    assert all(key.startswith("submission-") and "zaphod" not in key for key in keys)


def test_a_result_that_comes_twice_counts_once(shared):
    cluster, base = shared
    asked = tasks(base, 3, STUB)
    run = cluster_module.ClusterRun(cluster, asked)
    run._answered = Twice()
    assert sorted(result.student for result in run.results()) == [task.student for task in asked]


class Twice:
    """A queue that gives everything twice."""

    def __init__(self):
        self._queue = queue.SimpleQueue()
        self.get = self._queue.get

    def put(self, future):
        self._queue.put(future)
        self._queue.put(future)


def test_a_worker_that_is_killed_costs_nobody_anything(lab, shared):
    cluster, base = shared
    asked = tasks(base, 8, STUB)
    found = []
    for result in cluster.run(asked):
        if not found:
            lab.started[-1].kill()
            lab.worker()
        found.append(result)
    assert Counter(result.student for result in found) == Counter(task.student for task in asked)
    assert {result.status for result in found} == {"graded"}


@pytest.mark.slow
def test_a_submission_that_ends_its_workers_is_our_fault_and_nobody_elses(tmp_path, opened):
    dask = Dask(tmp_path, DASK_DISTRIBUTED__SCHEDULER__ALLOWED_FAILURES="1")
    try:
        for _ in range(2):
            dask.worker(nanny=True)
        cluster, base = opened(dask.address, said=(said := []))
        asked = tasks(base, 6, STUB)
        asked[1] = replace(asked[1], cells=(Cell(0, KILL_THE_WORKER),))
        found = {result.student: result for result in cluster.run(asked)}
        assert [found[task.student].status for task in asked] == ["graded", "grader_error", *["graded"] * 4], said
        assert "died in the middle of it, with nothing else to do" in found["zaphod1"].reason
    finally:
        dask.close()


# ---- who is there ----


def test_without_a_worker_a_run_waits_and_says_so(alone):
    said = []
    with (
        Cluster(Scheduler(alone.address, worker_wait=1), None, said.append) as cluster,
        pytest.raises(ClusterError, match=r"no worker came to tcp://.* in 1 s.*--worker-wait"),
    ):
        cluster.choose_executor(allow_unsandboxed=True)
    assert len(said) == 1
    assert "has no worker yet" in said[0]


def other_cnnlab(folder, *, without_grader=False):
    """Return the environment of a worker that has a cnnlab with one changed word, or one without the grader."""
    shutil.copytree(ROOT / "cnnlab", folder / "cnnlab", ignore=shutil.ignore_patterns("__pycache__"))
    changed = folder / "cnnlab" / "checks" / "points.py"
    changed = changed if changed.is_file() else folder / "cnnlab" / "checks" / "__init__.py"
    changed.write_text(changed.read_text() + "\n# another word\n")
    if without_grader:
        shutil.rmtree(folder / "cnnlab" / "grading")
    return {"PYTHONPATH": str(folder)}


@pytest.mark.parametrize(
    ("without_grader", "said"),
    [
        (False, "has other files than the one of this run"),
        pytest.param(True, "its cnnlab is another version or missing", marks=pytest.mark.slow),
    ],
)
def test_a_worker_with_another_cnnlab_is_refused_by_its_name(alone, tmp_path, without_grader, said):
    alone.worker(**other_cnnlab(tmp_path / "other", without_grader=without_grader))
    with (
        Cluster(Scheduler(alone.address), None, print) as cluster,
        pytest.raises(ClusterError, match=rf"the worker tcp://127.* cannot be used: .*{said}.*Install there"),
    ):
        cluster.choose_executor(allow_unsandboxed=True)


@pytest.mark.slow
def test_a_worker_that_joins_later_works_only_if_it_is_like_this_machine(alone, opened, tmp_path):
    alone.worker()
    cluster, base = opened(alone.address, jobs=4, said=(said := []))
    run = cluster.run(tasks(base, 200, STUB))
    next(run)
    alone.worker(**other_cnnlab(tmp_path / "other"))
    alone.worker()
    results = []
    while len(cluster._accepted) < 2 or not any("joined" in line for line in said):
        results.append(next(run))
    run.close()
    assert ["other files" in line for line in said if "joined and gets no work: " in line] == [True]
    assert {result.status for result in results} == {"graded"}


@pytest.mark.slow
def test_a_scheduler_that_is_lost_ends_the_run_with_a_message(alone, opened, capfd):
    alone.worker()
    cluster, base = opened(alone.address)
    found = []
    run = cluster.run(tasks(base, 40, STUB))
    found.append(next(run))
    alone.scheduler.kill()  # as a machine that loses power
    with pytest.raises(ClusterError, match=r"the scheduler at tcp://.* was lost.*What was graded is kept"):
        found.extend(run)
    assert 1 <= len(found) < 40
    assert "Traceback" not in "".join(capfd.readouterr())


# ---- out of reach ----


@pytest.mark.sandbox
def test_a_submission_reaches_neither_scheduler_nor_worker(alone, opened):
    alone.worker(sandbox=True)
    cluster, base = opened(alone.address)
    addresses = [alone.address, *cluster.client.threads()]
    targets = [("127.0.0.1", int(address.rpartition(":")[2])) for address in addresses]
    with socket.socket(socket.AF_UNIX) as listener:
        name = f"\0cnnlab-test-{os.getpid()}"
        listener.bind(name)
        listener.listen()
        attack = f"""
import socket
for family, where in [*((socket.AF_INET, each) for each in {targets!r}), (socket.AF_UNIX, {name!r})]:
    with socket.socket(family) as link:
        link.settimeout(2)
        try:
            link.connect(where)
            print("reached", where)
        except OSError as error:
            print("out of reach")
"""
        for family, where in [*((socket.AF_INET, each) for each in targets), (socket.AF_UNIX, name)]:
            with socket.socket(family) as link:
                link.connect(where)  # from here they are there
        [result] = cluster.run(tasks(base, 1, attack))
    assert result.isolated
    assert result.cells[0].stdout == "out of reach\n" * 3


# ---- with certificates ----


def certificates(folder):
    """Make an authority, and a certificate that it signed."""
    folder.mkdir()

    def openssl(*words):
        subprocess.run(["openssl", *words], cwd=folder, check=True, capture_output=True)

    key = ("-newkey", "rsa:2048", "-nodes")
    openssl("req", "-x509", *key, "-keyout", "ca-key.pem", "-out", "ca.pem", "-days", "2", "-subj", "/CN=authority")
    openssl("req", *key, "-keyout", "key.pem", "-out", "request.pem", "-subj", "/CN=127.0.0.1")
    openssl(
        *("x509", "-req", "-in", "request.pem", "-CA", "ca.pem", "-CAkey", "ca-key.pem", "-CAcreateserial"),
        *("-out", "cert.pem", "-days", "2"),
    )
    return {"tls_ca_file": folder / "ca.pem", "tls_cert": folder / "cert.pem", "tls_key": folder / "key.pem"}


@pytest.mark.slow
@pytest.mark.skipif(shutil.which("openssl") is None, reason="openssl makes the certificates")
def test_with_tls_only_who_has_a_certificate_of_the_authority_is_let_in(tmp_path, opened):
    known, stranger = certificates(tmp_path / "known"), certificates(tmp_path / "stranger")
    words = [word for name, path in known.items() for word in (f"--{name.replace('_', '-')}", str(path))]
    dask = Dask(tmp_path, tls=words)
    try:
        assert dask.address.startswith("tls://")
        dask.worker()
        cluster, base = opened(dask.address, **known)
        assert [result.status for result in cluster.run(tasks(base, 2, STUB))] == ["graded"] * 2
        with pytest.raises(ClusterError, match="are the certificates those of this cluster"):
            Cluster(Scheduler(dask.address, **stranger), None, print)
        with pytest.raises(ClusterError, match="does it expect tls://"):
            Cluster(Scheduler(dask.address.replace("tls", "tcp")), None, print)
    finally:
        dask.close()
