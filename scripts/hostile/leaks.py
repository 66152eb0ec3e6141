"""Look for secrets, and for what would run or move a cursor, in everything that a run of the grader wrote."""

from __future__ import annotations

import base64
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from html.parser import HTMLParser
from pathlib import Path

from hostile.canaries import Canary
from hostile.sample import MARK


def outputs_of(course: Path) -> dict[str, bytes]:
    """Return every file that students and the team get to see, by its path below the course folder."""
    found = {}
    for top in ("out", "feedback", "autograded"):
        for path in sorted((course / top).rglob("*")):
            if path.is_file():
                found[path.relative_to(course).as_posix()] = path.read_bytes()
    return found


def leaks(canaries: Iterable[Canary], outputs: Mapping[str, bytes]) -> Iterator[tuple[Canary, str]]:
    """Yield each secret that stands where it does not belong, and in which output.

    It is found as it is, backwards, in hexadecimal, in base 64, as the numbers of its letters, and with spaces between.
    """
    for canary in canaries:
        forms = list(_forms(canary.text))
        for name, data in outputs.items():
            if not name.startswith(canary.belongs or ("\0",)) and any(form in data for form in forms):
                yield canary, name


def _forms(text: str) -> Iterator[bytes]:
    data = text.encode()
    yield data
    yield text.replace("'", "&#39;").encode()
    if len(data) < 20:  # too short for the rest to be more than an accident
        return
    yield data[::-1]
    yield data.hex().encode()
    yield data.hex().upper().encode()
    for offset in range(3):  # where it begins within three bytes
        code = base64.b64encode(bytes(offset) + data)
        yield code[4:-4]
    for between in (", ", ",", " ", ". "):
        yield between.join(str(byte) for byte in data[8:]).encode()
    yield " ".join(text).encode()


def injections(outputs: Mapping[str, bytes]) -> Iterator[tuple[str, str]]:
    """Yield each output in which something of a student's would run, load or move a cursor, and what it is."""
    for name, data in outputs.items():
        text = data.decode("utf-8", "replace")
        if name.endswith(".html"):
            page = _Page()
            page.feed(text)
            yield from ((name, what) for what in page.found)
        if (
            not name.startswith("autograded/")
            and not name.endswith(".json")
            and re.search(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]", text)
        ):
            yield name, "a control character"
        if name.endswith(".csv"):
            rows = [line for line in text.splitlines() if line.startswith(("=", "+", "-", "@", '"=', '"-', '"@', '"+'))]
            yield from ((name, f"a formula: {row[:40]}") for row in rows)


class _Page(HTMLParser):
    """Finds what a page would run or load."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.found: list[str] = []

    def handle_starttag(self, tag: str, attrs: Sequence[tuple[str, str | None]]) -> None:
        """Look at one element."""
        if tag in {"script", "iframe", "object", "embed", "base", "form", "applet", "foreignobject"}:
            self.found.append(f"an element <{tag}>")
        for name, value in attrs:
            if name.startswith("on"):
                self.found.append(f"an attribute {name}")
            if name in {"src", "href", "action", "formaction", "xlink:href"} and not _is_harmless(value or ""):
                self.found.append(f"{name}={value!r}"[:80])
            if MARK in name:
                self.found.append(f"an attribute named {name[:40]!r}")


def _is_harmless(address: str) -> bool:
    own = address.startswith(("data:image/", "#")) or not re.match(r"\s*[a-zA-Z][a-zA-Z0-9+.-]*:|\s*//", address)
    return own and "javascript" not in address.lower()
