"""Grade the sample classes, and say whether points and named mistakes are those that are expected.

Usage: python scripts/grade_samples.py [ASSIGNMENT …]

The exit status is 1 where something differs. This is no option of `cnnlab grade`: nobody knows beforehand what a real
class must get. They are graded in a course folder of their own, course/graded-samples: no sample student ever gets into
a teacher's gradebook. A sandbox is used where one works, and is not asked for: the samples are harmless.
"""

from __future__ import annotations

import sys

import samples
from samples.expected import differences, expected_points
from samples.place import sample_course

from cnnlab.grading import commands
from cnnlab.grading.errors import GradingError


def main() -> int:
    """Grade them all, then print a line for each."""
    lines, different = [], False
    try:
        course = sample_course(samples.ROOT / "course")
    except GradingError as error:
        raise SystemExit(str(error)) from error
    for assignment in sys.argv[1:] or samples.assignments():
        folder = samples.folder(assignment)
        try:
            report = commands.grade(
                assignment,
                course_dir=course,
                submissions_dir=folder,
                jobs=2,
                allow_unsandboxed=True,
            )
        except GradingError as error:
            raise SystemExit(f"{assignment}: {error}") from error
        found = list(differences(report, folder))
        different = different or bool(found)
        students = len(expected_points(folder))
        lines += [f"{assignment}: {f'{len(found)} differences' if found else f'{students} students as expected'}"]
        lines += [f"  {line}" for line in found]
        lines += [f"  report: {course / 'out' / assignment / 'report.html'}"]
    print("", *lines, sep="\n")
    return int(different)


if __name__ == "__main__":
    sys.exit(main())
