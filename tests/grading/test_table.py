"""What the teaching team reads in the terminal."""

import io

import pytest
from rich.console import Console

from cnnlab.grading.model import CheckRecord, ExerciseRecord, Report, Result
from cnnlab.grading.report import show

NAMES = ("a3.conv2d_loops", "a3.sizes_and_costs", "a3.conv2d_forward", "a3.conv2d_backward", "a3.compose_kernels")
LONG = "The numbers are right, but the order of the axes is reversed"


@pytest.fixture
def shown():
    """Show three students and five exercises; one student made the same mistake in each."""

    def lines(width):
        records = []
        for name in NAMES:
            check = CheckRecord("A check", False, False, 0.0, 4.0, "wrong_value", {"reversed": LONG})
            records.append(ExerciseRecord(name, name, "An exercise", 0.0, 4.0, (check,), ""))
        results = (
            Result("ada", "a3", "graded"),
            Result("benedikta", "a3", "unreadable", exercises=tuple(records)),
            Result("zoe", "a3", "missing", "nothing was handed in"),
        )
        text = io.StringIO()
        show(Report("a3", tuple((name, 4.0) for name in NAMES), results), Console(file=text, width=width))
        return text.getvalue().splitlines()

    return lines


def test_the_table_of_five_exercises_has_whole_names_and_a_line_for_each_student(shown):
    lines = shown(120)
    assert all(any(name[3:] in line.split() for line in lines[:4]) for name in NAMES)
    (end,) = [number for number, line in enumerate(lines) if line.startswith("└")]
    students = [line.split()[1] for line in lines[:end] if line.startswith("│ ")]
    assert students == ["ada", "benedikta", "zoe"]


def test_what_was_noticed_is_a_list_below_the_table(shown):
    lines = shown(120)
    first = lines.index("Noticed:") + 1
    last = lines.index("", first)
    noticed = [line.rstrip() for line in lines[first:last]]
    assert noticed[0].startswith("benedikta  a3.conv2d_loops: The numbers are right")
    assert noticed[-1] == "zoe        nothing was handed in"
    assert all(line.startswith(" " * 11) for line in noticed[1:-1])
    assert "; ".join(f"{name}: {LONG}" for name in NAMES) in " ".join(" ".join(noticed).split())


def test_nothing_is_cut_in_a_narrow_terminal(shown):
    lines = shown(72)
    assert not any("…" in line for line in lines)
    assert all(len(line) <= 72 for line in lines)


def test_where_nothing_was_noticed_there_is_no_list():
    text = io.StringIO()
    show(Report("a3", (), (Result("ada", "a3", "graded"),)), Console(file=text, width=120))
    assert "Noticed" not in text.getvalue()
