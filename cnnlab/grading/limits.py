"""How much of the machine one submission gets."""

from __future__ import annotations

from dataclasses import asdict, dataclass


@dataclass(frozen=True)
class Limits:
    """Limits of one submission; times are wall-clock seconds.

    Attributes
    ----------
    submission_seconds
        For everything: starting, running the cells, and all calls.
    cell_seconds
        For one cell. A cell that takes longer is left out, and the others run without it.
    call_factor
        An exercise says how long one call should take on a quiet machine; a call is ended after so many times that.
    memory_bytes, file_bytes
        Address space of each process, and size of each file that it writes.
    processes
        Processes and threads; binds only where the sandbox gives the submission a user of its own.
    """

    submission_seconds: float = 120.0
    cell_seconds: float = 10.0
    call_factor: float = 3.0
    memory_bytes: int = 3 << 30
    file_bytes: int = 32 << 20
    processes: int = 64

    def resource_limits(self, *, own_user: bool) -> dict[str, int]:
        """Return the limits that the kernel keeps, by the names of `resource.setrlimit` without ``RLIMIT_``."""
        limits = {
            "AS": self.memory_bytes,
            "FSIZE": self.file_bytes,
            "CPU": int(self.submission_seconds) + 1,
            "NOFILE": 256,
            "CORE": 0,
        }
        # Counted per user: without a user namespace it would count everything else that this user runs.
        return limits | {"NPROC": self.processes} if own_user else limits

    def as_dict(self) -> dict[str, float]:
        """Return the limits as plain data."""
        return asdict(self)
