"""The connection to a Dask scheduler: questions with a time limit, errors in one sentence, and a quiet log."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import threading
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future
from typing import TYPE_CHECKING, Any

from cnnlab.grading.cluster_address import ClusterError, Scheduler

if TYPE_CHECKING:
    from distributed import Client, Security
    from distributed import Future as DaskFuture

_CONNECT_SECONDS = 15.0
_QUICK_SECONDS = 30.0
_ANSWER_SECONDS = 300.0
_LOGGERS = ("distributed", "tornado", "asyncio")


class ClusterClient:
    """A client of a scheduler; `close` it.

    Parameters
    ----------
    scheduler
        Where it is.

    Raises
    ------
    ClusterError
        If Dask is not installed, or nobody answers, or anybody in the network can use the scheduler.
    """

    def __init__(self, scheduler: Scheduler) -> None:
        scheduler.check()
        self._scheduler = scheduler
        try:
            import distributed  # noqa: F401
        except ModuleNotFoundError as error:
            raise ClusterError(
                f"--scheduler needs the package {error.name}: pip install 'cnnlab[dask]', or in a checkout "
                ".venv/bin/pip install --constraint constraints.txt --editable '.[dask]'"
            ) from error
        self._levels = _quiet_loggers()
        try:
            self.dask = _connect(scheduler)
        except BaseException:
            self._restore_loggers()
            raise

    @property
    def is_lost(self) -> bool:
        """Whether the scheduler is gone."""
        return bool(self.dask.status != "running")

    def lost(self, error: BaseException | None = None) -> ClusterError:
        """Return the error for a scheduler that is gone."""
        why = f" ({in_words(error)})" if error is not None and str(error) else ""
        return ClusterError(
            f"the scheduler at {self._scheduler.address} was lost{why}. What was graded is kept: start it again, and "
            "run again to continue"
        )

    def threads(self) -> Mapping[str, int]:
        """Return the addresses of all workers, each with how many submissions it grades at a time."""
        if self.is_lost:
            raise self.lost()
        try:
            found: Mapping[str, int] = self.dask.nthreads(callback_timeout=_QUICK_SECONDS)
        except Exception as error:
            raise self.lost(error) from error
        return found

    def ask(self, function: Callable[..., Any], addresses: Sequence[str], *given: object) -> dict[str, Any]:
        """Call a function on these workers, and return answers and errors by address."""

        async def call() -> dict[str, Any]:
            answers: dict[str, Any] = await self.dask.run(function, *given, workers=list(addresses), on_error="return")
            return answers

        try:
            return dict(self.dask.sync(call, callback_timeout=_ANSWER_SECONDS))
        except Exception as error:
            return dict.fromkeys(addresses, error)

    def assigned(self) -> set[str]:
        """Return the keys of all tasks that some worker has."""

        async def call() -> set[str]:
            found = await self.dask.processing()
            return {str(key) for keys in found.values() for key in keys}

        try:
            return set(self.dask.sync(call, callback_timeout=_QUICK_SECONDS))
        except Exception as error:
            raise self.lost(error) from error

    def cancel(self, futures: Sequence[DaskFuture]) -> None:
        """Take tasks back that have not begun; what runs ends by itself, and nobody hears of it."""

        async def call() -> None:
            await self.dask.cancel(list(futures), force=True)

        with contextlib.suppress(Exception):  # the scheduler forgets them too when this client goes
            self.dask.sync(call, callback_timeout=_QUICK_SECONDS / 3)

    def close(self) -> None:
        """Let go of the scheduler."""
        try:
            self.dask.close(timeout=_QUICK_SECONDS / 3)
        finally:
            self._restore_loggers()

    def _restore_loggers(self) -> None:
        for name, level in self._levels.items():
            logging.getLogger(name).setLevel(level)


def in_words(error: BaseException) -> str:
    """Return an error in one line."""
    first = (str(error).strip().splitlines() or [""])[0].strip()
    if "ModuleNotFoundError" in repr(error) or isinstance(error, AttributeError):  # Dask wraps some
        return f"its cnnlab is another version or missing ({first})"
    return f"{type(error).__name__}: {first}" if first else type(error).__name__


def _connect(scheduler: Scheduler) -> Client:
    from distributed import Client

    security = _security(scheduler) if scheduler.is_encrypted else None
    try:
        # Asked first whether it is one at all: a client waits without an end for somebody who says nothing.
        address = _identity(scheduler.address, security)
        advice = "start it with `dask scheduler --host 127.0.0.1`"
        scheduler.check_listening("the scheduler", [address], advice=advice)
        return Client(
            scheduler.address, timeout=_CONNECT_SECONDS, security=security, set_as_default=False, name="cnnlab grade"
        )
    except ClusterError:
        raise
    except Exception as error:  # no two versions of Dask raise the same
        hint = "are the certificates those of this cluster?" if scheduler.is_encrypted else "does it expect tls://?"
        raise ClusterError(
            f"no Dask scheduler answers at {scheduler.address} ({in_words(error)}). Is it running (`dask scheduler`), "
            f"is the address the one that it prints, and {hint}"
        ) from error


def _identity(address: str, security: Security | None) -> str:
    """Return the address that a scheduler says it has; raises whatever Dask does."""
    from distributed.core import rpc

    async def ask() -> str:
        options = {} if security is None else {"connection_args": security.get_connection_args("client")}
        async with rpc(address, timeout=_CONNECT_SECONDS, **options) as somebody:
            found = await somebody.identity()
        if found["type"] != "Scheduler":
            raise ClusterError(f"{address} is a Dask {found['type']} and not the scheduler")
        return str(found["address"])

    answer: Future[str] = Future()

    def run() -> None:
        try:
            answer.set_result(asyncio.run(asyncio.wait_for(ask(), _CONNECT_SECONDS)))
        except BaseException as error:
            answer.set_exception(error)

    # In a thread of its own, since a notebook's has a loop already, and so that nothing can keep this one waiting.
    threading.Thread(target=run, daemon=True).start()
    try:
        return answer.result(_CONNECT_SECONDS + 1)
    except TimeoutError:
        raise TimeoutError(f"no answer in {_CONNECT_SECONDS:g} s") from None


def _security(scheduler: Scheduler) -> Security:
    from distributed import Security

    given = {
        "tls_ca_file": scheduler.tls_ca_file,
        "tls_client_cert": scheduler.tls_cert,
        "tls_client_key": scheduler.tls_key,
    }
    security = Security(
        require_encryption=True, **{name: str(path) for name, path in given.items() if path is not None}
    )
    if not security.tls_ca_file or not security.tls_client_cert:
        raise ClusterError(
            f"{scheduler.address} needs certificates: --tls-ca-file, --tls-cert and --tls-key, or "
            "distributed.comm.tls.ca-file, .client.cert and .client.key in Dask's own configuration"
        )
    return security


def _quiet_loggers() -> dict[str, int]:
    """Keep Dask's log to itself: what matters of it, the run says in its own words."""
    known = [name for name in logging.root.manager.loggerDict if name.partition(".")[0] in _LOGGERS]
    levels = {name: logging.getLogger(name).level for name in known}
    for name in known:
        logging.getLogger(name).setLevel(logging.CRITICAL + 1)
    return levels
