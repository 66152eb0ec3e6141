"""Ask whether the checks of all exercises notice what is wrong, and name it rightly. Prints tables.

    python scripts/prove_checks.py                                   all exercises, some minutes on two cores
    python scripts/prove_checks.py --exercise a3.conv2d_loops --each

1. **Known mistakes**: each is made alone, some of them two at once (of different parts of one function), and students'
   wrong answers (`tests/checks/answers`) are tried. With the visible checks, and with all for several seeds: do they
   fail, and get their own names, and no other? Two that together do what one alone does are set aside.
2. **Random wrong answers**: mutants of the course's own answers (`course/exercises`), each with one small change of the
   syntax tree (`proving/rules.py`). One that passes all checks is held against many further inputs, those of the
   checks for other seeds and those that the statement allows (`proving/allowed.py`). If it is right for all of them
   too, it counts as equivalent and is set aside; else it is a survivor, and printed with an input that shows it.
3. With `--times`: how long the checks take with right answers.

Exits with status 1 if a mistake is not named or misnamed, if more than 1 % of the mutants that are wrong survive, or
if checks take too long. Everything is drawn from `--seed`; only an exercise whose mutants take longer than `--budget`
gets fewer of them. Mutants run in child processes with limits on time and memory.
"""

from __future__ import annotations

import argparse
import os
import sys
import time
from collections.abc import Iterator, Sequence
from functools import partial

from proving import naming, surviving, timing
from proving.contained import Lost, run
from proving.mutants import Mutant, mutants_of, some
from proving.solutions import solution_of
from proving.tables import Naming, Survey, mutant_table, naming_table, shortfalls, times_table

from cnnlab.checks import assignments, exercises
from cnnlab.checks.model import Exercise

PATIENCE = 600.0  # seconds for one question; a child that takes longer is lost


def names_of(chosen: Sequence[Exercise], *, pairs: int, seeds: Sequence[int], seed: int, jobs: int) -> list[Naming]:
    """Ask for the names of all mistakes."""
    rows = {exercise.id: Naming(exercise) for exercise in chosen}
    asked = [question for exercise in chosen for question in naming.questions(exercise, pairs=pairs, seed=seed)]
    for question, told in run(partial(naming.ask, seeds=seeds), [(q, PATIENCE) for q in asked], jobs=jobs):
        row = rows[question.exercise_id]
        if isinstance(told, Lost):
            row.lost.append((question, told))
        else:
            row.told.append((question.kind, told))
    return list(rows.values())


def mutants_tried(chosen: Sequence[Exercise], *, count: int, seed: int, budget: float, jobs: int) -> list[Survey]:
    """Try so many mutants of each exercise, or as many as the seconds of `budget` allow."""
    rows: dict[str, Survey] = {}

    def items() -> Iterator[tuple[Mutant, float]]:
        for exercise in chosen:
            try:
                possible = mutants_of(exercise, solution_of(exercise.id))
            except LookupError as error:
                print(f"{exercise.id} is left out: {error}")
                continue
            drawn = some(possible, count, seed)
            rows[exercise.id] = Survey(exercise, len(possible), len(drawn))
            until = time.monotonic() + budget
            for mutant in drawn:
                if time.monotonic() < until:
                    yield mutant, 30 + 20 * exercise.seconds

    for mutant, verdict in run(partial(surviving.try_mutant, seed=seed), items(), jobs=jobs):
        # A mutant that takes all its time, or memory, fails at grading as well.
        ended = surviving.Verdict("visible") if isinstance(verdict, Lost) else verdict
        rows[mutant.exercise_id].verdicts.append((mutant, ended))
    return list(rows.values())


def main() -> None:
    """Print the tables, and what falls short."""
    asked = _arguments()
    every = [exercise for assignment in assignments() for exercise in exercises(assignment)]
    chosen = [exercise for exercise in every if not asked.exercise or exercise.id in asked.exercise]
    unknown = set(asked.exercise) - {exercise.id for exercise in every}
    if unknown:
        sys.exit(f"there is no exercise {min(unknown)}: use some of {', '.join(exercise.id for exercise in every)}")
    namings: list[Naming] = []
    if "names" in asked.tables:
        seeds = [asked.seed + i for i in range(asked.seeds)]
        namings = names_of(chosen, pairs=asked.pairs, seeds=seeds, seed=asked.seed, jobs=asked.jobs)
        _show_names(namings, each=asked.each)
    surveys: list[Survey] = []
    if "mutants" in asked.tables:
        surveys = mutants_tried(chosen, count=asked.mutants, seed=asked.seed, budget=asked.budget, jobs=asked.jobs)
        _show_mutants(surveys)
    times: dict[str, Sequence[timing.Times]] = {}
    if asked.times:
        for exercise_id, ways in run(timing.measure, [(exercise.id, PATIENCE) for exercise in chosen], jobs=1):
            if isinstance(ways, Lost):
                sys.exit(f"{exercise_id}: {ways.reason}")
            times[exercise_id] = ways
        print(f"\nTimes, in seconds of one core\n\n{times_table(times)}")
    short = shortfalls(namings, surveys, times, whole=not asked.exercise)
    print("\n" + ("\n".join(f"Falls short. {line}" for line in short) if short else "Nothing falls short."))
    sys.exit(1 if short else 0)


def _show_names(rows: Sequence[Naming], *, each: bool) -> None:
    names = {(row.exercise.id, mistake.name) for row in rows for mistake in row.exercise.mistakes}
    print(f"Known mistakes: {len(names)} different ones\n\n{naming_table(rows)}", flush=True)
    for row in rows:
        for kind, told in row.told if each else row.short:
            other = f"; other names: {', '.join(sorted(told.others))}" if told.others else ""
            wanted = " + ".join(sorted(told.wanted))
            print(f"{row.exercise.id}, {kind} {told.label} ({wanted}): {told.visible}, {told.hidden}{other}")
        for question, lost in row.lost:
            print(f"{row.exercise.id}, {question.kind} {question.numbers}: {lost.reason}")
    longest = max((told.seconds for row in rows for _, told in row.told), default=0.0)
    print(f"The longest run of an exercise, with names, took {longest:.1f} s of one core.", flush=True)


def _show_mutants(rows: Sequence[Survey]) -> None:
    print(f"\nRandom wrong answers\n\n{mutant_table(rows)}")
    for row in rows:
        if len(row.verdicts) < row.asked:
            print(f"{row.exercise.id}: time was up after {len(row.verdicts)} of {row.asked} (--budget)")
        for mutant, verdict in row.survivors:
            print(f"\n{row.exercise.id}, a survivor ({mutant.rule}):\n{mutant.diff}\n{verdict.witness}")


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    add = parser.add_argument
    add("--exercise", nargs="+", default=[], metavar="ID", help="such as a1.scan_1d; all if left out")
    add("--tables", nargs="+", default=["names", "mutants"], choices=["names", "mutants"], help="both if left out")
    add("--times", action="store_true", help="a third table: seconds")
    add("--each", action="store_true", help="a line for each mistake, not only for those that fall short")
    add("--pairs", type=int, default=8, help="pairs of mistakes of each exercise (8)")
    add("--seeds", type=int, default=2, help="seeds of hidden checks (2)")
    add("--mutants", type=int, default=150, help="mutants of each exercise (150)")
    add("--budget", type=float, default=120, help="seconds for the mutants of one exercise (120)")
    add("--seed", type=int, default=2026, help="what everything is drawn from (2026)")
    add("--jobs", type=int, default=os.cpu_count() or 1, help="child processes (one a core)")
    return parser.parse_args()


if __name__ == "__main__":
    main()
