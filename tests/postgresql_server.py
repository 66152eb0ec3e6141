"""A real PostgreSQL server for the tests of several areas, which they start and end themselves."""

import contextlib
import os
import pwd
import shutil
import signal
import subprocess
import tempfile
import time
from pathlib import Path

import pytest

PASSWORD = "se%40cret of the tests"


def _binaries():
    """Return the folder of PostgreSQL's programs: Debian keeps them off PATH."""
    found = shutil.which("initdb")
    folders = [Path(found).parent] if found else []
    folders += sorted(Path("/usr/lib/postgresql").glob("*/bin"), key=lambda path: -float(path.parent.name))
    return next((folder for folder in folders if (folder / "initdb").exists() and (folder / "postgres").exists()), None)


def _other_user():
    """Return an ordinary user: the server refuses to run as root."""
    for name in ("postgres", "nobody"):
        with contextlib.suppress(KeyError):
            return pwd.getpwnam(name)
    return None


class Server:
    """A PostgreSQL server in a temporary folder, reached through a Unix socket and nothing else."""

    def __init__(self, folder, binaries, drop):
        self.folder, self._binaries, self._drop = folder, binaries, drop
        self._child = None
        self._count = 0

    def start(self):
        data = self.folder / "data"
        if not data.exists():
            (self.folder / "password").write_text(PASSWORD, encoding="utf-8")
            options = ["--username=teacher", "--auth=scram-sha-256", f"--pwfile={self.folder / 'password'}"]
            options += ["--encoding=UTF8", "--locale=C", "--no-sync", f"--pgdata={data}"]
            command = [self._binaries / "initdb", *options]
            subprocess.run(command, check=True, capture_output=True, timeout=120, cwd=self.folder, **self._drop)
        settings = [f"unix_socket_directories={self.folder}", "listen_addresses=", "fsync=off"]
        options = [word for setting in settings for word in ("-c", setting)]
        with (self.folder / "log").open("ab") as log:
            command = [self._binaries / "postgres", "-D", data, *options]
            self._child = subprocess.Popen(command, stdout=log, stderr=log, cwd=self.folder, **self._drop)
        deadline = time.monotonic() + 60
        while True:
            try:
                self.run("select 1")
            except Exception:
                if time.monotonic() > deadline or self._child.poll() is not None:
                    raise AssertionError((self.folder / "log").read_text()) from None
                time.sleep(0.1)
            else:
                return

    def stop(self, how=signal.SIGQUIT):
        if self._child is not None and self._child.poll() is None:
            self._child.send_signal(how)
            self._child.wait(60)

    def connect(self, database="postgres"):
        import psycopg

        return psycopg.connect(
            host=str(self.folder), user="teacher", password=PASSWORD, dbname=database, autocommit=True
        )

    def run(self, statement, database="postgres"):
        with contextlib.closing(self.connect(database)) as connection:
            cursor = connection.execute(statement)
            return cursor.fetchall() if cursor.description else None

    def database(self, template="template1"):
        """Make a database, and return its name."""
        self._count += 1
        name = f"grades_{self._count}"
        self.run(f"create database {name} template {template}")
        return name

    def url(self, database):
        """Return an address without a password, which comes from PGPASSWORD."""
        return f"postgresql+psycopg://teacher@/{database}?host={self.folder}"


@pytest.fixture(scope="session")
def server():
    """Return a running PostgreSQL server, or skip and say what is missing."""
    pytest.importorskip("psycopg", reason="psycopg is not installed: pip install 'cnnlab[postgresql]'")
    binaries = _binaries()
    if binaries is None:
        pytest.skip("PostgreSQL's server is not installed (Debian: apt install postgresql)")
    folder = Path(tempfile.mkdtemp(prefix="cnnlab-pg-"))  # short: the path of a socket has 107 bytes
    drop = {}
    if os.geteuid() == 0:
        user = _other_user()
        if user is None:
            pytest.skip("PostgreSQL refuses to run as root, and there is no other user here")
        os.chown(folder, user.pw_uid, user.pw_gid)
        drop = {"user": user.pw_uid, "group": user.pw_gid, "extra_groups": []}
    running = Server(folder, binaries, drop)
    try:
        running.start()
        yield running
    finally:
        running.stop()
        shutil.rmtree(folder, ignore_errors=True)
