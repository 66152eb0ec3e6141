"""`check` as students and nbgrader meet it."""

import signal
import subprocess
import sys
import types
import warnings

import ipywidgets  # noqa: F401  before a test puts something else in IPython's place
import numpy as np
import pytest

from cnnlab.checks import CheckFailed, StudentTimeout, check, exercise

SCAN = exercise("a1.scan_1d").function().reference


def wrong(*arguments):
    return SCAN(*arguments) + 1


def test_outside_ipython_the_card_is_printed(capsys):
    assert check("a1.scan_1d", SCAN) is None
    shown = capsys.readouterr()
    assert "Find the welcome (a1.scan_1d): 2.5 of 2.5 points, 2.5 more at grading" in shown.out
    assert shown.err == ""


def test_a_wrong_answer_raises_nothing_and_leaves_stderr_empty(capsys):
    def noisy(x, layers, width, hop):
        print("to stdout")  # noqa: T201
        print("to stderr", file=sys.stderr)  # noqa: T201
        warnings.warn("beware", stacklevel=1)
        return np.log(-abs(SCAN(x, layers, width, hop)))

    assert check("a1.scan_1d", noisy) is None
    shown = capsys.readouterr()
    assert shown.err == ""
    assert "to stdout" not in shown.out
    assert "NaN" in shown.out


def test_visible_success_never_says_that_all_passed(capsys):
    check("a1.scan_1d", SCAN)
    out = capsys.readouterr().out
    assert "Visible checks passed; 5 hidden checks are run at grading." in out
    assert "all checks passed" not in out.lower()


@pytest.mark.parametrize(("function", "score"), [(SCAN, 5.0), (wrong, 0.0), (None, 0.0)])
def test_with_hidden_checks_the_result_is_a_built_in_float(function, score, capsys):
    points = check("a1.scan_1d", function, hidden=True)
    assert type(points) is float
    assert points == score
    # This is the text that nbgrader reads.
    assert repr(points) == str(score)


def test_strict_raises_for_pytest(capsys):
    with pytest.raises(CheckFailed, match="First wrong number at"):
        check("a1.scan_1d", wrong, strict=True)
    with pytest.raises(AssertionError):
        check("a1.scan_1d", None, strict=True, hidden=True)
    assert check("a1.scan_1d", SCAN, strict=True) is None
    assert check("a1.scan_1d", SCAN, strict=True, hidden=True) == 5.0


def test_an_unknown_exercise_is_named_with_those_there_are():
    with pytest.raises(KeyError, match=r"a9.scan.*a1.scan_1d, a1.scan_2d"):
        check("a9.scan", SCAN)


def test_interrupting_passes_through_and_gives_stdout_back():
    def endless(*_):
        raise KeyboardInterrupt

    before = sys.stdout
    with pytest.raises(KeyboardInterrupt):
        check("a1.scan_1d", endless)
    assert sys.stdout is before


@pytest.fixture
def shown(monkeypatch):
    """Pretend to be in a notebook, and collect what is displayed."""
    cards = []
    package = types.ModuleType("IPython")
    package.get_ipython = object
    displays = types.ModuleType("IPython.display")
    displays.display = lambda data, raw=False: cards.append(data)
    monkeypatch.setitem(sys.modules, "IPython", package)
    monkeypatch.setitem(sys.modules, "IPython.display", displays)
    return cards


def test_in_a_notebook_the_card_is_displayed_as_html_and_text(shown, capsys):
    assert check("a1.scan_1d", wrong) is None
    assert capsys.readouterr().out == ""
    assert "<section" in shown[0]["text/html"]
    assert "0 of 2.5 points" in shown[0]["text/plain"]


def test_a_closer_look_is_folded_below_the_card_but_not_at_grading(shown):
    check("a1.scan_1d", wrong)
    assert [type(item).__name__ for item in shown] == ["dict", "Accordion"]
    assert shown[1].selected_index is None
    check("a1.scan_1d", wrong, hidden=True)
    check("a1.scan_1d", SCAN)
    assert [type(item).__name__ for item in shown[2:]] == ["dict", "dict"]


def test_prints_are_folded_in_the_card_but_not_when_hidden_cases_ran(shown):
    def chatty(x, *others):
        print("<i>frames</i>", x.shape[1])  # noqa: T201
        return SCAN(x, *others)

    check("a1.scan_1d", chatty)
    check("a1.scan_1d", chatty, hidden=True)
    assert "&lt;i&gt;frames&lt;/i&gt; 4" in shown[0]["text/html"]
    assert "frames&lt;" not in shown[1]["text/html"]


def test_checking_imports_neither_nbgrader_nor_matplotlib():
    program = (
        "import sys\n"
        "from cnnlab.checks import check\n"
        "check('a1.scan_1d', None)\n"
        "print(sorted({'nbgrader', 'matplotlib', 'IPython', 'cupy', 'torch', 'ipywidgets'} & set(sys.modules)))\n"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] == "[]"
    assert done.stderr == ""


@pytest.mark.skipif(not hasattr(signal, "setitimer"), reason="no timer signals here")
@pytest.mark.parametrize("swallow", [False, True])
def test_an_endless_loop_in_a_notebook_ends_with_a_message(monkeypatch, capsys, swallow):
    monkeypatch.setattr("cnnlab.checks.notebook._PATIENCE", 0.05)

    def endless(x, layers, width, hop):
        while True:
            try:
                x.sum()
            except StudentTimeout:
                if not swallow or endless.caught > 1:
                    raise
                endless.caught += 1

    endless.caught = 0
    before = signal.getsignal(signal.SIGALRM)
    check("a1.scan_1d", endless)
    assert "No answer within 0.1 seconds. Is there a loop that never ends?" in capsys.readouterr().out
    assert signal.getsignal(signal.SIGALRM) is before
    assert signal.getitimer(signal.ITIMER_REAL) == (0.0, 0.0)
