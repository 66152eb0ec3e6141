"""Measuring several ways to compute the same thing in turn, and the tables and files that say how they compare."""

from __future__ import annotations

import csv
import tracemalloc
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from _run import Run

from cnnlab import kernels

OURS = ("numpy", "fast")
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
}
HEADS = {"channels_last": "ch.last", "forward": "fwd", "backward": "bwd"}
NEAR = 0.8  # ratios below this are counted
_SETTINGS: dict[str, Callable[[], AbstractContextManager[Any]]] = {
    "numpy": lambda: kernels.allow_compiled(False),
    "fast": lambda: kernels.allow_compiled(True),
    "taps": lambda: kernels.use_algorithm("taps"),
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
    """

    name: str
    group: str
    turns: Mapping[str, Mapping[str, Callable[[], Any]]]
    same: Callable[[], None]
    notes: Callable[[], dict[str, str]]


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
    order = np.random.default_rng(0)
    seconds: dict[Key, list[float]] = {(who, step): [] for who, passes in case.turns.items() for step in passes}
    for _ in range(run.rounds):
        for who in order.permutation(list(case.turns)):
            with setting(who):
                for step, compute in case.turns[who].items():
                    start = run.clock()
                    compute()
                    seconds[who, step].append(run.clock() - start)
    notes = case.notes()
    memory = {who: extra_bytes(who, passes.values()) for who, passes in case.turns.items() if who not in TORCH}
    return Measured(
        case.name, case.group, _with_sums({k: np.array(v) for k, v in seconds.items()}, case), memory, notes
    )


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

    def __init__(self, path: Path, run: Run) -> None:
        self.path, self._facts = path, run.facts
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
    with Rows(run.path(".csv", part), run) as rows:
        for case in cases:
            if not measured:
                _print_heads(run, case, columns)
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
    return measured, [rows.path, _summary(run, measured, part)]


def _print_heads(run: Run, case: Case, columns: Sequence[Key]) -> None:
    traced = "/".join(HEADS.get(who, who) for who in case.turns if who not in TORCH)
    width = 9 + 8 * len(columns)
    rivals = "".join(f"{'PyTorch' if rival == 'pytorch' else HEADS.get(rival, rival):>8}" for rival, _ in columns)
    steps = "".join(f"{HEADS.get(step, step):>8}" for _, step in columns)
    if run.sets != ("numpy",):
        print(" " * 27 + "".join(f"  {SAID[one]:-^{width - 2}}" for one in run.sets))
    print(" " * 27 + "".join(f"{'':>9}{rivals}" for _ in run.sets))
    print(f"{'':<27}" + "".join(f"{'ms':>9}{steps}" for _ in run.sets) + f"   extra MB: {traced}")


def _print_line(run: Run, seen: Measured, columns: Sequence[Key]) -> None:
    last = columns[0][1] if len({step for _, step in columns}) == 1 else "both"
    cells = []
    for ours in run.sets:
        ratios = [seen.ratio(ours, rival, step) for rival, step in columns]
        cells.append(f"{1e3 * np.median(seen.seconds[ours, last]):9.2f}")
        cells += [f"{'–':>8}" if ratio is None else f"{ratio:8.2f}" for ratio in ratios]
    extra = "/".join(f"{size / 1e6:.1f}" for size in seen.memory.values())
    notes = "   ".join(f"{who} {note}" for who, note in seen.notes.items())
    print(f"{seen.name:<27}{''.join(cells)}   {extra:<20} {notes}".rstrip(), flush=True)


def _summary(run: Run, measured: Sequence[Measured], part: str) -> Path:
    rivals = [key for key in dict.fromkeys(key for seen in measured for key in seen.seconds) if key[0] not in OURS]
    with Rows(run.path("_summary.csv", part), run) as rows:
        for ours in run.sets:
            print(f"\n{SAID[ours]}: geometric mean of the medians of ratios, the lowest, and how many are below {NEAR}")
            for rival, step in rivals:
                ratios = {s.name: r for s in measured if (r := s.ratio(ours, rival, step)) is not None}
                mean, low = float(np.exp(np.mean(np.log(list(ratios.values()))))), min(ratios, key=ratios.__getitem__)
                below = sum(ratio < NEAR for ratio in ratios.values())
                print(
                    f"  {SAID[rival]:<35} {step:<9} {mean:5.2f}   lowest {ratios[low]:5.2f} {low:<26} "
                    f"{below} of {len(ratios)} below {NEAR}"
                )
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
    return rows.path
