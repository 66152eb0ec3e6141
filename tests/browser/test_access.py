"""All demos, folded parts open, through axe-core: no serious fault in what a page says to assistive technology."""

import pytest
from axe_playwright_python.sync_playwright import Axe

SERIOUS = {"serious", "critical"}
FAULTS_ONLY = {"resultTypes": ["violations"]}  # to describe what passes takes as long again


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_axe_finds_no_serious_fault(open_demo, example_demo, theme):
    shown = open_demo(example_demo, theme=theme)
    shown.unfold()
    found = Axe().run(shown.page, options=FAULTS_ONLY).response["violations"]
    serious = [
        f"{fault['id']} ({fault['impact']}): {node['target']}: {node['failureSummary']}"
        for fault in found
        if fault["impact"] in SERIOUS
        for node in fault["nodes"]
    ]
    assert serious == []
