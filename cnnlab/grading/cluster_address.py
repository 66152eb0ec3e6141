"""The address of a Dask scheduler, and whether it is safe to speak to it."""

from __future__ import annotations

import ipaddress
import socket
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from cnnlab.grading.errors import GradingError

_HOW_TO_ENCRYPT = (
    "Whoever reaches that port can run programs as you, here and on the workers, and can read the hidden seed. Use "
    "TLS: dask scheduler, dask worker and this command each with --tls-ca-file, --tls-cert and --tls-key, and the "
    "address tls://… (docs/cluster.md). In a network that you trust to the last machine: --allow-unprotected-scheduler"
)


class ClusterError(GradingError):
    """A cluster cannot be used, or was lost; the text says why and what to do."""


@dataclass(frozen=True)
class Scheduler:
    """How to reach a Dask scheduler.

    Attributes
    ----------
    address
        ``tcp://host:port`` or ``tls://host:port``.
    tls_ca_file, tls_cert, tls_key
        PEM files for TLS; None: what Dask's own configuration says (``distributed.comm.tls``).
    allow_unprotected
        Whether to use one that anybody in the network can use.
    worker_wait
        Seconds to wait for a worker.
    """

    address: str
    tls_ca_file: Path | None = None
    tls_cert: Path | None = None
    tls_key: Path | None = None
    allow_unprotected: bool = False
    worker_wait: float = 60.0

    @property
    def is_encrypted(self) -> bool:
        """Whether both sides show who they are."""
        return self.address.startswith("tls://")

    def check(self) -> None:
        """Raise `ClusterError` for an address that cannot be used, or that should not."""
        host = _host(self.address)
        given = {"--tls-ca-file": self.tls_ca_file, "--tls-cert": self.tls_cert, "--tls-key": self.tls_key}
        for option, path in given.items():
            if path is not None and not self.is_encrypted:
                raise ClusterError(f"{option} is for an address that begins with tls://, and this is {self.address}")
            if path is not None and not path.is_file():
                raise ClusterError(f"there is no file {path} ({option})")
        if not self.is_encrypted and not self.allow_unprotected and not is_loopback(host):
            raise ClusterError(f"{self.address} is not on this machine, and not encrypted. {_HOW_TO_ENCRYPT}")

    def check_listening(self, who: str, addresses: list[str], *, advice: str) -> None:
        """Raise `ClusterError` when somebody without encryption can be reached from other machines.

        Parameters
        ----------
        who
            Scheduler or worker, in words.
        addresses
            Where it listens.
        advice
            How it is kept to this machine.
        """
        if self.is_encrypted or self.allow_unprotected:
            return
        for address in addresses:
            if address.startswith("tcp://") and not is_loopback(_host(address)):
                raise ClusterError(f"{who} listens at {address}, for other machines too: {advice}. {_HOW_TO_ENCRYPT}")


def is_loopback(host: str) -> bool:
    """Whether a host's every address is this machine's own, and cannot be reached from another one."""
    try:
        found = {str(each[4][0]) for each in socket.getaddrinfo(host, None)}
        return bool(found) and all(ipaddress.ip_address(each.partition("%")[0]).is_loopback for each in found)
    except (OSError, ValueError):
        return False


def _host(address: str) -> str:
    try:
        parts = urlsplit(address)
        host, port = parts.hostname, parts.port
    except ValueError:
        host, port = None, None
    if host is None or port is None or parts.scheme not in {"tcp", "tls"} or parts.path not in {"", "/"}:
        raise ClusterError(
            f"{address!r} is no address of a Dask scheduler: write tcp://host:port or tls://host:port, as "
            "`dask scheduler` prints it"
        )
    return host
