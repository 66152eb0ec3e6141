"""The start page finds the machine in order."""

import re


def test_start_page_runs(run_lecture):
    page = run_lecture("00_start_here", device="cnnlab.current_device()")
    assert page.values["device"] == "cpu"
    assert re.search(r"ok\s+Python", page.printed)
    assert page.complaints == ""
