"""The program of a student's process that serves one exercise: run the cells, then answer calls.

It starts with ``python -I -S``, so that only the folders named on its command line can be imported from. Frames come in
on standard input and go out on standard output; both are moved out of the way before any code of the student runs.
"""

from __future__ import annotations

import contextlib
import os
import site
import sys


def main() -> None:
    """Serve one grader until it closes the pipe."""
    sys.path[:0] = sys.argv[1:]
    sys.argv = ["notebook"]
    # `-S` leaves these out, and notebooks use them.
    site.setquit()
    site.sethelper()
    requests, answers = os.dup(0), os.dup(1)

    from cnnlab.grading.student_view import isolate
    from cnnlab.grading.student_view.serve import Link, serve, to_nowhere

    to_nowhere()
    if sys.platform == "linux" and isolate.supported():
        with contextlib.suppress(OSError):  # a kernel without keyrings has none to share
            isolate.leave_keyring()
    serve(Link(requests, answers))


if __name__ == "__main__":
    main()
