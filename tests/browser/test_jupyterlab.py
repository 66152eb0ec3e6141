"""Demos in a real JupyterLab, and in the pages that are made from its notebooks."""

import subprocess
import sys

import nbformat
from playwright.sync_api import expect

CELLS = [
    "import numpy as np\nfrom cnnlab.demos import WelcomeScanner\nrng = np.random.default_rng(0)",
    "layers = [(rng.standard_normal((4, 40)), np.zeros(4)), (rng.standard_normal((1, 4)), np.zeros(1))]\n"
    "demo = WelcomeScanner(rng.standard_normal((4, 60)), layers, width=10, hop=2)\ndemo",
]


def convert(notebook, *options):
    command = [sys.executable, "-m", "nbconvert", "--to", "html", *options, str(notebook)]
    subprocess.run(command, check=True, capture_output=True, timeout=120)
    return notebook.with_suffix(".html")


def test_the_scanner_talks_to_python_and_survives_as_a_page(lab, page, new_page):
    name = lab.write_notebook("scanner.ipynb", CELLS)
    lab.run_notebook(page, name)
    expect(page.locator(".cnnlab-demo")).to_have_count(1)
    active = "window.jupyterapp.shell.currentWidget.content.activeCellIndex"
    page.locator(".stage").focus()
    cell = page.evaluate(active)
    for key in ("ArrowRight", "ArrowRight", "ArrowDown", "ArrowRight", "a"):  # "a" would add a cell in Lab
        page.keyboard.press(key)
    expect(page.locator(".words")).to_contain_text("Window t = 4 ")
    assert page.evaluate(active) == cell
    assert page.evaluate("window.jupyterapp.shell.currentWidget.content.widgets.length") == len(CELLS)
    lab.expect_in_kernel(page, "demo.position", "4")
    lab.in_kernel(page, "setattr(demo, 'threshold', 1000.0)")
    expect(page.locator(".answer")).to_have_text("No window above the threshold")
    assert lab.in_kernel(page, "demo.threshold") == "1000.0"

    page.evaluate("window.jupyterapp.commands.execute('docmanager:save')")
    page.wait_for_function("!window.jupyterapp.shell.currentWidget.context.model.dirty")
    path = lab.root / name
    assert any("text/html" in output.data for output in nbformat.read(path, 4).cells[1].outputs)
    _works_without_network(new_page(strict=False), convert(path))


def test_a_notebook_executed_by_nbconvert_keeps_its_demo(new_page, tmp_path):
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(source) for source in CELLS])
    path = tmp_path / "executed.ipynb"
    nbformat.write(notebook, path)
    page = convert(path, "--execute", "--ExecutePreprocessor.store_widget_state=False")
    _works_without_network(new_page(strict=False), page)


def _works_without_network(page, path):
    """nbconvert's own template asks for MathJax and RequireJS; the demo must work although nothing answers."""
    page.goto(path.as_uri())
    page.locator(".stage").focus()
    page.keyboard.press("ArrowRight")
    expect(page.locator(".words")).to_contain_text("Window t = 2 ")
    expect(page.locator(".cnnlab-demo")).to_have_count(1)
