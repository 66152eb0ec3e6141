"""Where a gradebook is, what happens while somebody else keeps it locked, and one writer at a time."""

import contextlib
import signal
import sqlite3
import sys
import threading
import time
from contextlib import closing

import pytest

pytest.importorskip("nbgrader")

from cnnlab import cli
from cnnlab.grading import commands, pool, run
from cnnlab.grading.address import find_address
from cnnlab.grading.by_hand import read_marks
from cnnlab.grading.course import Course
from cnnlab.grading.gradebook import GradebookError, GradebookWriter
from cnnlab.grading.lock import OtherRunError
from cnnlab.grading.waiting import Patience

SECRET = "hunter2-7391"


# ---- where it is ----


def address(root, url=""):
    return find_address(Course(root, "a1", url))


def test_the_file_in_the_course_folder_is_the_default(tmp_path):
    assert address(tmp_path).file == tmp_path / "gradebook.db"
    assert not address(tmp_path).on_server


def test_nbgraders_setting_is_ours_and_a_command_may_name_another(tmp_path):
    (tmp_path / "nbgrader_config.py").write_text(
        "c = get_config()\nc.CourseDirectory.db_url = 'sqlite:///books/term.db'\n", encoding="utf-8"
    )
    assert address(tmp_path).file == tmp_path / "books" / "term.db"
    assert address(tmp_path, "sqlite:////elsewhere/b.db").file.as_posix() == "/elsewhere/b.db"


@pytest.mark.parametrize("name", ["kö #1 [x] 100%", "50%25 off", "a b"])
def test_a_folder_of_any_name_keeps_its_gradebook(tmp_path, name):
    from sqlalchemy.engine import make_url

    found = address(tmp_path / name)
    assert found.file == tmp_path / name / "gradebook.db"
    assert make_url(found.for_nbgrader(3)).database == str(tmp_path / name / "gradebook.db")


@pytest.mark.parametrize(
    ("url", "words"),
    [
        (f"nonsense {SECRET}", "cannot be read.*postgresql"),
        (f"postgresql+psycopg://ann:{SECRET}@host:port/grades", "cannot be read"),
        (f"mysql://ann:{SECRET}@host/grades", r"mysql://ann:\*\*\*@host/grades is of a kind that is not supported"),
        (f"postgresql+nothing://ann:{SECRET}@host/grades", r"postgresql\+nothing://ann:\*\*\*@host"),
    ],
)
def test_an_address_that_is_no_use_is_named_without_its_password(tmp_path, url, words):
    with pytest.raises(GradebookError, match=words) as raised:
        address(tmp_path, url)
    assert SECRET not in str(raised.value)


def test_a_package_that_is_missing_is_named(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "psycopg", None)
    with pytest.raises(GradebookError, match=r"pip install 'cnnlab\[postgresql\]'") as raised:
        address(tmp_path, f"postgresql+psycopg://ann:{SECRET}@host/grades")
    assert SECRET not in str(raised.value)


def test_a_server_that_is_not_there_ends_the_run_at_once_and_shows_no_password(course, monkeypatch, capfd):
    pytest.importorskip("psycopg")
    course.hand_in("ann")
    (course.root / "nbgrader_config.py").write_text(
        "c = get_config()\nc.CourseDirectory.course_id = 'small'\n", encoding="utf-8"
    )
    url = f"postgresql+psycopg://ann:{SECRET}@/grades?host={course.root}"
    with pytest.raises(GradebookError, match="whether the server runs") as raised:
        course.grade(gradebook=url)
    assert SECRET not in str(raised.value)
    assert SECRET not in "".join(capfd.readouterr())
    assert SECRET not in repr(Course(course.root, "a1", url))


# ---- a server ----


@pytest.mark.slow
def test_a_class_in_a_database_gets_what_it_gets_in_a_file(shared_course, contents, answers, capfd):
    """The same course twice: all tables, pages and lists are the same."""
    for student, one in (("ann", answers["one"]), ("bob", "def scan_1d(*a): return 0"), ("zoë", answers["one"])):
        shared_course.hand_in(student, one=one)
    assert shared_course.grade()["zoë"].score == 15
    assert not (shared_course.root / "gradebook.db").exists()
    in_database, files = contents(shared_course.url), _written(shared_course)
    first = shared_course.grade()
    assert contents(shared_course.url) == in_database  # a second run changes nothing there either
    assert first["bob"].score == 10
    assert "tests" not in "".join(capfd.readouterr())  # the password's last word
    in_file = f"sqlite:///{shared_course.root / 'gradebook.db'}"
    shared_course.grade(gradebook=in_file)
    assert {name: rows for name, rows in contents(in_file).items() if rows} == {
        name: rows for name, rows in in_database.items() if rows
    }
    assert _written(shared_course) == files


def _written(course):
    folders = [course.root / name for name in ("autograded", "feedback")]
    paths = [path for folder in folders for path in folder.rglob("*") if path.is_file()]
    paths += [course.root / "out" / "a1" / name for name in ("grades.csv", "gradebook.csv")]
    return {path.relative_to(course.root): path.read_bytes() for path in paths}


def test_a_course_without_a_name_is_told_to_have_one(shared_course):
    shared_course.hand_in("ann")
    (shared_course.root / "nbgrader_config.py").unlink()
    with pytest.raises(GradebookError, match="course_id"):
        shared_course.grade(gradebook=shared_course.url)


def test_a_wrong_password_is_our_fault_and_ends_the_run(shared_course, monkeypatch):
    monkeypatch.setenv("PGPASSWORD", SECRET)
    shared_course.hand_in("ann")
    with pytest.raises(GradebookError, match=r"password.*PGPASSWORD") as raised:
        shared_course.grade()
    assert SECRET not in str(raised.value)


def test_tables_that_a_killed_run_left_without_a_version_get_one(server, shared_course):
    """nbgrader writes the version of its tables last, in a transaction of its own."""
    from nbgrader.api import Base
    from sqlalchemy import create_engine

    name = server.database()
    url = server.url(name)
    engine = create_engine(url)
    Base.metadata.create_all(engine)
    engine.dispose()
    with GradebookWriter(Course(shared_course.root, "a1", url), Patience(5)):
        pass
    assert len(server.run("select version_num from alembic_version", name)) == 1


def test_a_dry_run_lists_who_is_in_the_database_and_makes_no_tables(server, shared_course, desk_of):
    desk_of(shared_course, Patience(5)).enter("ann", (5, 4, 6))
    shared_course.hand_in("bob")
    options = {
        "course_dir": shared_course.root,
        "allow_unsandboxed": True,
        "submissions_dir": shared_course.submissions,
    }
    (shared_course.submissions / "ann" / "a1_scanning.ipynb").unlink()
    assert commands.rehearse("a1", **options) == {"ann": "missing", "bob": "run"}
    empty = server.database()
    assert commands.rehearse("a1", **options, gradebook=server.url(empty)) == {"ann": "missing", "bob": "run"}
    assert server.run("select tablename from pg_tables where schemaname = 'public'", empty) == []


def test_one_writer_at_a_time_in_a_database(shared_course, monkeypatch):
    """Two course folders, as on two machines, with one gradebook."""
    monkeypatch.setattr("cnnlab.grading.database._SECONDS_FOR_A_DEAD_RUN", 0.3)
    paths = Course(shared_course.root, "a1")
    with GradebookWriter(paths, Patience(5)), pytest.raises(OtherRunError, match="another run writes"):
        GradebookWriter(Course(shared_course.root, "a1", shared_course.url), Patience(5))
    with GradebookWriter(paths, Patience(5)):
        pass


def test_a_server_that_is_restarted_during_a_run_is_waited_for(server, shared_course, desk_of, book):
    said = []
    desk = desk_of(shared_course, Patience(60, said.append))
    with GradebookWriter(desk.paths, desk.patience) as writer:
        desk.write(writer, "ann", (5, 4, 6))
        server.stop(signal.SIGINT)
        waiting = threading.Timer(1.5, server.start)
        waiting.start()
        try:
            desk.write(writer, "bob", (0, 4, 6))
        finally:
            waiting.join()
    assert ["locked" in line for line in said] == [True, False]
    with book(shared_course) as opened:
        assert {each.student.id: each.score for each in opened.assignment_submissions("a1")} == {"ann": 15, "bob": 10}


# ---- locks ----


@contextlib.contextmanager
def locked(course, request):
    """Hold the whole gradebook locked, as another program could."""
    if course.url.startswith("sqlite"):
        with closing(sqlite3.connect(course.root / "gradebook.db", timeout=0)) as other:
            other.execute("begin exclusive")
            yield
            other.rollback()
        return
    server = request.getfixturevalue("server")
    with closing(server.connect(course.database_name)) as other:
        tables = [name for (name,) in other.execute("select tablename from pg_tables where schemaname = 'public'")]
        other.execute("set lock_timeout = '2s'")
        with other.transaction():
            other.execute(f"lock table {', '.join(tables)} in access exclusive mode")
            yield


@contextlib.contextmanager
def locked_for(seconds, course, request):
    """Hold it locked in a thread, and let go after a while."""
    ready, done = threading.Event(), threading.Event()

    def hold():
        with locked(course, request):
            ready.set()
            done.wait(seconds)

    if course.url.startswith("postgresql"):
        request.getfixturevalue("server")
    thread = threading.Thread(target=hold)
    thread.start()
    assert ready.wait(30)
    try:
        yield
    finally:
        done.set()
        thread.join()


def test_nothing_is_locked_between_two_submissions(any_course, desk_of, request):
    """A run lasts for hours; whoever grades by hand meanwhile waits for none of it."""
    desk = desk_of(any_course, Patience(0))
    with GradebookWriter(desk.paths, desk.patience) as writer:
        for step in (
            writer.people,
            lambda: desk.write(writer, "ann", (5, 4, 6)),
            lambda: desk.write(writer, "ann", (5, 4, 6)),
            lambda: read_marks(desk.paths, desk.patience),
        ):
            step()
            with locked(any_course, request):
                pass


def _waits(any_course, desk_of, request, book, seconds):
    said = []
    desk = desk_of(any_course, Patience(seconds + 30, said.append))
    with GradebookWriter(desk.paths, desk.patience) as writer:
        desk.write(writer, "ann", (5, 4, 6))
        started = time.monotonic()
        with locked_for(seconds, any_course, request):
            desk.write(writer, "bob", (0, 4, 6))
        assert time.monotonic() - started >= seconds
    assert len(said) == 2
    assert "is locked by another program" in said[0]
    assert f"up to {seconds + 30:g} s" in said[0]
    assert "free again" in said[1]
    with book(any_course) as opened:
        assert {each.student.id: each.score for each in opened.assignment_submissions("a1")} == {"ann": 15, "bob": 10}


def test_a_lock_is_waited_for(any_course, desk_of, request, book):
    _waits(any_course, desk_of, request, book, 2)


@pytest.mark.slow
def test_a_lock_of_twenty_seconds_is_waited_for(any_course, desk_of, request, book):
    _waits(any_course, desk_of, request, book, 20)


def test_a_lock_before_the_run_is_waited_for(any_course, desk_of, request, book):
    said = []
    desk = desk_of(any_course, Patience(60, said.append))
    with locked_for(2, any_course, request):
        desk.enter("ann", (5, 4, 6))
    assert ["is locked" in line for line in said] == [True, False]


def test_a_report_waits_for_a_lock_too(any_course, desk_of, request):
    said = []
    desk = desk_of(any_course, Patience(60, said.append))
    desk.enter("ann", (5, 4, 6))
    with locked_for(2, any_course, request):
        assert list(desk.totals()) == ["ann"]
    assert ["is locked" in line for line in said] == [True, False]


def test_a_reader_that_stays_is_waited_for(course, desk_of):
    """In SQLite a commit waits for everybody who is reading; what was written is not half there."""
    said = []
    desk = desk_of(course, Patience(60, said.append))
    with GradebookWriter(desk.paths, desk.patience) as writer:
        other = sqlite3.connect(course.root / "gradebook.db", check_same_thread=False)
        with closing(other):
            other.execute("begin")
            other.execute("select * from course").fetchall()
            end = threading.Timer(2.5, other.rollback)
            end.start()
            desk.write(writer, "ann", (5, 4, 6))
            end.join()
    assert len(said) == 2
    with closing(sqlite3.connect(course.root / "gradebook.db")) as connection:
        assert connection.execute("select count(*) from submitted_assignment").fetchone() == (1,)


def test_a_lock_that_stays_ends_the_run_and_the_next_one_runs_nothing_again(any_course, request, monkeypatch, book):
    """It begins after the first student; results of the others are kept, and only entered in the end."""
    for student in ("ann", "bob", "cyd"):
        any_course.hand_in(student)
    with contextlib.ExitStack() as stack:
        real = pool.run_tasks

        def lock_and_run(tasks, *, jobs):
            results = list(real(tasks, jobs=jobs))
            for result in results:
                run.ResultStore(Course(any_course.root, "a1")).save(result)
            stack.enter_context(locked(any_course, request))
            yield from results

        monkeypatch.setattr(pool, "run_tasks", lock_and_run)
        with pytest.raises(GradebookError, match="next run enters it without running it again"):
            any_course.grade(lock_wait=0.5)
    with book(any_course) as opened:
        assert opened.assignment_submissions("a1") == []
    monkeypatch.setattr(pool, "run_tasks", lambda tasks, jobs: iter([]) if not tasks else pytest.fail("run again"))
    assert {name: result.score for name, result in any_course.grade().items()} == {"ann": 15, "bob": 15, "cyd": 15}
    with book(any_course) as opened:
        assert [each.score for each in opened.assignment_submissions("a1")] == [15, 15, 15]


def test_the_command_waits_as_long_as_it_is_told(course, request, capsys):
    course.url = f"sqlite:///{course.root / 'gradebook.db'}"
    (course.root / "exercises").mkdir()
    words = ["release", "a1", "--course", str(course.root), "--lock-wait", "2"]
    with locked(course, request), pytest.raises(SystemExit, match="close the program that has it open"):
        cli.main(words)
    assert "waiting up to 2 s" in capsys.readouterr().out
    assert cli.main(words) == 0
