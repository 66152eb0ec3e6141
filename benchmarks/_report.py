"""Measuring several ways to compute the same thing in turn, and the tables and files that say how they compare."""

from __future__ import annotations

import csv
import time
import tracemalloc
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from math import ceil, inf
from pathlib import Path
from typing import Any

import numpy as np
from _run import Run, has_torch

from cnnlab import kernels

OURS = ("numpy", "fast")
APART = {"numpy": "numpy apart", "fast": "fast apart"}  # the same kernels, in one pass more
TORCH = ("pytorch", "channels_last")  # whose memory cannot be traced
SAID = {
    "numpy": "ours, NumPy",
    "fast": "ours, cnnlab[fast]",
    "pytorch": "PyTorch",
    "channels_last": "PyTorch in channels_last",
    "better": "PyTorch in its better layout",
    "textbook": "textbook im2col",
    "cs231n": "columns of the batch, as in cs231n",
    "taps": "ours, tap by tap",
    "numpy apart": "NumPy in two passes",
    "fast apart": "cnnlab[fast] in two passes",
}
HEADS = {"pytorch": "PyTorch", "channels_last": "ch.last", "numpy apart": "NumPy,2", "fast apart": "fast,2"}
NAME = 28  # characters of a name
# A pass runs so long in a turn, at most so often, and as often for each contestant: as in training, where layer follows
# layer. A single pass would say more about the pause before it, in which threads fell asleep and caches went cold.
TURN, OFTEN = 0.02, 100  # seconds, times
# With several threads, before each turn: those of OpenBLAS and OpenMP go on spinning for some 30 ms when their work is
# done, and shall not take a core from whoever is next.
PAUSE = 0.08  # seconds
NEAR = 0.8  # ratios below this are counted
_SETTINGS: dict[str, Callable[[], AbstractContextManager[Any]]] = {
    "numpy": lambda: kernels.allow_compiled(False),
    "fast": lambda: kernels.allow_compiled(True),
    "taps": lambda: kernels.use_algorithm("taps"),
    "numpy apart": lambda: kernels.allow_compiled(False),
    "fast apart": lambda: kernels.allow_compiled(True),
}

Key = tuple[str, str]  # contestant, pass


@dataclass(frozen=True)
class Case:
    """One line of a table.

    Attributes
    ----------
    turns : dict of dict of callables
        For each contestant its passes, in the order in which they run.
    same : callable
        Runs every pass once, and raises where two contestants do not agree.
    notes : callable
        Returns what is to be said of contestants after the rounds, such as the plan.
    in_a_row : int
        How often a pass runs in one turn at least, of which the mean is taken; short ones run more often (`TURN`).
    """

    name: str
    group: str
    turns: Mapping[str, Mapping[str, Callable[[], Any]]]
    same: Callable[[], None]
    notes: Callable[[], dict[str, str]]
    in_a_row: int = 1


@dataclass(frozen=True)
class Measured:
    """Seconds (rounds,) by contestant and pass, extra bytes by contestant, and notes."""

    name: str
    group: str
    seconds: dict[Key, np.ndarray]
    memory: dict[str, int]
    notes: dict[str, str]

    def ratio(self, ours: str, rival: str, step: str) -> float | None:
        """Return the median over the rounds of a rival's time to ours, if both were measured."""
        if (rival, step) not in self.seconds or (ours, step) not in self.seconds:
            return None
        return float(np.median(self.seconds[rival, step] / self.seconds[ours, step]))


def setting(who: str) -> AbstractContextManager[Any]:
    """Return the context in which a contestant runs."""
    return _SETTINGS.get(who, nullcontext)()


def measure(case: Case, run: Run) -> Measured:
    """Let all contestants of a case take their turn in every round, each round in an order of its own."""
    case.same()
    often = _often(case)
    order = np.random.default_rng(0)
    seconds: dict[Key, list[float]] = {(who, step): [] for who, passes in case.turns.items() for step in passes}
    for _ in range(run.rounds):
        for who in order.permutation(list(case.turns)):
            time.sleep(PAUSE if run.threads > 1 else 0)
            with setting(who):
                for compute in case.turns[who].values():
                    compute()  # the others used the caches, and the pause let threads fall asleep
                for step, compute in case.turns[who].items():
                    start = run.clock()
                    for _ in range(often[step]):
                        compute()
                    seconds[who, step].append((run.clock() - start) / often[step])
    notes = case.notes()
    memory = {who: extra_bytes(who, passes.values()) for who, passes in case.turns.items() if who not in TORCH}
    return Measured(
        case.name, case.group, _with_sums({k: np.array(v) for k, v in seconds.items()}, case), memory, notes
    )


def _often(case: Case) -> dict[str, int]:
    """Return how often each pass runs in a turn."""
    fastest: dict[str, float] = {}
    for who, passes in case.turns.items():
        with setting(who):
            for step, compute in passes.items():
                start = time.perf_counter()
                compute()
                fastest[step] = min(fastest.get(step, inf), time.perf_counter() - start)
    return {step: max(case.in_a_row, min(OFTEN, ceil(TURN / seconds))) for step, seconds in fastest.items()}


def _with_sums(seconds: dict[Key, np.ndarray], case: Case) -> dict[Key, np.ndarray]:
    """Add "both" passes together, and PyTorch in the layout in which it takes less time for all of them."""
    steps = list(next(iter(case.turns.values())))
    if steps == ["forward", "backward"]:
        seconds |= {(who, "both"): sum(seconds[who, step] for step in steps) for who in case.turns}
    layouts = [who for who in TORCH if who in case.turns]
    if layouts:
        better = min(layouts, key=lambda who: np.median(sum(seconds[who, step] for step in steps)))
        seconds |= {("better", step): value for (who, step), value in seconds.items() if who == better}
    return seconds


def extra_bytes(who: str, passes: Iterable[Callable[[], Any]]) -> int:
    """Return the bytes at the peak of all passes beyond what they return, with no memory kept from before."""
    kernels.workspace_limit(kernels.workspace_limit())  # lets go of what is kept
    with setting(who):
        tracemalloc.start()
        results = [compute() for compute in passes]
        _, peak = tracemalloc.get_traced_memory()
        tracemalloc.stop()
    return max(0, peak - sum(map(_bytes, results)))


def _bytes(result: Any) -> int:
    return sum(map(_bytes, result)) if isinstance(result, tuple) else getattr(result, "nbytes", 0)


class Rows:
    """A CSV file that is written as the rows come, with the facts of the run in the last columns."""

    def __init__(self, path: Path, facts: Mapping[str, str]) -> None:
        self.path, self._facts = path, facts
        self._file = path.open("w", newline="", encoding="utf-8")
        self._writer: csv.DictWriter[str] | None = None

    def __enter__(self) -> Rows:
        return self

    def __exit__(self, *_: object) -> None:
        self._file.close()

    def add(self, **row: Any) -> None:
        row |= self._facts
        if self._writer is None:
            self._writer = csv.DictWriter(self._file, list(row))
            self._writer.writeheader()
        self._writer.writerow({name: "" if value is None else value for name, value in row.items()})
        self._file.flush()


def table(run: Run, cases: Iterable[Case], columns: Sequence[Key], part: str = "") -> tuple[list[Measured], list[Path]]:
    """Measure the cases and print a line for each, then the summary; return what was seen and the files."""
    measured: list[Measured] = []
    if not has_torch():
        columns = [(rival, step) for rival, step in columns if rival not in {*TORCH, "better"}]
    with Rows(run.path(".csv", part), run.facts) as rows:
        for case in cases:
            if not measured:
                _print_heads(run, columns)
            seen = measure(case, run)
            measured.append(seen)
            _print_line(run, seen, columns)
            for (who, step), values in seen.seconds.items():
                rows.add(
                    name=seen.name,
                    group=seen.group,
                    who=who,
                    **{"pass": step},
                    median_s=float(np.median(values)),
                    min_s=float(values.min()),
                    ratio_to_numpy=None if who in OURS else seen.ratio("numpy", who, step),
                    ratio_to_fast=None if who in OURS else seen.ratio("fast", who, step),
                    extra_bytes=seen.memory.get(who),
                    note=seen.notes.get(who),
                )
    return measured, [rows.path, *_summary(run, measured, part)]


def _traced(run: Run, columns: Sequence[Key]) -> list[str]:
    """Return whose memory is printed."""
    return [*run.sets, *dict.fromkeys(rival for rival, _ in columns if rival not in {*TORCH, "better"})]


def _print_heads(run: Run, columns: Sequence[Key]) -> None:
    width = 9 * (1 + len(columns))
    rivals = "".join(f"{HEADS.get(rival, rival):>9}" for rival, _ in columns)
    steps = "".join(f"{HEADS.get(step, step):>9}" for _, step in columns)
    if run.sets != ("numpy",):
        print(" " * NAME + "".join(f"   {f' {SAID[one]} ':-^{width - 3}}" for one in run.sets))
    print(" " * NAME + "".join(f"{'':>9}{rivals}" for _ in run.sets) + "   extra MB")
    traced = "/".join(HEADS.get(who, who) for who in _traced(run, columns))
    print(" " * NAME + "".join(f"{'ms':>9}{steps}" for _ in run.sets) + f"   {traced}")


def _print_line(run: Run, seen: Measured, columns: Sequence[Key]) -> None:
    *_, last = (step for _, step in seen.seconds)  # all passes together
    cells = []
    for ours in run.sets:
        ratios = [seen.ratio(ours, rival, step) for rival, step in columns]
        cells.append(f"{1e3 * np.median(seen.seconds[ours, last]):9.2f}")
        cells += [f"{'–':>9}" if ratio is None else f"{ratio:9.2f}" for ratio in ratios]
    sizes = [seen.memory.get(who) for who in _traced(run, columns)]
    extra = "/".join("–" if size is None else f"{size / 1e6:.1f}" for size in sizes)
    print(f"{seen.name:<{NAME}}{''.join(cells)}   {extra:<22} {said(seen.notes)}".rstrip(), flush=True)


def said(notes: Mapping[str, str]) -> str:
    """Return the notes on one line, and what is said of all of them once."""
    if len(set(notes.values())) == 1:
        return next(iter(notes.values()))
    return "   ".join(f"{who} {note}" for who, note in notes.items())


def _summary(run: Run, measured: Sequence[Measured], part: str) -> list[Path]:
    """Print a line for each rival, and write one for each of its passes."""
    met = {who for seen in measured for who, _ in seen.seconds}
    rivals = [who for who in SAID if who in met.difference(OURS)]
    if not rivals:
        return []
    steps = list(dict.fromkeys(step for seen in measured for _, step in seen.seconds))
    with Rows(run.path("_summary.csv", part), run.facts) as rows:
        for ours in run.sets:
            heads = "".join(f"{HEADS.get(step, step):>9}" for step in steps)
            print(f"\n{f'{SAID[ours]}, geometric means':<{NAME + 9}}{heads}   {steps[-1]}: lowest, and below {NEAR}")
            for rival in rivals:
                means = ""
                for step in steps:
                    ratios = {seen.name: r for seen in measured if (r := seen.ratio(ours, rival, step)) is not None}
                    mean, low = float(np.exp(np.mean(np.log([*ratios.values()])))), min(ratios, key=ratios.__getitem__)
                    below = sum(ratio < NEAR for ratio in ratios.values())
                    means += f"{mean:9.2f}"
                    rows.add(
                        ours=ours,
                        rival=rival,
                        **{"pass": step},
                        geometric_mean=mean,
                        lowest=ratios[low],
                        lowest_name=low,
                        below=below,
                        measured=len(ratios),
                    )
                end = f"{ratios[low]:5.2f} {low:<{NAME}} {below} of {len(ratios)}"
                print(f"  {SAID[rival]:<{NAME + 7}}{means}   {end}")
    return [rows.path]
