"""What every speed benchmark is started with, and what its tables say about where they were measured."""

from __future__ import annotations

import argparse
import importlib.metadata
import importlib.util
import os
import platform
import re
import subprocess
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import numpy as np

from cnnlab import kernels
from cnnlab.kernels import fast

OUT = Path(__file__).parent / "out"
KERNELS = {"numpy": ("numpy",), "fast": ("fast",), "both": ("numpy", "fast")}


@dataclass(frozen=True)
class Run:
    """One start of a benchmark: its options, and the facts that go beside every number."""

    script: str
    rounds: int
    threads: int
    clock: Callable[[], float]
    sets: tuple[str, ...]  # of our kernels: "numpy", "fast"
    only: str
    out: Path
    plots: bool
    partial: bool
    facts: dict[str, str]
    started: float

    def path(self, ending: str, part: str = "") -> Path:
        """Return where to write; a part of the cases, or few rounds, does not replace a whole run."""
        self.out.mkdir(parents=True, exist_ok=True)
        return self.out / f"{self.script}{part}_{self.threads}{'_partial' * self.partial}{ending}"

    def chosen(self, names: Iterable[str], what: str) -> list[str]:
        """Return those of the names that ``--only`` asks for; end where there is none."""
        names = list(names)
        found = [name for name in names if re.search(self.only, name)]
        if not found:
            raise SystemExit(f"{self.script}: no {what} matches --only {self.only!r}. There are: {', '.join(names)}")
        return found

    def say_where(self) -> None:
        f = self.facts
        versions = f"cnnlab {f['cnnlab']}, Python {f['python']}, NumPy {f['numpy']} with {f['blas']}"
        print(f"{versions}, PyTorch {f['torch']}, numba {f['numba']}")
        print(f"{self.machine()}, load {f['load']}, {f['date']}")
        print(f"{self.how()}; ratios are the others' time to ours, so more than 1 means that ours is faster\n")

    def machine(self) -> str:
        return f"{self.facts['cpu']}, {self.facts['vectors']}, {self.facts['cores']} cores"

    def how(self) -> str:
        return f"{counted(self.threads, 'thread')}, {self.facts['clock']} clock, {counted(self.rounds, 'round')}"

    def say_end(self, *written: Path) -> None:
        minutes, seconds = divmod(round(time.perf_counter() - self.started), 60)
        load = f", load {_load()} at the end" if _load() else ""
        print(f"\n{self.script} took {minutes} min {seconds} s{load}. Written:")
        for path in written:
            print(f"  {path}")


def parser_of(doc: str | None, *, rounds: int = 15) -> argparse.ArgumentParser:
    """Return a parser with the options that all speed benchmarks have."""
    parser = argparse.ArgumentParser(description=(doc or "").splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="3 rounds, to see that it works")
    parser.add_argument("--rounds", type=_positive, help=f"how often all take their turn (default: {rounds})")
    parser.add_argument("--threads", type=_positive, default=1, metavar="N", help="threads of each side (default: 1)")
    parser.add_argument("--only", type=_regex, default="", metavar="REGEX", help="only what has a name like this")
    parser.add_argument(
        "--kernels",
        choices=KERNELS,
        help="whose times to measure as ours: NumPy's, the compiled ones of cnnlab[fast], or both in turn (default: "
        "what is there)",
    )
    parser.add_argument(
        "--clock", choices=("wall", "cpu"), default="wall", help="cpu: of the thread that computes, on a busy machine"
    )
    parser.add_argument("--out", type=Path, default=OUT, metavar="DIR", help="where to write (default: benchmarks/out)")
    parser.add_argument("--no-plot", action="store_true", help="write the CSV files only")
    parser.set_defaults(usual_rounds=rounds)
    return parser


@contextmanager
def started(parser: argparse.ArgumentParser, script: str) -> Iterator[tuple[Run, argparse.Namespace]]:
    """Read the command line, hold all sides to the threads that were asked for, and say what is measured where."""
    options = parser.parse_args()
    if options.clock == "cpu" and options.threads > 1:
        parser.error("--clock cpu counts one thread: use it with --threads 1")
    sets = KERNELS[options.kernels] if options.kernels else _sets_here()
    if options.kernels in {"fast", "both"} and (fault := _fault_of_compiled()):
        parser.error(f"--kernels {options.kernels} needs the compiled kernels, but {fault}")
    rounds = options.rounds or (3 if options.quick else options.usual_rounds)
    run = Run(
        script=Path(script).stem,
        rounds=rounds,
        threads=options.threads,
        clock=time.thread_time if options.clock == "cpu" else time.perf_counter,
        sets=sets,
        only=options.only,
        out=options.out,
        plots=not options.no_plot,
        partial=bool(options.only) or rounds < options.usual_rounds,
        facts=facts(options.threads, options.clock, rounds),
        started=time.perf_counter(),
    )
    run.say_where()
    if not has_torch():
        print("PyTorch is not installed, so ours are measured alone: pip install 'cnnlab[oracle]' to compare\n")
    with all_threads(options.threads):
        yield run, options


@contextmanager
def all_threads(count: int) -> Iterator[None]:
    """Hold BLAS, our threads and PyTorch's to this count."""
    from threadpoolctl import threadpool_limits

    if has_torch():
        import torch

        torch.set_num_threads(count)
    with threadpool_limits(count, "blas"), kernels.use_threads(count):
        yield


def has_torch() -> bool:
    return importlib.util.find_spec("torch") is not None


def facts(threads: int, clock: str, rounds: int) -> dict[str, str]:
    """Return versions, machine and way of measuring: columns of every CSV file."""
    return {
        "date": f"{datetime.now().astimezone():%Y-%m-%d %H:%M %z}",
        "cpu": cpu_model(),
        "vectors": vectors(np.show_config(mode="dicts")["SIMD Extensions"]),
        "cores": str(_cores()),
        "load": _load(),
        "threads": str(threads),
        "clock": clock,
        "rounds": str(rounds),
        "system": f"{platform.system()} {platform.machine()}",
        "python": platform.python_version(),
        **{package: _version(package) for package in ("cnnlab", "numpy", "torch", "numba")},
        "blas": _blas(),
    }


def cpu_model() -> str:
    """Return the name of the processor, with family and model where its name alone says little."""
    if platform.system() == "Darwin":
        asked = subprocess.run(
            ["/usr/sbin/sysctl", "-n", "machdep.cpu.brand_string"], capture_output=True, text=True, check=False
        )
        return asked.stdout.strip() or platform.machine()
    try:
        text = Path("/proc/cpuinfo").read_text(encoding="utf-8")
    except OSError:
        return platform.processor() or platform.machine()
    found = dict(re.findall(r"^(model name|cpu family|model)\s*: (.*)$", text, re.MULTILINE))
    if "model name" not in found:
        return platform.machine()
    return f"{found['model name']} (family {found.get('cpu family', '?')}, model {found.get('model', '?')})"


def vectors(simd: dict[str, list[str]]) -> str:
    """Return the widest vector instructions that NumPy found."""
    names = {name.upper() for name in (*simd.get("baseline", ()), *simd.get("found", ()))}
    for starts, said in (
        (("AVX512", "X86_V4"), "AVX-512"),
        (("AVX2", "X86_V3"), "AVX2"),
        (("SVE",), "SVE"),
        (("NEON", "ASIMD"), "NEON"),
        (("VSX",), "VSX"),
    ):
        if any(name.startswith(starts) for name in names):
            return said
    return " ".join(sorted(names)) or "no vectors"


def counted(count: int, word: str) -> str:
    return f"{count} {word}{'s' * (count != 1)}"


def _cores() -> int:
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _load() -> str:
    return f"{os.getloadavg()[0]:.1f}" if hasattr(os, "getloadavg") else ""


def _version(package: str) -> str:
    try:
        return importlib.metadata.version(package)
    except importlib.metadata.PackageNotFoundError:
        return "not installed"


def _blas() -> str:
    from threadpoolctl import threadpool_info

    found = [one for one in threadpool_info() if one["user_api"] == "blas"]
    return ", ".join(f"{one['internal_api']} {one['version']} ({one.get('architecture', '?')})" for one in found) or "?"


def _fault_of_compiled() -> str:
    """Return why the compiled kernels cannot be measured, or nothing."""
    if importlib.util.find_spec("numba") is None:
        return 'numba is not installed: pip install "cnnlab[fast]"'
    if not fast.wanted(os.environ.get(fast.SETTING), installed=True):
        return f"{fast.SETTING}={os.environ[fast.SETTING]} leaves them out: unset it"
    from cnnlab.kernels.fast.vectors import LANES

    return "" if LANES else "they know only processors with AVX-512 or AVX2: use --kernels numpy"


def _sets_here() -> tuple[str, ...]:
    if _fault_of_compiled():
        return KERNELS["numpy"]
    return KERNELS["fast" if os.environ.get(fast.SETTING) == "fast" else "both"]


def _positive(text: str) -> int:
    if not text.isdigit() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"{text!r} is not a number of 1 or more")
    return int(text)


def _regex(text: str) -> str:
    try:
        re.compile(text)
    except re.error as error:
        raise argparse.ArgumentTypeError(f"{text!r} is no regular expression: {error}") from error
    return text
