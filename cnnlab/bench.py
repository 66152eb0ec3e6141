"""Run the scripts in ``benchmarks/``, one after another, each in a process of its own."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path


def find_benchmarks(start: Path) -> Path:
    """Return the ``benchmarks`` folder at or above ``start``.

    Raises
    ------
    SystemExit
        When there is none: the benchmarks come with a checkout of the course, not with the installed package.
    """
    start = start.resolve()
    for folder in (start, *start.parents):
        if (folder / "benchmarks").is_dir():
            return folder / "benchmarks"
    raise SystemExit(
        f"cnnlab: no benchmarks/ in {start} or above it. They come with a checkout of the course: run it there"
    )


def run(names: Sequence[str] = (), *, start: Path) -> int:
    """Run the named benchmarks, or all; return 0 when each of them ended well."""
    folder = find_benchmarks(start)
    scripts = {path.stem: path for path in sorted(folder.glob("*.py")) if not path.name.startswith("_")}
    unknown = [name for name in names if name not in scripts]
    if unknown:
        raise SystemExit(f"cnnlab: no benchmark called {unknown[0]!r}. There are: {', '.join(scripts)}")
    failed = []
    for name in names or scripts:
        done = subprocess.run([sys.executable, str(scripts[name])], check=False)
        if done.returncode != 0:
            failed.append(name)
    if failed:
        print(f"cnnlab: these benchmarks failed: {', '.join(failed)}", file=sys.stderr)
    return 1 if failed else 0
