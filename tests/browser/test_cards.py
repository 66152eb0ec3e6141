"""Check cards on a page of somebody else."""

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
