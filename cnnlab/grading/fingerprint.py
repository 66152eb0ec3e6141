"""Whether two machines would find the same: the version and the content of what grades, and the sandbox."""

from __future__ import annotations

import hashlib
import json
import platform
import socket
from collections.abc import Iterator
from dataclasses import asdict, dataclass, replace
from functools import cache
from pathlib import Path

import numpy as np

import cnnlab
from cnnlab.grading.executor import sandbox_status

DESCRIBE = "describe"
_LONGEST = 500


@dataclass(frozen=True)
class Description:
    """What a process that grades says of itself.

    Attributes
    ----------
    machine
        Its host name.
    cnnlab, python, numpy
        Versions.
    code
        Hash of every file of the package cnnlab: checks, grader, and what students' code may import.
    executor
        Name of the best sandbox that works there; empty when none does.
    reason, hint
        As in `cnnlab.grading.executor.SandboxStatus`.
    """

    machine: str
    cnnlab: str
    code: str
    python: str
    numpy: str
    executor: str = ""
    reason: str = ""
    hint: str = ""

    def to_bytes(self) -> bytes:
        """Return the description as JSON."""
        return json.dumps(asdict(self)).encode()

    @classmethod
    def from_bytes(cls, data: bytes) -> Description:
        """Return the description that `to_bytes` was made from; of another version, what is known of it."""
        fields = json.loads(data)
        return cls(**{name: str(fields.get(name, "?"))[:_LONGEST] for name in cls.__dataclass_fields__})


def describe() -> Description:
    """Describe this process, and try the sandbox; what works is kept for use."""
    status = sandbox_status(keep=True)
    return replace(identity(), executor=status.executor, reason=status.reason, hint=status.hint)


def identity() -> Description:
    """Describe this process without trying a sandbox."""
    python = ".".join(platform.python_version_tuple()[:2])
    return Description(socket.gethostname(), cnnlab.__version__, package_digest(), python, np.__version__)


def difference(theirs: Description, ours: Description) -> str:
    """Return in what they are not alike, so that points may differ; empty when they are."""
    for what, mine, other in (
        ("cnnlab", ours.cnnlab, theirs.cnnlab),
        ("Python", ours.python, theirs.python),
        ("NumPy", ours.numpy, theirs.numpy),
    ):
        if mine != other:
            return f"it has {what} {other}, and this run has {what} {mine}"
    if theirs.code != ours.code:
        return (
            f"its cnnlab {theirs.cnnlab} has other files than the one of this run (content {theirs.code[:12]}, "
            f"here {ours.code[:12]})"
        )
    return ""


@cache
def package_digest() -> str:
    """Return a hash of the files of this cnnlab."""
    digest = hashlib.sha256()
    root = Path(cnnlab.__file__).parent
    for path in sorted(_files(root), key=lambda path: path.relative_to(root).as_posix()):
        content = hashlib.sha256(path.read_bytes()).digest()
        digest.update(path.relative_to(root).as_posix().encode() + b"\0" + content)
    return digest.hexdigest()


def _files(root: Path) -> Iterator[Path]:
    for path in root.rglob("*"):
        if path.is_file() and "__pycache__" not in path.parts and not path.name.startswith("."):
            yield path
