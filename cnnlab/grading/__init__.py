"""Grade a class: intake, execution in a sandbox, checks outside it, gradebook, feedback, report.

The steps are listed in `cnnlab.grading.run`; each lives in a module of its own and hands plain data to the next.
"""
