"""Copy one URL into one file, with a progress bar; give up on a server that is slow, evasive or sends too much."""

from __future__ import annotations

import time
import warnings
from pathlib import Path
from typing import Any
from urllib.parse import urljoin, urlsplit

TIMEOUT = (5.0, 20.0)  # seconds to connect, and without a byte
SLOWEST, PATIENCE = 5_000, 30.0  # bytes per second that a server must reach after so many seconds
_CHUNK = 1 << 14
_LOOPBACK = {"127.0.0.1", "::1", "localhost"}


class FaultyServerError(ValueError):
    """A server answered, but not with the file."""


def is_safe(url: str) -> bool:
    """Tell whether a URL may be read: https, or a server on this very machine, such as a test's."""
    parts = urlsplit(url)
    return parts.scheme == "https" or (parts.scheme == "http" and parts.hostname in _LOOPBACK)


class Downloader:
    """A downloader for ``pooch.retrieve``: called with a URL and the name of the file to write.

    Parameters
    ----------
    size : int
        Bytes that the file has; a server that sends more is not listened to any longer.
    """

    def __init__(self, size: int) -> None:
        self._size = size

    def __call__(self, url: str, output_file: str, pooch: object) -> None:
        """Write what the URL holds.

        Raises
        ------
        requests.RequestException
            If there is no connection, no answer in time, or a status other than success.
        FaultyServerError
            If the server redirects to http, sends more than the file has, or is too slow.
        """
        import requests

        # The files are archives. Some servers label them "Content-Encoding: gzip" and a client would unpack them.
        headers = {"Accept-Encoding": "identity"}
        with (
            requests.Session() as session,
            session.get(url, headers=headers, stream=True, timeout=TIMEOUT, hooks={"response": _inspect}) as response,
        ):
            response.raise_for_status()
            Path(output_file).chmod(0o644)  # pooch makes a temporary file, which nobody else may read
            with Path(output_file).open("wb") as file, _bar(self._size, url) as bar:
                started = time.monotonic()
                for chunk in response.iter_content(_CHUNK):
                    file.write(chunk)
                    bar.update(len(chunk))
                    self._judge(file.tell(), time.monotonic() - started)

    def _judge(self, received: int, seconds: float) -> None:
        if received > self._size:
            raise FaultyServerError(f"sends more than the {self._size} bytes of the file")
        if seconds > PATIENCE and received < SLOWEST * seconds:
            raise FaultyServerError(f"is slow: {received} bytes in {seconds:.0f} s")


def _inspect(response: Any, **_: object) -> None:
    """Look at an answer before it is read and before a redirect is followed."""
    if response.is_redirect and not is_safe(urljoin(response.url, response.headers["location"])):
        raise FaultyServerError(f"redirects to {response.headers['location']}, which is not https")
    response.raw.headers.pop("Content-Encoding", None)


def _bar(size: int, url: str) -> Any:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of a notebook without ipywidgets: the bar is drawn as text then
        from tqdm.auto import tqdm
    return tqdm(total=size, unit="B", unit_scale=True, desc=url.rpartition("/")[2])
