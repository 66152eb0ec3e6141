"""The command line: what it finds, what it refuses, and that each command reaches its function."""

from pathlib import Path
from types import SimpleNamespace

import pytest

from cnnlab import __version__, bench, cli, doctor


@pytest.fixture
def checkout(tmp_path, monkeypatch):
    (tmp_path / "course" / "exercises").mkdir(parents=True)
    (tmp_path / "lectures").mkdir()
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.mark.parametrize("start", [".", "course", "course/exercises", "lectures"])
def test_course_is_found_from_anywhere_in_the_checkout(checkout, start):
    assert cli.find_course(checkout / start) == checkout / "course"


def test_no_course_says_how_to_name_one(tmp_path):
    with pytest.raises(SystemExit, match="--course DIR"):
        cli.find_course(tmp_path)


def test_named_course_without_exercises_is_refused(checkout):
    with pytest.raises(SystemExit, match="lectures has no exercises/"):
        cli.main(["report", "a1", "--course", "lectures"])


@pytest.mark.parametrize(
    ("words", "complaint"),
    [
        ([], "COMMAND"),
        (["dance"], "dance"),
        (["grade"], "ASSIGNMENT"),
        (["grade", "a1", "--jobs", "0"], "'0' is not a number of 1 or more"),
        (["grade", "a1", "--jobs", "two"], "'two' is not a number of 1 or more"),
        (["grade", "a1", "--submissions", "nowhere"], "there is no file or folder 'nowhere'"),
        (["report", "a1", "--moodle", "nowhere"], "there is no file or folder 'nowhere'"),
        (["build", "--course", "nowhere"], "there is no folder 'nowhere'"),
    ],
)
def test_bad_words_are_named(checkout, capsys, words, complaint):
    with pytest.raises(SystemExit) as stop:
        cli.main(words)
    assert stop.value.code == 2
    assert complaint in capsys.readouterr().err


def test_version(capsys):
    with pytest.raises(SystemExit) as stop:
        cli.main(["--version"])
    assert stop.value.code == 0
    assert capsys.readouterr().out == f"cnnlab {__version__}\n"


@pytest.mark.parametrize(("has_errors", "status"), [(False, 0), (True, 1)])
def test_grade_hands_its_options_over_and_reports_faults_of_ours(checkout, monkeypatch, has_errors, status):
    from cnnlab.grading import commands

    (checkout / "handed_in").mkdir()
    seen = {}

    def grade(assignment, **options):
        seen.update(options, assignment=assignment)
        return SimpleNamespace(has_grader_errors=has_errors)

    monkeypatch.setattr(commands, "grade", grade)
    words = ["grade", "a1", "--submissions", "handed_in", "--jobs", "3", "--allow-unsandboxed"]
    assert cli.main(words) == status
    assert seen == {
        "assignment": "a1",
        "course_dir": checkout / "course",
        "submissions_dir": Path("handed_in"),
        "scheduler": None,
        "jobs": 3,
        "allow_unsandboxed": True,
        "gradebook": "",
        "lock_wait": 60.0,
        "students": (),
        "regrade": False,
        "changed_only": False,
    }


def test_grade_hands_over_whom_to_grade_and_only_rehearses_a_dry_run(checkout, monkeypatch):
    from cnnlab.grading import commands

    (checkout / "class.zip").touch()
    seen = []
    monkeypatch.setattr(commands, "grade", lambda *a, **k: seen.append(k) or SimpleNamespace(has_grader_errors=False))
    monkeypatch.setattr(commands, "rehearse", lambda *a, **k: seen.append(k))
    words = ["grade", "a1", "--submissions", "class.zip", "--student", "ann", "--student", "bob", "--regrade"]
    assert cli.main([*words, "--changed-only"]) == 0
    assert cli.main([*words, "--dry-run"]) == 0
    graded, rehearsed = seen
    assert (graded["students"], graded["regrade"], graded["changed_only"]) == (["ann", "bob"], True, True)
    assert rehearsed["submissions_dir"] == Path("class.zip")
    assert (rehearsed["gradebook"], rehearsed["lock_wait"]) == ("", 60)
    assert "changed_only" not in rehearsed


def test_report_hands_the_exports_over(checkout, monkeypatch):
    from cnnlab.grading import commands

    (checkout / "export.csv").touch()
    seen = {}
    monkeypatch.setattr(commands, "report", lambda assignment, **options: seen.update(options))
    assert cli.main(["report", "a1", "--canvas", "export.csv", "--column", "A1"]) == 0
    assert seen == {
        "course_dir": checkout / "course",
        "canvas": Path("export.csv"),
        "moodle": None,
        "column": "A1",
        "gradebook": "",
        "lock_wait": 60.0,
    }


def test_missing_package_is_named_with_the_extra_that_brings_it(checkout, monkeypatch, capsys):
    def needs_nbgrader(start):
        raise ModuleNotFoundError("No module named 'nbgrader'", name="nbgrader.api")

    monkeypatch.setattr(cli, "find_course", needs_nbgrader)
    assert cli.main(["report", "a1"]) == 2
    assert "needs the package nbgrader" in capsys.readouterr().err


def test_own_missing_module_is_our_fault_and_not_hidden(checkout, monkeypatch):
    def broken(start):
        raise ModuleNotFoundError("No module named 'cnnlab.gone'", name="cnnlab.gone")

    monkeypatch.setattr(cli, "find_course", broken)
    with pytest.raises(ModuleNotFoundError, match=r"cnnlab\.gone"):
        cli.main(["report", "a1"])


def test_interrupt_ends_quietly(checkout, monkeypatch, capsys):
    def interrupt(start):
        raise KeyboardInterrupt

    monkeypatch.setattr(cli, "find_course", interrupt)
    assert cli.main(["report", "a1"]) == 130
    assert capsys.readouterr().err == "cnnlab: interrupted\n"


def test_doctor_examines_this_machine(capsys):
    status = cli.main(["doctor"])
    printed = capsys.readouterr().out
    for name in ("Python", "NumPy", "BLAS", "device", "JupyterLab", "widgets", "nbgrader", "sandbox", "data cache"):
        assert f"  {name}  " in printed.replace(name.ljust(10), f"{name}  ")
    assert status == (1 if "!!" in printed else 0)
    assert "could not be examined" not in printed


def test_doctor_survives_a_look_that_breaks():
    def broken():
        raise OSError("disk on fire")

    line = doctor._guarded("disk", broken)
    assert not line.ok
    assert line.seen == "could not be examined: OSError: disk on fire"


def test_doctor_says_the_next_step_only_where_something_is_wrong():
    text = doctor.as_text(
        [
            doctor.Line("a", ok=True, seen="fine", next_step="never shown"),
            doctor.Line("bb", ok=False, seen="gone", next_step="fetch it"),
            doctor.Line("c", ok=False, seen="gone", next_step="if you like", optional=True),
        ]
    )
    assert text.splitlines() == [
        "ok  a   fine",
        "!!  bb  gone",
        "        → fetch it",
        "--  c   gone",
        "        → if you like",
    ]


def test_data_cache_that_is_a_file_is_a_fault(tmp_path, monkeypatch):
    (tmp_path / "cache").write_text("")
    monkeypatch.setenv("CNNLAB_DATA", str(tmp_path / "cache"))
    assert not doctor._data_cache().ok
    monkeypatch.setenv("CNNLAB_DATA", str(tmp_path / "cache" / "below"))
    assert not doctor._data_cache().ok


def test_data_cache_names_the_public_sets_in_it(tmp_path, monkeypatch):
    from cnnlab.data.public import _sources

    monkeypatch.setenv("CNNLAB_DATA", str(tmp_path / "cache"))
    assert doctor._data_cache().seen == f"{tmp_path / 'cache'} (made when first needed)"
    folder = tmp_path / "cache" / "mnist"
    folder.mkdir(parents=True)
    assert doctor._data_cache().seen == f"{tmp_path / 'cache'}, holds no public set yet"
    for split in _sources.MNIST.files.values():
        for file in split:
            with (folder / file.name).open("wb") as sparse:
                sparse.truncate(file.size)
    assert doctor._data_cache().seen == f"{tmp_path / 'cache'}, holds MNIST"


@pytest.mark.parametrize("asked", ["gpu", "nonsense"])
def test_device_that_cannot_be_had_is_a_fault_with_a_next_step(asked, monkeypatch):
    from cnnlab.backend import errors, state

    def none_here():
        raise errors.NoGPUError("there is no GPU", "work on the cpu")

    monkeypatch.setattr(state, "_current", None)
    monkeypatch.setattr(state, "require_cupy", none_here)
    monkeypatch.setenv("CNNLAB_DEVICE", asked)
    line = doctor._device()
    assert not line.ok
    assert not line.optional
    assert "CNNLAB_DEVICE" in line.seen
    assert "unset" in line.next_step


def put_benchmarks(folder, **bodies):
    (folder / "benchmarks").mkdir()
    for name, body in bodies.items():
        (folder / "benchmarks" / f"{name}.py").write_text(body)


def noting(ran):
    return f"import sys\nwith open({str(ran)!r}, 'a') as f: print(__file__[-6:-3], *sys.argv[1:], file=f)\n"


@pytest.mark.parametrize(("body", "status"), [("pass", 0), ("raise SystemExit(3)", 1)])
def test_bench_runs_those_on_speed_and_reports_failure(tmp_path, monkeypatch, body, status):
    ran = tmp_path / "ran"
    put_benchmarks(tmp_path, one=noting(ran) + body, two=noting(ran), six=noting(ran))
    monkeypatch.setattr(bench, "SPEED", ("two", "one"))
    assert bench.run(start=tmp_path) == status
    assert ran.read_text() == "two\none\n"


@pytest.mark.parametrize(
    ("words", "lines"),
    [
        (["one", "--only", "two", "-x"], "one --only two -x\n"),
        (["one", "--", "--only", "two"], "one --only two\n"),
        (["one", "two", "--help"], "one --help\ntwo --help\n"),
        (["--quick"], "two --quick\n"),
    ],
)
def test_bench_hands_options_to_each_benchmark(tmp_path, monkeypatch, words, lines):
    ran = tmp_path / "ran"
    put_benchmarks(tmp_path, one=noting(ran), two=noting(ran))
    monkeypatch.setattr(bench, "SPEED", ("two",))
    monkeypatch.chdir(tmp_path)
    assert cli.main(["bench", *words]) == 0
    assert ran.read_text() == lines


def test_bench_names_what_there_is(tmp_path):
    put_benchmarks(tmp_path, one="")
    with pytest.raises(SystemExit, match=r"no benchmark called 'three'. There are: one"):
        bench.run(["three"], start=tmp_path)


def test_bench_lists_each_by_the_first_line_of_its_docstring(tmp_path, monkeypatch, capsys):
    put_benchmarks(tmp_path, one='"""How fast.\n\nMore."""\nraise SystemExit(1)\n', _shared='"""Not one."""')
    monkeypatch.setattr(bench, "SPEED", ("one",))
    assert bench.run(["--list"], start=tmp_path) == 0
    assert capsys.readouterr().out.splitlines()[0] == "* one  How fast."
    assert bench.run(["--help"], start=tmp_path) == 0
    assert "cnnlab bench --list" in capsys.readouterr().out


def test_benchmarks_on_speed_are_there():
    folder = bench.find_benchmarks(Path(__file__).parent)
    assert all((folder / f"{name}.py").is_file() for name in bench.SPEED)


def test_refusal_of_the_grader_is_one_line(checkout, monkeypatch):
    from cnnlab.grading import commands
    from cnnlab.grading.course import CourseError

    def refuse(assignment, **options):
        raise CourseError("there is no a9: choose a1")

    monkeypatch.setattr(commands, "report", refuse)
    with pytest.raises(SystemExit, match=r"^cnnlab: there is no a9: choose a1$"):
        cli.main(["report", "a9"])


def test_slides_hands_its_options_over_and_lists_what_was_made(checkout, monkeypatch, capsys):
    from cnnlab.authoring import slides

    seen = []

    def make_slides(*arguments):
        seen.extend(arguments)
        yield slides.Made(Path("out/01_x.html"), slides=12, seconds=3.4)

    monkeypatch.setattr(slides, "make_slides", make_slides)
    assert cli.main(["slides", "01", "2", "--out", "out"]) == 0
    assert seen == [checkout / "lectures", ["01", "2"], Path("out")]
    said = capsys.readouterr().out
    assert "made  out/01_x.html  (12 slides, 3 s)" in said
    assert "Open out/index.html in a browser" in said


def test_slides_of_an_unknown_lecture_are_refused_in_one_line(checkout):
    (checkout / "lectures" / "01_first.ipynb").write_text("{}")
    with pytest.raises(SystemExit, match=r"^cnnlab: there is no lecture 'x': choose among 01_first$"):
        cli.main(["slides", "x"])
