"""Check cards on a page of somebody else."""

import re

from cnnlab.checks import exercise, run_exercise
from cnnlab.viz import cards


def test_rows_and_messages_line_up_whatever_the_page_does_to_rows(page):
    card = cards.as_html(run_exercise(exercise("a1.scan_1d"), lambda *_: None, hidden=False))
    page.set_content(f"<style>.row {{ padding: 0 11px; margin: 5px 0 }}</style>{card}{card}")
    title, message = (
        page.evaluate("(name) => { const b = document.querySelector(name).getBoundingClientRect(); return b.x }", name)
        for name in (".what", ".message")
    )
    assert abs(title - message) < 2
    first, second = page.locator(".cnnlab-card").all()
    assert second.bounding_box()["y"] - first.bounding_box()["y"] - first.bounding_box()["height"] >= 12


WRONG_ANSWER = """
import numpy as np
from cnnlab.checks import check

def conv2d_loops(x, w, b, stride):
    P, Q = ((x.shape[2 + a] - w.shape[2 + a]) // stride[a] + 1 for a in (0, 1))
    y = np.zeros((len(x), len(w), P, Q))
    for n, o, p, q in np.ndindex(*y.shape):
        top, left = p * stride[0], q * stride[1]
        window = x[n, :, top : top + w.shape[2], left : left + w.shape[3]]
        y[n, o, p, q] = np.sum(window * w[o, :, ::-1, ::-1])
    return y

check("a3.conv2d_loops", conv2d_loops)
"""


def test_below_the_card_a_demo_unfolds_and_a_notebook_opened_again_shows_the_card_alone(lab, new_page):
    page = lab.run_notebook(new_page(strict=False), lab.write_notebook("card.ipynb", [WRONG_ANSWER]))
    card = page.locator(".cnnlab-card")
    assert card.locator(".name").all_inner_texts() == ["The kernel is flipped", "The bias is left out"]
    header = page.locator(".jupyter-widget-Collapse-header")
    assert not page.locator(".cnnlab-demo").is_visible()
    header.click()
    page.locator(".cnnlab-demo").get_by_text("5 of 6 wrong").wait_for()

    page.evaluate("window.jupyterapp.commands.execute('docmanager:save')")
    page.evaluate("window.jupyterapp.commands.execute('kernelmenu:shutdown')")
    page.reload()
    card.wait_for()
    without_kernel = page.get_by_text(re.compile("(Loading|Error displaying) widget"))
    without_kernel.wait_for(state="attached")
    assert not without_kernel.is_visible()
