"""Run the scripts in ``benchmarks/``, one after another, each in a process of its own."""

from __future__ import annotations

import ast
import subprocess
import sys
from collections.abc import Sequence
from itertools import takewhile
from pathlib import Path

# Run when none is named: the tables on speed, the longest last.
SPEED = ("pool_speed", "train_speed", "conv_growth", "conv_speed")
USAGE = """\
usage: cnnlab bench [NAME ...] [OPTION ...]
       cnnlab bench --list

Run the named benchmarks, or those on speed, and print their tables. Options, from the first word with a dash on, go to
each of them as they stand: cnnlab bench conv_speed --quick --only vgg. What there is: cnnlab bench NAME --help."""


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


def run(words: Sequence[str] = (), *, start: Path) -> int:
    """Run the named benchmarks, or those on speed, with the options behind the names.

    Parameters
    ----------
    words : sequence of str
        Names; then options, from the first word with a dash on, that each of the benchmarks gets as they stand. Alone,
        ``--list`` prints what there is, and ``--help`` how to use it.
    start : Path
        Where to look for them, here or above.

    Returns
    -------
    int
        0 when each of them ended well, else 1.
    """
    names = list(takewhile(lambda word: not word.startswith("-"), words))
    options = list(words[len(names) :])
    if not names and options in (["-h"], ["--help"]):
        print(USAGE)
        return 0
    scripts = _scripts(find_benchmarks(start))
    if not names and options == ["--list"]:
        print(_listed(scripts))
        return 0
    unknown = [name for name in names if name not in scripts]
    if unknown:
        raise SystemExit(f"cnnlab: no benchmark called {unknown[0]!r}. There are: {', '.join(scripts)}")
    if options[:1] == ["--"]:
        del options[0]
    failed = []
    for name in names or SPEED:
        if len(names) != 1:
            print(f"\n== {name} ==\n", flush=True)
        done = subprocess.run([sys.executable, str(scripts[name]), *options], check=False)
        if done.returncode != 0:
            failed.append(name)
    if failed:
        print(f"cnnlab: these benchmarks failed: {', '.join(failed)}", file=sys.stderr)
    return 1 if failed else 0


def _scripts(folder: Path) -> dict[str, Path]:
    return {path.stem: path for path in sorted(folder.glob("*.py")) if not path.name.startswith("_")}


def _listed(scripts: dict[str, Path]) -> str:
    """Return a line for each script, the first of its docstring, with a star where it runs without being named."""
    width = max(map(len, scripts), default=0)
    lines = []
    for name, path in scripts.items():
        text = ast.get_docstring(ast.parse(path.read_text(encoding="utf-8"))) or ""
        lines.append(f"{'*' if name in SPEED else ' '} {name:<{width}}  {text.partition(chr(10))[0]}")
    return "\n".join([*lines, "", "* runs when none is named. Options of one: cnnlab bench NAME --help"])
