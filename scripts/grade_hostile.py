"""Grade the hostile and awkward submissions, and print what each tried, must get and got, and what it left.

Usage: python scripts/grade_hostile.py [--jobs N] [CASE …]

The exit status is 1 where anything is not as expected. Without a sandbox nothing is run.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from pathlib import Path

from hostile import cases, table, trial

from cnnlab.grading.executor import sandbox_status


def main() -> int:
    """Run the trial, and print its table."""
    parser = argparse.ArgumentParser(description="Grade the hostile and awkward submissions, and print the table.")
    parser.add_argument("--jobs", type=int, default=2, metavar="N", help="submissions at a time (default: 2)")
    parser.add_argument("cases", nargs="*", metavar="CASE", help="only these (default: all)")
    arguments = parser.parse_args()
    unknown = set(arguments.cases) - cases.expected().keys()
    if unknown:
        raise SystemExit(f"there is no case {', '.join(sorted(unknown))}: see course/samples/hostile/expected.csv")
    status = sandbox_status()
    if not status.ok:
        raise SystemExit(f"Hostile submissions are not run without a sandbox: {status.reason}. {status.hint}")
    print(status.reason)
    started = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="cnnlab-hostile-") as work:
        found = trial.run(Path(work).resolve(), only=arguments.cases, jobs=arguments.jobs)
    for line in table.rows(found):
        print(line)
    print(f"\n{'All as expected' if found.ok else 'NOT as expected'}, in {time.monotonic() - started:.0f} s")
    return int(not found.ok)


if __name__ == "__main__":
    sys.exit(main())
