"""The command line: ``cnnlab doctor | build | slides | release | grade | report | bench``.

Each command is a thin call of one function elsewhere; what it needs is imported when it runs, so that
``cnnlab --help`` and ``cnnlab doctor`` work in a bare installation too.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from cnnlab import __version__


def find_course(start: Path) -> Path:
    """Return the course folder at or above ``start``: one that holds ``exercises/``, or a ``course/`` that does.

    Raises
    ------
    SystemExit
        When there is none, with a message that says how to name one.
    """
    start = start.resolve()
    for folder in (start, *start.parents):
        for candidate in (folder, folder / "course"):
            if (candidate / "exercises").is_dir():
                return candidate
    raise SystemExit(
        f"cnnlab: no course folder (one with exercises/ in it) in {start} or above it. "
        "Run the command in the course's checkout, or name the folder: --course DIR"
    )


def _course_of(arguments: argparse.Namespace) -> Path:
    named: Path | None = arguments.course
    if named is None:
        return find_course(Path.cwd())
    if not (named / "exercises").is_dir():
        raise SystemExit(f"cnnlab: --course {named} has no exercises/ in it. Name the folder that holds exercises/")
    return named.resolve()


@contextmanager
def _refusals_in_one_line() -> Iterator[None]:
    """End with the message alone, no traceback, when the grader says why it does not go on."""
    from cnnlab.grading.errors import GradingError

    try:
        yield
    except GradingError as error:
        raise SystemExit(f"cnnlab: {error}") from error


def _doctor(arguments: argparse.Namespace) -> int:
    from cnnlab import doctor

    lines = doctor.examine()
    print(doctor.as_text(lines))
    return 0 if all(line.ok or line.optional for line in lines) else 1


def _build(arguments: argparse.Namespace) -> int:
    from cnnlab.authoring.build import build

    root = _course_of(arguments).parent
    changed = build(root, check=arguments.check)
    for path in changed:
        print(f"{'stale' if arguments.check else 'built'}  {path.relative_to(root)}")
    if not changed:
        print("Notebooks are up to date with their sources.")
    elif arguments.check:
        print("Run `cnnlab build` (or `make build`) and commit the result.")
    return 1 if arguments.check and changed else 0


def _slides(arguments: argparse.Namespace) -> int:
    from cnnlab.authoring.slides import SlidesError, make_slides

    lectures = _course_of(arguments).parent / "lectures"
    try:
        for made in make_slides(lectures, arguments.lectures, arguments.out):
            print(f"made  {made.path}  ({made.slides} slides, {made.seconds:.0f} s)", flush=True)
    except SlidesError as error:
        raise SystemExit(f"cnnlab: {error}") from error
    print(f"Open {(arguments.out or lectures / 'slides') / 'index.html'} in a browser. No network is needed.")
    return 0


def _release(arguments: argparse.Namespace) -> int:
    from cnnlab.grading import commands

    with _refusals_in_one_line():
        made = commands.release(
            arguments.assignment,
            course_dir=_course_of(arguments),
            gradebook=arguments.gradebook,
            lock_wait=arguments.lock_wait,
        )
        print(made)
    return 0


def _grade(arguments: argparse.Namespace) -> int:
    from cnnlab.grading import commands
    from cnnlab.grading.cluster_address import Scheduler

    scheduler = None
    if arguments.scheduler is not None:
        scheduler = Scheduler(
            arguments.scheduler,
            tls_ca_file=arguments.tls_ca_file,
            tls_cert=arguments.tls_cert,
            tls_key=arguments.tls_key,
            allow_unprotected=arguments.allow_unprotected_scheduler,
            worker_wait=arguments.worker_wait,
        )
    options = {
        "course_dir": _course_of(arguments),
        "submissions_dir": arguments.submissions,
        "scheduler": scheduler,
        "allow_unsandboxed": arguments.allow_unsandboxed,
        "students": arguments.student or (),
        "regrade": arguments.regrade,
        "gradebook": arguments.gradebook,
        "lock_wait": arguments.lock_wait,
    }
    with _refusals_in_one_line():
        if arguments.dry_run:
            commands.rehearse(arguments.assignment, **options)
            return 0
        result = commands.grade(
            arguments.assignment,
            jobs=arguments.jobs,
            changed_only=arguments.changed_only,
            **options,
        )
    return 1 if result.has_grader_errors else 0


def _report(arguments: argparse.Namespace) -> int:
    from cnnlab.grading import commands

    with _refusals_in_one_line():
        commands.report(
            arguments.assignment,
            course_dir=_course_of(arguments),
            canvas=arguments.canvas,
            moodle=arguments.moodle,
            column=arguments.column,
            gradebook=arguments.gradebook,
            lock_wait=arguments.lock_wait,
        )
    return 0


def _bench(arguments: argparse.Namespace) -> int:
    from cnnlab import bench

    return bench.run(arguments.words, start=Path.cwd())


def _positive(text: str) -> int:
    if not text.isdigit() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"{text!r} is not a number of 1 or more")
    return int(text)


def _seconds(text: str) -> float:
    try:
        seconds = float(text)
    except ValueError:
        seconds = -1.0
    if not 0 <= seconds <= 86_400:
        raise argparse.ArgumentTypeError(f"{text!r} is not a number of seconds from 0 to 86400")
    return seconds


def _folder(text: str) -> Path:
    path = _path(text, "folder")
    if not path.is_dir():
        raise argparse.ArgumentTypeError(f"there is no folder {text!r}")
    return path


def _path(text: str, what: str = "file or folder") -> Path:
    path = Path(text)
    try:
        if not path.exists():
            raise argparse.ArgumentTypeError(f"there is no {what} {text!r}")
        if not os.access(path, os.R_OK | (os.X_OK if path.is_dir() else 0)):
            raise argparse.ArgumentTypeError(f"{text!r} cannot be read: permission denied")
    except OSError as error:
        raise argparse.ArgumentTypeError(f"{text!r} cannot be read: {error.strerror}") from error
    return path


def _add_cluster(grade: argparse.ArgumentParser) -> None:
    cluster = grade.add_argument_group("on a Dask cluster", "see docs/cluster.md")
    cluster.add_argument(
        "--scheduler",
        metavar="ADDRESS",
        help="tcp://host:port or tls://host:port of a Dask scheduler, whose workers run the submissions",
    )
    for option, what in (
        ("--tls-ca-file", "certificate of the authority that both sides trust"),
        ("--tls-cert", "certificate of this side"),
        ("--tls-key", "its key"),
    ):
        cluster.add_argument(
            option, type=Path, metavar="PEM", help=f"{what} (default: Dask's configuration, distributed.comm.tls)"
        )
    cluster.add_argument(
        "--allow-unprotected-scheduler",
        action="store_true",
        help="use a tcp:// scheduler that other machines can reach: whoever does can run programs as you",
    )
    cluster.add_argument(
        "--worker-wait",
        type=_seconds,
        default=60.0,
        metavar="SECONDS",
        help="how long to wait for a worker when there is none (default: 60)",
    )


def make_parser() -> argparse.ArgumentParser:
    """Return the parser of the ``cnnlab`` command."""
    parser = argparse.ArgumentParser(prog="cnnlab", description="The cnnlab course: check, build, release, grade.")
    parser.add_argument("--version", action="version", version=f"cnnlab {__version__}")
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")

    in_course = argparse.ArgumentParser(add_help=False)
    in_course.add_argument("--course", type=_folder, metavar="DIR", help="the course folder (default: found from here)")
    for_assignment = argparse.ArgumentParser(add_help=False, parents=[in_course])
    for_assignment.add_argument("assignment", metavar="ASSIGNMENT", help="for example: a1")

    commands.add_parser("doctor", help="say what this machine has, and what to do about the rest").set_defaults(
        run=_doctor
    )

    build = commands.add_parser("build", parents=[in_course], help="build notebooks from their sources")
    build.add_argument("--check", action="store_true", help="write nothing; fail when a notebook is stale")
    build.set_defaults(run=_build)

    slides = commands.add_parser("slides", parents=[in_course], help="run lectures and write them as slides")
    slides.add_argument("lectures", nargs="*", metavar="LECTURE", help="by number or name (default: all)")
    slides.add_argument("--out", type=Path, metavar="DIR", help="where to write them (default: lectures/slides)")
    slides.set_defaults(run=_slides)

    with_gradebook = argparse.ArgumentParser(add_help=False)
    with_gradebook.add_argument(
        "--gradebook",
        default="",
        metavar="URL",
        help="postgresql+psycopg://user@host/database, the password in PGPASSWORD (default: nbgrader_config.py's "
        "db_url, or gradebook.db in the course folder)",
    )
    with_gradebook.add_argument(
        "--lock-wait",
        type=_seconds,
        default=60.0,
        metavar="SECONDS",
        help="how long to wait for a gradebook that another program keeps locked (default: 60)",
    )

    release = commands.add_parser(
        "release", parents=[for_assignment, with_gradebook], help="register an assignment for its release"
    )
    release.set_defaults(run=_release)

    grade = commands.add_parser("grade", parents=[for_assignment, with_gradebook], help="grade a class")
    grade.add_argument(
        "--submissions",
        type=_path,
        metavar="PATH",
        help="a folder with one folder a student, or the zip file of Moodle or Canvas (default: submitted/)",
    )
    grade.add_argument(
        "--jobs",
        type=_positive,
        metavar="N",
        help="submissions run at a time (default: the cores, or what the cluster has)",
    )
    grade.add_argument(
        "--allow-unsandboxed",
        action="store_true",
        help="where no sandbox works, run submissions as ordinary processes; for files you trust",
    )
    grade.add_argument(
        "--student", action="append", metavar="NAME", help="only this student; may be given several times"
    )
    grade.add_argument("--regrade", action="store_true", help="run everything again, and list each changed score")
    grade.add_argument(
        "--changed-only", action="store_true", help="print only who was run or whose score changed; files stay whole"
    )
    grade.add_argument("--dry-run", action="store_true", help="say what would be run, and run and write nothing")
    _add_cluster(grade)
    grade.set_defaults(run=_grade)

    report = commands.add_parser(
        "report", parents=[for_assignment, with_gradebook], help="show the last run's table again, and renew its pages"
    )
    for lms, what in (("canvas", "gradebook export"), ("moodle", "grading worksheet")):
        report.add_argument(
            f"--{lms}", type=_path, metavar="CSV", help=f"write out/{lms}.csv: this {what} with the grades filled in"
        )
    report.add_argument("--column", metavar="TITLE", help="the column of it to fill in, if it is not found by itself")
    report.set_defaults(run=_report)

    commands.add_parser("bench", help="run benchmarks and print their tables: --list says which")
    return parser


def _parse(words: Sequence[str]) -> argparse.Namespace:
    # What follows `bench` is read there: most of it are options of the benchmarks, which this parser would refuse.
    if words[:1] == ["bench"]:
        return argparse.Namespace(command="bench", run=_bench, words=words[1:])
    return make_parser().parse_args(words)


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command and return its exit status: 0 done, 1 done but something is wrong, 2 could not be done."""
    arguments = _parse(list(sys.argv[1:] if argv is None else argv))
    try:
        status: int = arguments.run(arguments)
    except KeyboardInterrupt:
        print("cnnlab: interrupted", file=sys.stderr)
        return 130
    except ModuleNotFoundError as error:
        if error.name is None or error.name.partition(".")[0] == "cnnlab":
            raise
        print(
            f"cnnlab: `cnnlab {arguments.command}` needs the package {error.name}. "
            "Install what courses need, in a checkout: `make lab`, or pip install '.[course]'",
            file=sys.stderr,
        )
        return 2
    return status
