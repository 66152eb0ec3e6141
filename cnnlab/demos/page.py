"""A demo as plain HTML: the same module and style sheet as in a notebook, with a stand-in for the widget model."""

import hashlib
import json
import re
from html import escape
from typing import Any

# What the module needs of a widget model, when there is no kernel to talk to.
_MODEL = """
for (const mount of document.querySelectorAll('[data-cnnlab="@key@"]:not([data-mounted])')) {
  const state = JSON.parse(mount.querySelector("script").textContent);
  const calls = {};
  const model = {
    get: (name) => state[name],
    set(name, value) {
      if (state[name] === value) return;
      state[name] = value;
      for (const call of calls[`change:${name}`] ?? []) call();
    },
    on: (event, call) => (calls[event] ??= []).push(call),
    off: (event, call) => (calls[event] = (calls[event] ?? []).filter((other) => other !== call)),
    save_changes() {},
  };
  mount.dataset.mounted = "true";
  mount.replaceChildren();
  render({ model, el: mount });
}
"""

# The page may run its own script and play its own sound; every address outside it is refused.
_POLICY = "default-src 'none'; script-src 'unsafe-inline'; style-src 'unsafe-inline'; img-src data:; media-src blob:"


def fragment(state: dict[str, Any], *, esm: str, css: str, title: str) -> str:
    """Return a piece of HTML that shows a demo, with nothing to load from anywhere.

    Parameters
    ----------
    state : dict
        What the module reads with ``model.get``; anything that JSON can hold.
    esm : str
        A module that defines ``render({ model, el })``.
    css : str
        Its style sheet.
    title : str
        Named in the sentence that stands in the demo's place where scripts do not run.

    Returns
    -------
    str
        The same for the same input; several fragments can share a page.
    """
    data = json.dumps(state, ensure_ascii=False, separators=(",", ":"), allow_nan=False).replace("<", "\\u003c")
    key = hashlib.sha256((esm + data).encode()).hexdigest()[:16]
    return (
        f"<style>{_inert(css)}</style>"
        f'<div data-cnnlab="{key}"><script type="application/json">{data}</script>'
        f"<p>{escape(title)}: a demo that draws itself with JavaScript, without a kernel or a network.</p></div>"
        f'<script type="module">\n{_inert(esm)}\n{_MODEL.replace("@key@", key)}</script>'
    )


def page(body: str, *, title: str, theme: str) -> str:
    """Return a whole HTML document around `body`.

    Parameters
    ----------
    body : str
        One or more fragments.
    title : str
        The document's title, plain text.
    theme : {"auto", "light", "dark"}
        "auto" follows the reader's system.

    Raises
    ------
    ValueError
        If the theme is none of the three.
    """
    if theme not in ("auto", "light", "dark"):
        raise ValueError(f'theme {theme!r} is unknown: choose "auto", "light" or "dark"')
    attribute = "" if theme == "auto" else f' data-theme="{theme}"'
    scheme = "light dark" if theme == "auto" else theme
    return (
        f'<!doctype html>\n<html lang="en"{attribute}>\n<head>\n<meta charset="utf-8">\n'
        f'<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f'<meta http-equiv="Content-Security-Policy" content="{_POLICY}">\n<title>{escape(title)}</title>\n'
        f"<style>:root {{ color-scheme: {scheme}; }} body {{ margin: 12px; background: Canvas; }} "
        f"@media (max-width: 520px) {{ body {{ margin: 4px; }} }}</style>\n"
        f"</head>\n<body>\n<main>{body}</main>\n</body>\n</html>\n"
    )


def _inert(source: str) -> str:
    """Break up what would end or comment out the element around a script or style sheet.

    Inside the strings of either language a backslash before ``/`` or ``!`` changes nothing.
    """
    return re.sub(r"<(?=/(?:script|style)|!--)", r"<\\", source, flags=re.IGNORECASE)
