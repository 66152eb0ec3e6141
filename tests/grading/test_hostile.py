"""The hostile and awkward submissions get what they must get, learn nothing and leave nothing; and a leak is found."""

import base64
import importlib
import subprocess
import sys
import time
from pathlib import Path

import pytest

from cnnlab.grading.plain import PlainExecutor

SCRIPTS = Path(__file__).parents[2] / "scripts"
# One of each kind, and none that takes seconds: `make hostile` and `make test-all` try them all.
_QUICK = """
asks_by_import pipe_forged_score descriptors_closed stdout_replaced segmentation_fault replaces_isinstance reads_files
reads_the_environment calls_home remembers_hidden_inputs_and_raises_them writes_the_gradebook leaves_files
leaves_shared_memory leaves_processes looks_for_what_others_left kills_everybody right_in_other_byte_order
equal_to_everything right_a_moment_later html_in_its_own_line ansi_codes grade_cells_copied points_raised
odd_types_in_json deep_metadata pipe_as_a_file link_to_the_secret linked_folder name_html name_formula
name_of_two_lines zip_names_that_lead_out
"""
QUICK = _QUICK.split()


@pytest.fixture
def hostile(monkeypatch):
    """Import a module of scripts/hostile."""
    monkeypatch.syspath_prepend(SCRIPTS)
    return lambda name: importlib.import_module(f"hostile.{name}")


def as_expected(*names):
    """Run the script; its table is in the message of a failure."""
    script = SCRIPTS / "grade_hostile.py"
    done = subprocess.run([sys.executable, script, *names], capture_output=True, text=True, check=False)
    bad = [line for line in done.stdout.splitlines() if not line.rstrip().endswith("ok")]
    assert done.returncode == 0, "\n".join([*bad, done.stderr])
    return done.stdout


@pytest.mark.sandbox
def test_some_of_each_kind_get_what_is_expected_and_leave_nothing():
    pytest.importorskip("nbgrader")
    found = as_expected("--jobs", "1", *QUICK)
    assert f"cases tried: {len(QUICK)} of {len(QUICK)}" in found


@pytest.mark.sandbox
@pytest.mark.slow
def test_all_of_them_get_what_is_expected_and_leave_nothing():
    pytest.importorskip("nbgrader")
    found = as_expected()
    assert "wrong scores: 0\n" in found
    assert "leaks: 0\n" in found


def test_every_case_is_expected_and_every_expectation_has_a_case(hostile):
    cases = hostile("cases")
    assert len(cases.expected()) >= 60
    assert cases.expected().keys() == cases.KEPT.keys() | cases.MADE.keys() | cases.ZIPS.keys()
    folders = {path.name for path in cases.FOLDER.iterdir() if path.is_dir()}
    assert folders == set(cases.KEPT)
    assert all(case.tries and "," not in case.name for case in cases.expected().values())


def test_what_is_kept_of_them_is_small(hostile):
    assert sum(path.stat().st_size for path in hostile("cases").FOLDER.rglob("*") if path.is_file()) < 1_000_000


# ---- that the trial would see it ----


def encodings(text):
    data = text.encode()
    return {
        "as it is": data,
        "backwards": data[::-1],
        "hexadecimal": data.hex().encode(),
        "base 64": base64.b64encode(data),
        "base 64, in a longer text": base64.b64encode(b"ab" + data + b"cd"),
        "numbers of letters": str(list(data)).encode(),
        "numbers as NumPy shows them": " ".join(f"{n}." for n in data).encode(),
    }


@pytest.mark.parametrize("form", encodings(""))
def test_a_planted_leak_is_found(hostile, form):
    canaries = hostile("canaries").Canaries()
    secret = canaries.new("a place")
    page = b"<p>" + encodings(secret)[form] + b"</p>"
    found = list(hostile("leaks").leaks(canaries.all, {"feedback/ada/a1/a1.html": page, "out/other.csv": b"nothing"}))
    assert found == [(canaries.all[0], "feedback/ada/a1/a1.html")]


def test_what_stands_where_it_belongs_is_no_leak(hostile):
    canaries = hostile("canaries").Canaries()
    secret = canaries.new("a comment", "feedback/ada/").encode()
    outputs = {"feedback/ada/a1/a1.html": secret, "feedback/adam/a1/a1.html": secret}
    found = list(hostile("leaks").leaks(canaries.all, outputs))
    assert [name for _, name in found] == ["feedback/adam/a1/a1.html"]


def test_two_trials_have_no_secret_in_common(hostile):
    make = hostile("canaries").Canaries
    assert make().new("x") != make().new("x")


def test_a_submission_that_reaches_a_secret_shows_it_where_the_trial_looks(hostile, course, tmp_path, monkeypatch):
    """Without a sandbox the cells of a sample find what is planted, and the detector finds it in the results."""
    canaries, leaks = hostile("canaries").Canaries(), hostile("leaks")
    (tmp_path / "secret.txt").write_text(canaries.new("a file"), encoding="utf-8")
    first, *_, last = hostile("cases").KEPT["reads_files"].above
    course.hand_in("eve", first=[first, f"look(read({str(tmp_path / 'secret.txt')!r}))", last])
    monkeypatch.setattr("cnnlab.grading.workplace.choose_executor", lambda **_: PlainExecutor())
    course.grade()
    outputs = leaks.outputs_of(course.root)
    found = {name for _, name in leaks.leaks(canaries.all, outputs)}
    assert {"out/a1/results/eve.json", "feedback/eve/a1/a1_scanning.html"} <= found


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("x.html", "<p><script>alert(1)</script>"),
        ("x.html", "<img src=x onerror=alert(1)>"),
        ("x.html", '<a href="javascript:alert(1)">x</a>'),
        ("x.html", '<img src="https://example.org/pixel.png">'),
        ("x.html", "a\x1b[31mb"),
        ("terminal", "a\x1b]0;title\x07"),
        ("x.csv", "student\n=cmd|' /C calc'!A1,15\n"),
    ],
)
def test_what_would_run_or_load_or_move_the_cursor_is_found(hostile, name, text):
    assert [place for place, _ in hostile("leaks").injections({name: text.encode()})]


def test_pages_with_escaped_markup_are_harmless(hostile):
    page = "<p>&lt;script&gt;alert(1)&lt;/script&gt; <img src='data:image/png;base64,AAAA'> <a href='../x.html#y'>x</a>"
    assert list(hostile("leaks").injections({"x.html": page.encode(), "x.csv": b"student\n'=cmd,15\n"})) == []


@pytest.mark.skipif(sys.platform != "linux", reason="looks into /proc")
def test_a_process_that_is_left_is_found(hostile, monkeypatch):
    traces = hostile("traces")
    monkeypatch.setattr(traces, "_PATIENCE", 0.0)
    with subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)", "hostile-left"]) as left:
        try:
            deadline = time.monotonic() + 10
            while not (found := traces.processes_left()) and time.monotonic() < deadline:
                time.sleep(0.05)
            assert any(line.startswith(f"{left.pid} ") for line in found)
        finally:
            left.kill()


def test_files_that_are_left_are_found(hostile, tmp_path, monkeypatch):
    traces = hostile("traces")
    monkeypatch.setattr(traces, "_PLACES", (tmp_path / "place",))
    (tmp_path / "place" / "hostile-left-1").mkdir(parents=True)
    (tmp_path / "place" / "something else").mkdir()
    (tmp_path / "own").mkdir()
    (tmp_path / "own" / "anything").touch()
    found = traces.files_left((tmp_path / "own",))
    assert {str(tmp_path / "place" / "hostile-left-1"), str(tmp_path / "own" / "anything")} <= set(found)
    assert str(tmp_path / "place" / "something else") not in found


def test_the_status_says_whether_all_is_as_expected(hostile):
    trial, cases = hostile("trial"), hostile("cases")
    case = next(iter(cases.expected().values()))
    right = trial.Line(case, case.status, case.score)
    assert trial.Findings(lines=[right]).ok
    assert trial.Findings(lines=[trial.Line(case, skipped="why")]).ok
    for bad in (
        trial.Findings(lines=[right, trial.Line(case, case.status, "15")]),
        trial.Findings(lines=[right], files=["x"]),
        trial.Findings(lines=[right], processes=["x"]),
        trial.Findings(lines=[right], changed=["x"]),
        trial.Findings(lines=[right], leaks=[("x", "y")]),
    ):
        assert not bad.ok
