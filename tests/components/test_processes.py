"""Ending what a process left behind."""

from __future__ import annotations

import subprocess
import sys

import pytest

from litegate.processes import end_namespaces, namespace_of

LEAVES = """
import time
from litegate.execution.sandbox.namespaces import NETWORK, leave, may_leave
may_leave()
leave(NETWORK)
print("left", flush=True)
time.sleep(600)
"""


def test_all_processes_of_a_namespace_are_ended_but_never_our_own() -> None:
    with subprocess.Popen([sys.executable, "-c", LEAVES], stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        if not process.stdout.readline():
            pytest.skip("this host gives no namespaces")
        own, other = namespace_of("net"), namespace_of("net", process.pid)
        assert own != other
        end_namespaces([namespace_of("pid"), own])
        assert process.poll() is None
        end_namespaces([namespace_of("pid"), other])
        assert process.wait() == -9
    assert namespace_of("net", process.pid) == ""
