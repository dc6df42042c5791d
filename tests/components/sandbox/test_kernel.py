"""The parts that a process confines itself with, one by one, and what is said where the kernel refuses one."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from litegate.sandbox.files import visible
from litegate.sandbox.landlock import version

BEGIN = """
import os, socket, sys
from litegate.sandbox import Confinement
from litegate.sandbox import __main__ as sandbox
from litegate.sandbox import namespaces
def refuse(*arguments): raise PermissionError(1, "Operation not permitted")
def confine(**changes):
    given = dict(parent=os.getppid(), memory=1 << 32, file_size=1 << 30, confined=True, write=(sys.argv[1],))
    return sandbox.confine(Confinement(**(given | changes)))
def tried(call, *arguments):
    try:
        call(*arguments)
    except OSError as error:
        return error.strerror
    return "worked"
"""


def run(code: str, folder: Path) -> str:
    done = subprocess.run([sys.executable, "-c", BEGIN + code, folder], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def test_everything_is_applied_here(tmp_path: Path) -> None:
    assert run("print(confine())", tmp_path) == "()"


@pytest.mark.skipif(version() < 4, reason="the kernel's Landlock knows no network")
def test_without_a_network_of_its_own_tcp_is_closed(tmp_path: Path) -> None:
    code = """
server = socket.create_server(("127.0.0.1", 0))
sandbox.leave_network = refuse
print(*confine())
print(tried(socket.create_connection, server.getsockname()))
"""
    assert run(code, tmp_path).splitlines() == [
        "no network namespace (Operation not permitted): TCP alone is closed",
        "Permission denied",
    ]


def test_without_landlock_the_rest_is_applied(tmp_path: Path) -> None:
    code = """
server = socket.create_server(("127.0.0.1", 0))
sandbox.close_files = refuse
print(*confine())
print(tried(socket.create_connection, server.getsockname()))
"""
    said, tried = run(code, tmp_path).splitlines()
    assert said == "no Landlock (Operation not permitted): files are as open as they are to the user"
    assert tried == "Network is unreachable"


def test_without_both_that_is_said(tmp_path: Path) -> None:
    said = run("sandbox.leave_network = sandbox.close_files = refuse\nprint(*confine(), sep='|')", tmp_path)
    assert [part.split(" (")[0] for part in said.split("|")] == ["no network namespace", "no Landlock"]
    assert "the network is open" in said


def test_who_is_not_root_leaves_the_network_in_a_user_namespace(tmp_path: Path) -> None:
    code = """
PR_SET_DUMPABLE = 4
if os.geteuid() == 0:
    os.setresgid(12345, 12345, 12345)
    os.setresuid(12345, 12345, 12345)
    namespaces.prctl(PR_SET_DUMPABLE, 1)  # as after starting a program
user = os.geteuid()
try:
    assert namespaces.leave_network()
except OSError as error:
    print("refused", error)
else:
    assert os.geteuid() == user != 0
    print(tried(socket.socket().connect, ("127.0.0.1", 9)))
"""
    said = run(code, tmp_path)
    if said.startswith("refused"):
        pytest.skip(f"this host has no user namespaces: {said}")
    assert said == "Network is unreachable"


def test_nothing_that_root_may_do_is_left(tmp_path: Path) -> None:
    code = """
confine()
status = open("/proc/self/status").read()
fields = dict(line.split(":\\t") for line in status.splitlines())
print(fields["NoNewPrivs"], all(int(fields[name], 16) & ~2 == 0 for name in ("CapPrm", "CapEff", "CapBnd", "CapInh")))
"""
    assert run(code, tmp_path) == "1 True"


def test_a_process_whose_parent_has_ended_ends(tmp_path: Path) -> None:
    done = subprocess.run([sys.executable, "-c", BEGIN + "confine(parent=1)", tmp_path], check=False)
    assert done.returncode == -9


@pytest.mark.skipif(version() < 1, reason="the kernel has no Landlock")
def test_it_writes_in_its_folder_alone(tmp_path: Path) -> None:
    (tmp_path / "own").mkdir()
    code = """
os.chdir(sys.argv[1])
confine(write=("own",))
for path in ("own/file", "file"):
    print(tried(lambda: open(path, "w").close()))
for call in ((os.mkfifo, "own/pipe"), (os.mkdir, "own/folder"), (os.rename, "own/file", "own/folder/file")):
    print(tried(*call))
"""
    assert run(code, tmp_path).splitlines() == ["worked", "Permission denied", "Permission denied", "worked", "worked"]


def test_what_is_hidden_is_taken_out_of_the_folder_around_it(tmp_path: Path) -> None:
    for name in ("a/secrets/key", "a/code.py", "b/code.py"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).touch()
    (tmp_path / "link").symlink_to(tmp_path / "a" / "secrets")
    secrets = str(tmp_path / "a" / "secrets")
    found = {Path(path).relative_to(tmp_path).as_posix(): listed for path, listed in visible(str(tmp_path), [secrets])}
    assert found == {".": True, "a": True, "a/code.py": False, "b": False}
    assert list(visible(secrets, [secrets])) == []
    assert list(visible(f"{secrets}/key", [secrets])) == [(f"{secrets}/key", False)]
