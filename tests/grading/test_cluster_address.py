"""Which scheduler may be used, and what is said of one that may not, or that does not answer."""

import contextlib
import socket
import sys
import threading
import time

import pytest

from cnnlab import cli
from cnnlab.grading import cluster_client
from cnnlab.grading.cluster_address import ClusterError, Scheduler, is_loopback
from cnnlab.grading.fingerprint import Description, difference, identity


@pytest.mark.parametrize(
    "address", ["", "localhost:8786", "tcp://", "tcp://here", "http://127.0.0.1:1", "tcp://a:b", "inproc://x/1/2"]
)
def test_what_is_no_address_is_told_with_the_form_that_is_wanted(address):
    with pytest.raises(ClusterError, match="tcp://host:port or tls://host:port"):
        Scheduler(address).check()


@pytest.mark.parametrize("host", ["192.0.2.7", "0.0.0.0", "[2001:db8::1]", "no-such-host.invalid"])
def test_tcp_to_another_machine_is_refused_with_the_way_to_tls(host):
    address = f"tcp://{host}:8786"
    with pytest.raises(ClusterError, match=r"not encrypted.*--tls-ca-file.*--allow-unprotected-scheduler"):
        Scheduler(address).check()
    Scheduler(address, allow_unprotected=True).check()
    Scheduler(address.replace("tcp", "tls")).check()


@pytest.mark.parametrize("host", ["127.0.0.1", "127.8.9.1", "localhost", "[::1]"])
def test_tcp_on_this_machine_may_be_used(host):
    Scheduler(f"tcp://{host}:8786").check()


def test_a_host_is_loopback_only_when_all_its_addresses_are(monkeypatch):
    def both(*_):
        return [(None, None, None, "", ("127.0.0.1", 0)), (None, None, None, "", ("192.0.2.7", 0))]

    monkeypatch.setattr(socket, "getaddrinfo", both)
    assert not is_loopback("anything")


def test_who_listens_for_other_machines_is_refused():
    scheduler = Scheduler("tcp://127.0.0.1:8786")
    scheduler.check_listening("the scheduler", ["tcp://127.0.0.1:8786", "tls://192.0.2.7:1"], advice="stay")
    for wide in ("tcp://0.0.0.0:8786", "tcp://192.0.2.7:8786"):
        with pytest.raises(ClusterError, match=r"the scheduler listens at tcp://.*for other machines too: stay"):
            scheduler.check_listening("the scheduler", [wide], advice="stay")
    Scheduler("tcp://192.0.2.7:8786", allow_unprotected=True).check_listening("it", [wide], advice="")


def test_certificates_are_for_tls_and_must_be_there(tmp_path):
    with pytest.raises(ClusterError, match="--tls-cert is for an address that begins with tls://"):
        Scheduler("tcp://127.0.0.1:1", tls_cert=tmp_path / "cert.pem").check()
    with pytest.raises(ClusterError, match=r"there is no file .*cert.pem \(--tls-cert\)"):
        Scheduler("tls://127.0.0.1:1", tls_cert=tmp_path / "cert.pem").check()


def test_without_dask_the_way_to_install_it_is_told(monkeypatch):
    monkeypatch.setitem(sys.modules, "distributed", None)
    with pytest.raises(ClusterError, match=r"needs the package distributed: pip install 'cnnlab\[dask\]'"):
        cluster_client.ClusterClient(Scheduler("tcp://127.0.0.1:8786"))


@contextlib.contextmanager
def closed():
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
    yield port


@contextlib.contextmanager
def silent():
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield server.getsockname()[1]


@contextlib.contextmanager
def another_protocol():
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.settimeout(0.1)
        over = threading.Event()

        def answer():
            while not over.is_set():
                with contextlib.suppress(OSError), server.accept()[0] as connection:
                    connection.sendall(b"HTTP/1.1 400 Bad Request\r\n\r\n" * 20)

        thread = threading.Thread(target=answer)
        thread.start()
        try:
            yield server.getsockname()[1]
        finally:
            over.set()
            thread.join()


@pytest.mark.parametrize("nobody", [closed, silent, another_protocol])
def test_nobody_there_is_told_within_a_bounded_time(monkeypatch, capfd, nobody):
    pytest.importorskip("distributed")
    monkeypatch.setattr(cluster_client, "_CONNECT_SECONDS", 1.0)
    started = time.monotonic()
    with nobody() as port, pytest.raises(ClusterError, match=f"no Dask scheduler answers at tcp://127.0.0.1:{port} "):
        cluster_client.ClusterClient(Scheduler(f"tcp://127.0.0.1:{port}"))
    assert time.monotonic() - started < 20
    assert "Traceback" not in "".join(capfd.readouterr())


def test_tls_without_certificates_is_told(monkeypatch):
    pytest.importorskip("distributed")
    with pytest.raises(ClusterError, match=r"needs certificates.*distributed\.comm\.tls\.ca-file"):
        cluster_client.ClusterClient(Scheduler("tls://127.0.0.1:8786"))


def test_the_command_hands_over_its_options_and_tells_a_refusal_in_one_line(tmp_path, monkeypatch):
    (tmp_path / "exercises").mkdir()
    seen = {}
    from cnnlab.grading import commands

    def grade(_, *, scheduler, jobs, **__):
        seen.update(scheduler=scheduler, jobs=jobs)
        scheduler.check()

    monkeypatch.setattr(commands, "grade", grade)
    words = ["grade", "a1", "--course", str(tmp_path), "--scheduler", "tcp://192.0.2.7:8786", "--worker-wait", "5"]
    with pytest.raises(SystemExit, match=r"cnnlab: tcp://192\.0\.2\.7:8786 is not on this machine"):
        cli.main(words)
    assert seen == {"scheduler": Scheduler("tcp://192.0.2.7:8786", worker_wait=5.0), "jobs": None}


# ---- who would find the same ----


def test_the_same_machine_makes_no_difference():
    assert difference(identity(), Description.from_bytes(identity().to_bytes())) == ""


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"numpy": "1.26.4"}, "it has NumPy 1.26.4, and this run has NumPy "),
        ({"python": "3.9"}, "it has Python 3.9, and this run has Python "),
        ({"cnnlab": "9.0"}, "it has cnnlab 9.0, and this run has cnnlab "),
        ({"code": "0" * 64}, "has other files than the one of this run (content 000000000000, here "),
    ],
)
def test_each_difference_is_named(changed, said):
    from dataclasses import replace

    assert said in difference(replace(identity(), **changed), identity())


def test_the_digest_follows_content_and_place_and_not_what_python_compiles(tmp_path, monkeypatch):
    from cnnlab.grading import fingerprint

    monkeypatch.setattr(fingerprint.cnnlab, "__file__", str(tmp_path / "__init__.py"))
    digest = fingerprint.package_digest.__wrapped__
    (tmp_path / "checks").mkdir()
    (tmp_path / "checks" / "a.py").write_text("one")
    first = digest()
    (tmp_path / "checks" / "__pycache__").mkdir()
    (tmp_path / "checks" / "__pycache__" / "a.pyc").write_text("compiled")
    assert digest() == first
    (tmp_path / "checks" / "a.py").write_text("two")
    assert digest() != first
    (tmp_path / "checks" / "a.py").rename(tmp_path / "a.py")
    (tmp_path / "a.py").write_text("one")
    assert digest() != first
