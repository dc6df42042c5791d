"""What a user's code in a confined step tries against the host, and what is left of it when the step has ended."""

from __future__ import annotations

import json
import os
import secrets
from collections.abc import Callable
from pathlib import Path

import pytest

from litegate.errors import StepFailed
from litegate.execution.step_run import BadStepInput, StepRun
from litegate.settings import Settings
from tests.components.execution.sandbox.hosts import running

Sampling = Callable[..., StepRun]

TRY = """
import ctypes, json, resource
from litegate.execution.sandbox.syscalls import number_of
libc = ctypes.CDLL(None, use_errno=True)
theirs, secret, outside = {theirs!r}, {secret!r}, {outside!r}
def checked(result):
    if result < 0:
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))
def syscall(name, *arguments): checked(libc.syscall(number_of(name), *arguments))
said = {{}}
for attempt in {attempts!r}:
    try:
        exec(attempt)
        said[attempt] = "it worked"
    except OSError as error:
        said[attempt] = error.strerror
numbers = [name for name in os.listdir("/proc") if name.isdigit()]
said["processes"] = [Path("/proc", number, "cmdline").read_text() for number in numbers if number != "1"]
raise RuntimeError("[" + json.dumps(said) + "]")
"""

READ_ONLY, REFUSED, NOTHING = "Read-only file system", "Operation not permitted", "No such file or directory"
ATTEMPTS = {
    # attributes of files, which Landlock does not guard
    "os.chmod(theirs, 0o777)": READ_ONLY,
    "os.chmod(os.path.dirname(theirs), 0o777)": READ_ONLY,
    "os.utime(theirs, (0, 0))": READ_ONLY,
    "os.setxattr(theirs, 'user.mine', b'x')": READ_ONLY,
    "os.chown(theirs, 1, 1)": READ_ONLY,
    "os.chmod(secret, 0o644)": NOTHING,
    "os.utime(secret, (0, 0))": NOTHING,
    "os.setxattr(secret, 'user.mine', b'x')": NOTHING,
    "os.stat(secret)": NOTHING,
    # other processes
    "resource.prlimit(outside, resource.RLIMIT_NOFILE, (0, 0))": REFUSED,
    "resource.prlimit(1, resource.RLIMIT_NOFILE, (0, 0))": REFUSED,
    "os.kill(outside, 0)": "No such process",
    "os.setpriority(os.PRIO_PROCESS, outside, 19)": "No such process",
    "Path(f'/proc/{outside}/environ').read_bytes()": NOTHING,
    "Path('/proc/1/environ').read_bytes()": "Permission denied",
    "checked(libc.ptrace(16, outside, 0, 0))": REFUSED,
    "checked(libc.ptrace(16, 1, 0, 0))": REFUSED,
    "syscall('process_vm_readv', 1, 0, 0, 0, 0, 0)": REFUSED,
    "syscall('pidfd_getfd', 0, 0, 0)": REFUSED,
    # mounts and namespaces
    "checked(libc.mount(b'none', b'/tmp', b'tmpfs', 0, None))": REFUSED,
    "checked(libc.umount2(b'/tmp', 2))": REFUSED,
    "syscall('mount_setattr', -100, b'/usr', 0, 0, 0)": REFUSED,
    "checked(libc.unshare(0x10000000))": REFUSED,
    "checked(libc.unshare(0x20000000))": REFUSED,
    "checked(libc.setns(0, 0))": REFUSED,
    "syscall('clone', 0x10000000 | 17, 0, 0, 0, 0)": REFUSED,
    "syscall('clone3', 0, 0)": "Function not implemented",
    # large interfaces to the kernel
    "syscall('bpf', 0, 0, 0)": REFUSED,
    "syscall('io_uring_setup', 1, 0)": REFUSED,
    "syscall('keyctl', 0, 0, 0, 0, 0)": REFUSED,
    "syscall('perf_event_open', 0, 0, 0, 0, 0)": REFUSED,
    "syscall('userfaultfd', 0)": REFUSED,
    "syscall('open_by_handle_at', 0, 0, 0)": REFUSED,
    "checked(libc.personality(0))": REFUSED,
    "checked(libc.ioctl(0, 0x5412, b'x'))": REFUSED,
    "checked(libc.prctl(4, 0, 0, 0, 0))": REFUSED,
    # the system
    "Path('/proc/sys/kernel/core_pattern').write_text('x')": READ_ONLY,
    "Path('/proc/sys/vm/drop_caches').write_text('1')": READ_ONLY,
    "os.mknod('disk', 0o60600, os.makedev(254, 0))": "Permission denied",
}


def test_each_attempt_at_the_host_is_refused(sampling: Sampling, tmp_path: Path) -> None:
    secret = tmp_path / "home" / "secrets" / "jwt"
    secret.chmod(0o600)
    theirs = tmp_path / "theirs.py"
    statements = TRY.format(theirs=str(theirs), secret=str(secret), outside=os.getpid(), attempts=list(ATTEMPTS))
    step = sampling(statements.strip())
    before = [(path.stat(), os.listxattr(path)) for path in (secret, theirs)]
    with pytest.raises(BadStepInput) as caught:
        step.run()
    text = str(caught.value)
    (said,) = json.loads(text[text.index("[{") : text.rindex("}]") + 2])
    processes = said.pop("processes")
    assert {attempt: result for attempt, result in said.items() if result != ATTEMPTS[attempt]} == {}
    assert set(said) == set(ATTEMPTS)
    assert processes, "it sees itself"
    assert all("litegate.execution." in command for command in processes), "it sees nothing but the step"
    assert [(path.stat(), os.listxattr(path)) for path in (secret, theirs)] == before


def test_a_daemon_in_namespaces_of_its_own_ends_with_the_step(sampling: Sampling) -> None:
    mark = f"litegate-{secrets.token_hex(8)}"
    statements = f"""
if os.fork() == 0:
    os.setsid()
    if os.fork() == 0:
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        command = "unshare --net --pid --fork sleep 600; sleep 600; : {mark}"
        os.execv('/bin/sh', ['sh', '-c', command])
    os._exit(0)
def begun():
    for path in Path('/proc').glob('[0-9]*/cmdline'):
        try:
            if b'{mark}' in path.read_bytes():
                return True
        except OSError:  # it has ended meanwhile
            pass
while not begun():
    time.sleep(0.05)
"""
    assert sampling(statements.strip()).run().samples == 10
    assert not running(mark)


def test_shared_memory_of_system_v_does_not_stay(sampling: Sampling) -> None:
    key = secrets.randbelow(1 << 30) + 1
    statements = f"import ctypes\nassert ctypes.CDLL(None).shmget({key}, 1 << 20, 0o1666) >= 0"
    sampling(statements).run()
    assert str(key) not in {line.split()[0] for line in Path("/proc/sysvipc/shm").read_text().splitlines()}


def test_more_processes_than_it_may_have_end_the_step(sampling: Sampling, places: Settings) -> None:
    """Forks until the kernel refuses; the limit is checked from outside several times a second."""
    mark = f"litegate-{secrets.token_hex(8)}"
    statements = f"""
try:
    while os.fork():
        pass
    os.execv('/bin/sh', ['sh', '-c', 'sleep 600; : {mark}'])
except OSError:
    time.sleep(600)
"""
    with pytest.raises(StepFailed) as caught:
        sampling(statements.strip()).run()
    assert caught.value.kind == "too_many_processes"
    assert f"more than {64 + 4 * (os.cpu_count() or 1)} processes" in caught.value.detail
    assert not running(mark)
    assert not list(places.scratch.iterdir())


def test_more_threads_than_it_may_have_end_the_step(sampling: Sampling, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LITEGATE_PROCESS_LIMIT", "2")
    statements = f"""
import threading
threading.stack_size(1 << 16)
for _ in range({2 * (16 + (os.cpu_count() or 1)) + 10}):
    threading.Thread(target=time.sleep, args=(600,), daemon=True).start()
time.sleep(600)
"""
    with pytest.raises(StepFailed) as caught:
        sampling(statements.strip()).run()
    assert caught.value.kind == "too_many_processes"
    assert "threads" in caught.value.detail


@pytest.mark.parametrize(
    "statements",
    [
        "for number in range(200): Path(str(number)).write_bytes(bytes(1 << 19))",
        "for number in range(10_000): Path(str(number)).touch()",
        "for number in range(10): open(str(number), 'w').truncate(1 << 29)",
        "file = open('gone', 'wb')\nos.unlink('gone')\nfile.write(bytes(100 << 20))\nfile.flush()",
        "os.truncate(os.memfd_create('memory'), 5 << 30)",
        "for _ in range(100):\n    os.mkdir('inner')\n    os.chdir('inner')",
    ],
    ids=["real", "many", "sparse", "deleted", "in memory", "deep"],
)
def test_more_than_it_may_write_ends_the_step(
    sampling: Sampling, places: Settings, monkeypatch: pytest.MonkeyPatch, statements: str
) -> None:
    monkeypatch.setenv("LITEGATE_DISK_LIMIT", "64M")
    with pytest.raises(StepFailed) as caught:
        sampling(f"{statements}\ntime.sleep(600)").run()
    assert caught.value.kind == "disk_limit", caught.value.detail
    assert not list(places.scratch.iterdir())


def test_what_it_wrote_is_counted_at_its_end_too(sampling: Sampling, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LITEGATE_DISK_LIMIT", "64M")
    with pytest.raises(StepFailed, match=r"files took more than 0\.0625 GiB"):
        sampling("open('x', 'w').truncate(1 << 27)\nos._exit(0)").run()


def test_a_folder_that_cannot_be_deleted_is_deleted(sampling: Sampling, places: Settings) -> None:
    statements = """
for _ in range(1200):
    os.mkdir('inner')
    os.chdir('inner')
os.chmod('.', 0)
os._exit(7)
"""
    with pytest.raises(StepFailed):
        sampling(statements.strip()).run()
    assert not list(places.scratch.iterdir())
