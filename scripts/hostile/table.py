"""The hostile table, as text."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence

from hostile.trial import Findings


def rows(found: Findings) -> Iterator[str]:
    """Yield the lines of the table and of the summary."""
    yield f"{'case':<46}{'tries':<68}{'expected':<16}{'got':<16}ok"
    for line in found.lines:
        case = line.case
        got = "" if line.skipped else f"{line.status} {line.score}"
        ok = f"skipped: {line.skipped}" if line.skipped else "ok" if line.ok else "NO"
        yield f"{case.name:<46}{case.tries:<68}{f'{case.status} {case.score}':<16}{got:<16}{ok}"
    tried = [line for line in found.lines if not line.skipped]
    wrong = [line for line in tried if line.score != line.case.score]
    yield ""
    yield f"cases tried: {len(tried)} of {len(found.lines)}"
    yield _count("wrong scores", [line.case.name for line in wrong])
    yield _count("other statuses", [line.case.name for line in tried if line.status != line.case.status])
    places = Counter(canary.place for canary, _ in found.leaks)
    yield _count("leaks", [f"{canary.place} in {name}" for canary, name in found.leaks[:20]], len(found.leaks))
    yield f"  of {len(found.canaries)} secrets in {len({c.place for c in found.canaries})} places" + (
        f": {', '.join(f'{place} ({number})' for place, number in places.items())}" if places else ""
    )
    yield _count(
        "scripts and codes in pages, tables and terminal", [f"{what} in {name}" for name, what in found.injections]
    )
    yield _count("processes left over", found.processes)
    yield _count("files left over", found.files)
    yield _count("calls to the machine or the network", found.calls)
    yield _count("points given by a submission", found.by_hand)
    yield _count(f"honest neighbors, of {found.neighbors}, whose result changed", found.changed)
    yield _count("runs that did not go to their end", found.stopped)


def _count(what: str, found: Sequence[str], number: int | None = None) -> str:
    number = len(found) if number is None else number
    return f"{what}: {number}" + "".join(f"\n  {each}" for each in found)
