from __future__ import annotations

import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from litegate.errors import BadInput
from litegate.stack.home import Home
from litegate.stack.ports import Asked, Ports, claimed, kept_ports, moves


@pytest.fixture
def home(tmp_path: Path) -> Home:
    home = Home(tmp_path / "home")
    home.prepare()
    return home


@contextmanager
def listening(port: int = 0) -> Iterator[int]:
    with socket.create_server(("127.0.0.1", port)) as server:
        yield server.getsockname()[1]


def test_the_usual_ports_are_below_those_of_outgoing_connections():
    first = int(Path("/proc/sys/net/ipv4/ip_local_port_range").read_text().split()[0])

    assert all(port < first for _, port in Ports())


def test_the_ports_of_one_start_are_those_of_the_next(home):
    with claimed(home) as first:
        pass
    with claimed(home) as second:
        assert second.ports == first.ports == kept_ports(home)


def test_a_port_that_a_server_has_is_passed_over_and_the_next_one_is_kept(home):
    with claimed(home) as before, listening(before.ports.airflow):
        pass
    with listening(before.ports.airflow), claimed(home) as claim:
        assert claim.ports.airflow > before.ports.airflow
        assert (claim.ports.mlflow, claim.ports.s3) == (before.ports.mlflow, before.ports.s3)
    assert kept_ports(home) == claim.ports
    (said,) = moves(before.ports, claim.ports)
    assert said.startswith(f"airflow was at port {before.ports.airflow} and is at {claim.ports.airflow} now")


def test_two_homes_that_start_at_once_get_different_ports(home, tmp_path):
    other = Home(tmp_path / "other")
    other.prepare()

    with claimed(home) as mine, claimed(other) as others:
        assert not {port for _, port in mine.ports} & {port for _, port in others.ports}


def test_the_claim_lives_as_long_as_the_process_that_has_it(home, tmp_path):
    """The command that starts a stack ends long before the stack's supervisor."""
    other = Home(tmp_path / "other")
    other.prepare()
    with claimed(home) as claim:
        command = [sys.executable, "-c", "input()"]
        supervisor = subprocess.Popen(command, stdin=subprocess.PIPE, pass_fds=claim.descriptors)
    with supervisor:
        with claimed(other) as others:
            assert others.ports.airflow != claim.ports.airflow
        supervisor.communicate(b"\n")
    with claimed(home) as again:
        assert again.ports == claim.ports


def test_a_port_that_is_left_with_old_connections_is_taken_again(home):
    """What a server that has ended leaves in TIME_WAIT keeps no server out."""
    with claimed(home) as claim, listening(claim.ports.mlflow) as port:
        pass
    with socket.create_server(("127.0.0.1", port)) as server:
        client = socket.create_connection(server.getsockname())
        accepted, _ = server.accept()
        accepted.close()  # who closes first keeps the port for a while
        client.close()
    with claimed(home) as again:
        assert again.ports.mlflow == port


def test_a_port_that_is_asked_for_is_used_kept_or_refused(home):
    with listening() as taken, pytest.raises(BadInput) as refused, claimed(home, Asked(mlflow=taken)):
        pass
    assert str(refused.value) == f"--mlflow-port: expected a free port, got {taken}, which another server has"
    with claimed(home, Asked(mlflow=taken)) as claim:
        assert claim.ports.mlflow == taken
    with claimed(home) as later:
        assert later.ports.mlflow == taken


@pytest.mark.parametrize("text", [None, "", "{}}", '{"airflow": "no"}'])
def test_a_home_without_a_readable_record_has_no_ports(text, home):
    if text is not None:
        home.ports.write_text(text)

    assert kept_ports(home) is None
    assert moves(None, Ports()) == []
