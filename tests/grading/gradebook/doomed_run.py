"""A program: one run over a class, which ends itself and its workers without a warning at a given event.

Events are what a run does to the world outside it: a file below the course folder that is opened, moved or removed,
and a statement or commit sent to the database. ``doomed_run.py COURSE SUBMISSIONS JOBS EXECUTOR EVENT`` counts them
and, at number EVENT, sends SIGKILL to its own process group; with EVENT 0 it comes to its end and prints their number.
"""

import os
import signal
import sys
from pathlib import Path

WATCHED = {"open", "os.rename", "os.remove", "os.mkdir", "os.rmdir"}


class Fate:
    def __init__(self, root, last):
        self.root, self.last, self.count = root, last, 0

    def hook(self, event, arguments):
        path = arguments[0] if event in WATCHED else None
        if isinstance(path, str | os.PathLike) and os.fspath(path).startswith(self.root):
            self.step()

    def step(self, *_):
        self.count += 1
        if self.count == self.last:
            os.killpg(0, signal.SIGKILL)


def main():
    course, submissions, jobs, executor, last = sys.argv[1:]
    from sqlalchemy import event
    from sqlalchemy.engine import Engine

    from cnnlab.grading import commands
    from cnnlab.grading import executor as seam

    if executor == "plain":
        seam.shutil = type("no_bubblewrap", (), {"which": staticmethod(lambda name: None)})
    fate = Fate(course, int(last))
    event.listen(Engine, "before_cursor_execute", fate.step)
    event.listen(Engine, "commit", fate.step)
    sys.addaudithook(fate.hook)
    commands.grade(
        "a1",
        course_dir=Path(course),
        submissions_dir=Path(submissions),
        jobs=int(jobs),
        allow_unsandboxed=True,
    )
    sys.stdout.write(f"events {fate.count}\n")


if __name__ == "__main__":
    main()
