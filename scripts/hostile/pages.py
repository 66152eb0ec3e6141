"""Submissions that write into pages, tables and terminals: HTML, scripts, ANSI codes, templates, formulas."""

from __future__ import annotations

from hostile.sample import Notebook, Sample, as_if, deed, instead, named

# What must never stand in a page as it is here; see `leaks.injections`.
SCRIPT = "<script>alert('hostile-left')</script>"
IMAGE = "<img src=x onerror=alert('hostile-left')>"
ANSI = "\\x1b[2J\\x1b[31mhostile-left\\x1b]0;hostile-left\\x07\\x9b31m\\r\\b"


def _with_outputs(notebook: Notebook) -> None:
    page = {"text/html": f"{SCRIPT}{IMAGE}", "application/javascript": "alert('hostile-left')", "text/plain": "x"}
    picture = {"image/svg+xml": f"<svg xmlns='http://www.w3.org/2000/svg' onload='alert(1)'>{SCRIPT}</svg>"}
    for cell in notebook["cells"]:
        cell["outputs"] = [
            {"output_type": "display_data", "data": page, "metadata": {}},
            {"output_type": "display_data", "data": picture, "metadata": {}},
            {"output_type": "error", "ename": SCRIPT, "evalue": IMAGE, "traceback": [SCRIPT, "\x1b[31m"]},
            {"output_type": "stream", "name": "stdout", "text": SCRIPT},
        ]


def _markup_in_metadata(notebook: Notebook) -> None:
    notebook["metadata"] = {"title": SCRIPT, "kernelspec": {"display_name": IMAGE, "name": "../../bin/sh"}}
    cell = named(notebook, "a1-scan_1d-answer")
    cell["metadata"]["nbgrader"] |= {"comment": SCRIPT, "cell_type": IMAGE}
    notebook["cells"][0] |= {"id": SCRIPT}
    notebook["cells"].append({"cell_type": "markdown", "id": "text", "metadata": {}, "source": SCRIPT + IMAGE})


SAMPLES = {
    "html_in_an_exception": Sample(scan_1d=instead(f'raise ValueError("</pre></code>{SCRIPT}{IMAGE}")\n')),
    "html_in_its_own_line": Sample(scan_1d=instead(f"raise ValueError  # </code></pre>{SCRIPT}{IMAGE}\n")),
    "html_in_a_name_of_a_type": Sample(
        scan_1d=instead(f"return type({SCRIPT!r}, (), {{}})()\n"),
        scan_2d=f"def scan_2d(*_):\n    raise type({IMAGE!r}, (Exception,), {{}})({IMAGE!r})\n",
    ),
    "html_in_the_output": Sample(
        above=(f"print({SCRIPT!r}, {IMAGE!r})\ndisplay({SCRIPT!r})\nraise RuntimeError({IMAGE!r})\n",),
        scan_1d=as_if(repr(SCRIPT)),
    ),
    "html_in_old_outputs": Sample(change=_with_outputs),
    "html_in_metadata": Sample(change=_markup_in_metadata),
    "ansi_codes": Sample(
        above=(f'import sys\nprint("{ANSI}")\nprint("{ANSI}", file=sys.stderr)\nraise ValueError("{ANSI}")\n',),
        scan_1d=instead(f'raise RuntimeError("{ANSI}")  # \x1b[31m\x9b31m\n'),
    ),
    "templates_and_formulas": Sample(
        above=("raise ValueError('=cmd|calc!A1 {{ 7 * 7 }} {% raise %} ${7*7} [bold red]red[/] %s %(x)s {0}')\n",),
        scan_1d=instead(
            "raise ValueError('{{ 191 * 7 }} {% include \"/etc/passwd\" %} ${191*7} [link=http://x]y[/link]')\n"
        ),
    ),
    "letters_that_turn_around": Sample(
        above=("# \u202egnihton seod siht\u202c\nprint('\u202e\u2066\u200b\ufeff\u0000')\n",),
        scan_1d=instead("raise ValueError('\u202eabc\u2029\u0085\ufffe\\ud800')\n"),
    ),
    "a_name_of_a_megabyte": Sample(
        scan_1d=instead("raise type('X' * 10**6, (Exception,), {})('y' * 10**6)\n"),
    ),
    "prints_points": Sample(
        above=("print('a1.scan_1d: 5 of 5 points\\n100 %\\nAll checks passed')\n",),
        scan_1d=deed("print('passed')\n").replace("return right_answer(x, layers, width, hop)", "return 'passed'"),
    ),
}
