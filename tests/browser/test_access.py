"""All demos, with their folded parts open, through axe-core: no serious fault in what a page says to assistive technology."""

import pytest
from axe_playwright_python.sync_playwright import Axe

SERIOUS = {"serious", "critical"}


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_axe_finds_no_serious_fault(open_demo, example, theme):
    shown = open_demo(example(), theme=theme)
    shown.unfold()
    found = Axe().run(shown.page).response["violations"]
    serious = [
        f"{fault['id']} ({fault['impact']}): {node['target']}: {node['failureSummary']}"
        for fault in found
        if fault["impact"] in SERIOUS
        for node in fault["nodes"]
    ]
    assert serious == []
