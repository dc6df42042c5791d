"""The layers that a process confines itself with, one by one, and what is said where the kernel refuses one."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from litegate.execution.sandbox.files import visible
from litegate.execution.sandbox.kernel import kernel_version
from litegate.execution.sandbox.landlock import version

BEGIN = """
import os, socket, sys
from litegate.execution.sandbox import Confinement, confining, namespaces
def refuse(*arguments, **named): raise PermissionError(1, "Operation not permitted")
def refuse_namespaces(*kinds):
    leave = confining.leave
    confining.leave = lambda kind: refuse() if kind in kinds else leave(kind)
def confine(**changes):
    os.chdir(sys.argv[1])
    given = dict(parent=os.getppid(), memory=1 << 32, file_size=1 << 30, confined=True, write=(sys.argv[1],))
    return confining.confine(Confinement(**(given | changes)))
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
    assert list(tmp_path.iterdir()) == []


def test_without_a_network_of_its_own_there_are_no_sockets(tmp_path: Path) -> None:
    code = """
refuse_namespaces(namespaces.NETWORK)
print(*confine())
print(tried(socket.socket))
print(tried(socket.socketpair))
"""
    assert run(code, tmp_path).splitlines() == [
        "no network namespace (Operation not permitted): Internet sockets are refused instead",
        "Operation not permitted",
        "worked",
    ]


@pytest.mark.skipif(version() < 4, reason="the kernel's Landlock knows no network")
def test_without_a_network_of_its_own_and_a_filter_tcp_is_closed(tmp_path: Path) -> None:
    code = """
server = socket.create_server(("127.0.0.1", 0))
refuse_namespaces(namespaces.NETWORK)
confining.refuse_calls = refuse
print(*confine(), sep="\\n")
print(tried(socket.create_connection, server.getsockname()))
"""
    assert run(code, tmp_path).splitlines() == [
        "no network namespace (Operation not permitted): TCP alone is closed",
        "no seccomp filter (Operation not permitted): all system calls can be made",
        "Permission denied",
    ]


def test_without_landlock_the_rest_is_applied(tmp_path: Path) -> None:
    code = """
server = socket.create_server(("127.0.0.1", 0))
confining.close_files = refuse
print(*confine())
print(tried(socket.create_connection, server.getsockname()))
print(tried(os.chmod, sys.executable, 0o777))
print(tried(os.listdir, sys.argv[1] + "/.."))
"""
    said, connected, changed, listed = run(code, tmp_path).splitlines()
    assert said == "no Landlock (Operation not permitted): mounts alone close files"
    assert (connected, changed, listed) == ("Network is unreachable", "Read-only file system", "worked")


@pytest.mark.skipif(version() < 1, reason="the kernel has no Landlock")
def test_without_private_mounts_landlock_closes_files(tmp_path: Path) -> None:
    code = """
refuse_namespaces(namespaces.MOUNTS)
print(*confine())
for call in ((os.listdir, "/etc"), (os.listdir, "/tmp"), (os.mkdir, "/tmp/litegate-was-here")):
    print(tried(*call))
"""
    said, *denied = run(code, tmp_path).splitlines()
    assert said == (
        "no private mounts (Operation not permitted): modes, owners, times and attributes of files can be changed, "
        "and other processes be seen; "
        "/dev/shm is shared with the host"
    )
    assert denied == ["Permission denied"] * 3


def test_a_root_that_cannot_be_made_leaves_shared_memory_of_its_own(tmp_path: Path) -> None:
    code = """
from litegate.execution.sandbox import mounts
syscall = mounts.syscall
mounts.syscall = lambda name, *given: refuse() if name == "pivot_root" else syscall(name, *given)
print(*confine())
print(os.listdir("/dev/shm"), os.listdir("."), tried(os.mkdir, "/dev/shm/mine"))
"""
    said, left = run(code, tmp_path).splitlines()
    assert said.startswith("no private mounts (Operation not permitted): ")
    assert "/dev/shm" not in said
    assert left == "[] [] worked"


def test_without_processes_of_its_own_what_it_leaves_behind_is_ended(tmp_path: Path) -> None:
    code = """
import subprocess
refuse_namespaces(namespaces.PROCESSES)
print(*confine())
print(subprocess.Popen(["/bin/sleep", "600"], start_new_session=True, stdout=subprocess.DEVNULL).pid)
"""
    said, number = run(code, tmp_path).splitlines()
    assert said == "no process namespace (Operation not permitted): other processes can be seen"
    assert not Path("/proc", number).exists()


@pytest.mark.parametrize(
    ("and_no_filter", "left"),
    [("", "System V's memory is refused"), ("confining.refuse_calls = refuse", "System V's memory is shared")],
)
def test_without_an_ipc_namespace_shared_memory_is_refused(tmp_path: Path, and_no_filter: str, left: str) -> None:
    code = f"""
import ctypes
refuse_namespaces(namespaces.IPC)
{and_no_filter}
print(*confine())
libc = ctypes.CDLL(None)
found = libc.shmget(0, 4096, 0o1600)
print(found if found < 0 else libc.shmctl(found, 0, None))
"""
    said, done = run(code, tmp_path).splitlines()
    assert said.startswith(f"no IPC namespace (Operation not permitted): {left}")
    assert done == ("0" if and_no_filter else "-1")


def test_without_anything_all_of_it_is_said(tmp_path: Path) -> None:
    code = """
confining.leave = confining.may_leave = confining.close_files = confining.refuse_calls = refuse
print(*confine(), sep="\\n")
"""
    said = run(code, tmp_path)
    assert [line.split(" (")[0] for line in said.splitlines()] == [
        "no network namespace",
        "no private mounts",
        "no process namespace",
        "no IPC namespace",
        "no seccomp filter",
        "no Landlock",
    ]
    assert "the network is open" in said


def test_nothing_that_root_may_do_is_left(tmp_path: Path) -> None:
    code = """
confine()
status = open("/proc/self/status").read()
fields = dict(line.split(":\\t") for line in status.splitlines())
print(fields["NoNewPrivs"], all(int(fields[name], 16) & ~2 == 0 for name in ("CapPrm", "CapEff", "CapBnd", "CapInh")))
"""
    assert run(code, tmp_path) == "1 True"


@pytest.mark.skipif(kernel_version() < (6, 14), reason="the limit is the host's")
def test_the_kernel_limits_the_process_ids_of_the_step_alone(tmp_path: Path) -> None:
    host = Path("/proc/sys/kernel/pid_max").read_text()
    said = run("confine(processes=20)\nprint(open('/proc/sys/kernel/pid_max').read())", tmp_path)
    assert int(said) == max(301, 2 * 20 * (16 + (os.cpu_count() or 1)))
    assert Path("/proc/sys/kernel/pid_max").read_text() == host


def test_a_process_whose_parent_has_ended_ends(tmp_path: Path) -> None:
    done = subprocess.run([sys.executable, "-c", BEGIN + "confine(parent=1)", tmp_path], check=False)
    assert done.returncode == -9


def test_it_writes_in_its_folder_alone(tmp_path: Path) -> None:
    (tmp_path / "own").mkdir()
    code = """
confine(write=(sys.argv[1] + "/own",))
for path in ("own/file", "file"):
    print(tried(lambda: open(sys.argv[1] + "/" + path, "w").close()))
os.chdir(sys.argv[1] + "/own")
for call in ((os.mkfifo, "pipe"), (os.mkdir, "folder"), (os.rename, "file", "folder/file")):
    print(tried(*call))
"""
    said = run(code, tmp_path).splitlines()
    assert (said[0], said[2:]) == ("worked", ["Permission denied", "worked", "worked"])
    assert not (tmp_path / "file").exists(), "if it could be written, then in a /tmp of its own"
    assert (tmp_path / "own" / "folder" / "file").exists()


def test_what_is_hidden_is_taken_out_of_the_folder_around_it(tmp_path: Path) -> None:
    for name in ("a/secrets/key", "a/code.py", "b/code.py"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).touch()
    (tmp_path / "link").symlink_to(tmp_path / "a" / "secrets")
    secrets = str(tmp_path / "a" / "secrets")
    found = {Path(path).relative_to(tmp_path).as_posix(): listed for path, listed in visible(str(tmp_path), [secrets])}
    assert found == {".": True, "a": True, "a/code.py": False, "b": False}
    assert list(visible(secrets, [secrets])) == []


@pytest.mark.parametrize("layer", ["mounts", "Landlock"])
def test_what_is_hidden_stays_so_whoever_names_it(tmp_path: Path, layer: str) -> None:
    """As a file or a folder, by its path, by a link or around it; each of the two layers by itself."""
    for name in ("work", "home/secrets", "home/cache/files", "home/dags", "code"):
        (tmp_path / name).mkdir(parents=True)
    for name in ("home/secrets/key", "home/cache/files/aa", "home/cache/files/bb", "home/dags/code.py", "code/token"):
        (tmp_path / name).write_text("text")
    (tmp_path / "code/link").symlink_to(tmp_path / "home/secrets")
    (tmp_path / "home/cache/files/cc").symlink_to(tmp_path / "home/secrets/key")
    code = """
root = sys.argv[1]
at = lambda *names: tuple(f"{root}/{name}" for name in names)
OTHER_LAYER
confine(
    write=at("work"),
    read=at("code", "home", "home/secrets", "home/secrets/key", "code/link/key", "home/dags", "code/token"),
    opened=at("home/cache/files/aa", "home/cache/files/cc", "home/secrets/key", "home/cache/files",
              "home/cache/files/../../secrets/key", "code/token"),
    hidden=at("home", "code/token"), shown=at("home/dags"), shelves=at("home/cache/files"),
)
for name in ("home/secrets/key", "code/link/key", "code/token", "home/cache/files/bb", "home/cache/files/cc",
             "home/cache/files/aa", "home/dags/code.py"):
    print(name, tried(lambda: open(f"{root}/{name}").close()))
""".replace(
        "OTHER_LAYER",
        "confining.close_files = refuse" if layer == "mounts" else "refuse_namespaces(namespaces.MOUNTS)",
    )
    said = dict(line.split(" ", 1) for line in run(code, tmp_path).splitlines())
    assert {name for name, result in said.items() if result == "worked"} == {"home/cache/files/aa", "home/dags/code.py"}
    assert {*said.values()} <= {"worked", "Permission denied", "No such file or directory"}
