"""What a user's code in a confined step tries in vain, and what it may still do."""

from __future__ import annotations

import logging
import os
import socket
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from litegate.errors import BadInput, StepFailed
from litegate.execution.step_run import BadStepInput, StepRun
from litegate.settings import Settings
from tests.components.execution.sandbox.hosts import running

Sampling = Callable[..., StepRun]


@pytest.fixture
def listener() -> Iterator[int]:
    """The port of a server on the loopback address."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield server.getsockname()[1]


@pytest.mark.parametrize(
    ("statements", "message"),
    [
        ("socket.create_connection(('127.0.0.1', {port}))", "Permission denied|unreachable"),
        ("socket.socket(socket.AF_INET, socket.SOCK_DGRAM).sendto(b'x', ('127.0.0.1', {port}))", "unreachable"),
        ("socket.socket(socket.AF_NETLINK)", "Operation not permitted"),
        ("socket.getaddrinfo('example.com', 80)", "gaierror"),
        ("Path({home!r}, 'secrets', 'jwt').read_text()", "No such file"),
        ("Path({home!r}, 'cache', 'files', 'other').read_text()", "No such file"),
        ("Path({home!r}, 'cache', 'objects', 'other').read_text()", "No such file"),
        ("next(Path({home!r}, 'workspace', 'files').iterdir()).read_bytes()", "No such file"),
        ("list(Path('/').iterdir())", "Permission denied"),
        ("Path('/etc/shadow').read_text()", "No such file"),
        ("Path({user!r}, 'theirs.py').write_text('x')", "Read-only file system|Permission denied"),
        ("Path({user!r}, 'new').write_text('x')", "Read-only file system|Permission denied"),
        ("Path({user!r}, 'data', 'train.npz').unlink()", "Read-only file system|Permission denied"),
        ("Path({user!r}, 'link').symlink_to('/')", "Read-only file system|Permission denied"),
        ("os.link({user!r} + '/theirs.py', 'mine')", "ross-device"),
        ("os.chroot('.')", "Operation not permitted"),
        ("subprocess.run([{user!r} + '/script'])", "Permission denied"),
        ("sys.exit(os.system('touch ' + {user!r} + '/new') or 'it worked')", "no_result|python_error"),
    ],
)
def test_what_is_not_its_own_is_out_of_reach(
    sampling: Sampling, listener: int, tmp_path: Path, places: Settings, statements: str, message: str
) -> None:
    for name in ("files", "objects"):
        (places.cache / name).mkdir(parents=True)
        (places.cache / name / "other").write_text("another run's")
    (tmp_path / "script").write_text("#!/bin/sh\n")
    (tmp_path / "script").chmod(0o755)
    step = sampling(statements.format(port=listener, home=str(tmp_path / "home"), user=str(tmp_path)))
    with pytest.raises((BadStepInput, StepFailed), match=message):
        step.run()
    assert not (tmp_path / "new").exists()
    assert not (tmp_path / "link").is_symlink()
    assert not list(places.scratch.iterdir()), "nothing is left behind"


def test_no_secret_is_in_its_environment(sampling: Sampling, monkeypatch: pytest.MonkeyPatch) -> None:
    names = ("AWS_SECRET_ACCESS_KEY", "MLFLOW_TRACKING_TOKEN", "AIRFLOW__API_AUTH__JWT_SECRET", "MY_DATABASE_PASSWORD")
    for name in names:
        monkeypatch.setenv(name, "secret")
    with pytest.raises(BadStepInput, match=r"seen: \[\]"):
        sampling(f"raise RuntimeError('seen: ' + str([n for n in {names} if n in os.environ]))").run()


def test_what_it_needs_is_there(sampling: Sampling, caplog: pytest.LogCaptureFixture) -> None:
    """Its own folder, its own module's folder, programs, temporary files and shared memory."""
    statements = """
import multiprocessing, tempfile
Path('mine').write_text('x')
tempfile.mkstemp()
Path(__file__).read_text()
list(Path(__file__).parent.iterdir())
multiprocessing.get_context('spawn').Lock()
assert subprocess.run([sys.executable, '-c', 'print(1)'], capture_output=True, check=True).stdout == b'1\\n'
assert Path.home() == Path.cwd() == Path(tempfile.gettempdir())
Path('/tmp/theirs').write_text('x')
Path('/dev/null').write_text('x')
assert len(os.urandom(3)) == len(Path('/dev/zero').open('rb').read(3)) == 3
assert (os.cpu_count(), len(os.sched_getaffinity(0))) == CORES
""".replace("CORES", str((os.cpu_count(), len(os.sched_getaffinity(0)))))
    with caplog.at_level(logging.WARNING):
        assert sampling(statements.strip()).run().samples == 10
    assert "not isolated" not in caplog.text


@pytest.mark.parametrize(
    ("statements", "kind", "detail"),
    [
        ("np.ones((200, 1 << 30))", "out_of_memory", "Unable to allocate"),
        ("kept = [bytearray(1 << 26) for _ in range(1000)]", "out_of_memory", "MemoryError"),
        ("while True: pass", "timeout", "no result after 5 s"),
        ("os.kill(os.getpid(), signal.SIGSEGV)", "segfault", "SIGSEGV"),
    ],
)
def test_a_users_code_cannot_take_more_than_the_step_has(
    sampling: Sampling, monkeypatch: pytest.MonkeyPatch, statements: str, kind: str, detail: str
) -> None:
    monkeypatch.setenv("LITEGATE_TIME_LIMIT", "5" if kind == "timeout" else "120")
    monkeypatch.setenv("LITEGATE_MEMORY_LIMIT", "1.5G")
    with pytest.raises(StepFailed) as caught:
        sampling(statements).run()
    assert caught.value.kind == kind
    assert detail in caught.value.detail


def test_what_leaves_the_session_is_ended_with_the_step(sampling: Sampling, caplog: pytest.LogCaptureFixture) -> None:
    statements = """
command = ['/bin/sh', '-c', 'sleep 600 && echo litegate-leaves']
print('number', subprocess.Popen(command, start_new_session=True).pid, flush=True)
"""
    with caplog.at_level(logging.INFO, "litegate"):
        sampling(statements.strip()).run()
    assert len([message for message in caplog.messages if message.startswith("number ")]) == 10
    assert not running("litegate-leaves")


def test_a_hidden_folder_cannot_be_opened(sampling: Sampling, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    secrets = tmp_path / "home" / "secrets"
    monkeypatch.setenv("LITEGATE_READABLE", str(secrets))
    with pytest.raises(BadInput, match=f"^{secrets}: expected a place that steps may read, got one in .*/home"):
        sampling().run()


def test_the_file_of_the_signing_key_is_empty_for_every_confined_step(
    sampling: Sampling, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    key = tmp_path / "key.pem"  # beside the code that the spec names
    key.write_text("the key")
    lines = ("try:", f"    found = Path({str(key)!r}).read_text()", "except OSError:", "    found = ''")
    step = sampling("\n".join((*lines, "assert not found")))
    with pytest.raises(BadStepInput, match="AssertionError"):
        step.run()
    monkeypatch.setenv("LITEGATE_SIGNING_KEY", str(key))
    assert step.run().samples == 10


def test_more_folders_can_be_opened(sampling: Sampling, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    other = tmp_path.parent / f"{tmp_path.name}-other"
    other.mkdir()
    (other / "mean.txt").write_text("0.5")
    statements = f"assert Path({str(other)!r}, 'mean.txt').read_text() == '0.5'"
    with pytest.raises(BadStepInput, match="No such file"):
        sampling(statements).run()
    monkeypatch.setenv("LITEGATE_READABLE", str(other))
    assert sampling(statements).run().samples == 10


def test_a_link_of_the_data_set_leads_to_its_data(sampling: Sampling, tmp_path: Path, data: Path) -> None:
    hidden = tmp_path.parent / f"{tmp_path.name}-elsewhere.npz"
    data.rename(hidden)
    data.symlink_to(hidden)
    assert sampling(uri=str(data), code=False).run().samples == 10


def test_isolation_can_be_required(sampling: Sampling, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LITEGATE_ISOLATION", "required")
    assert sampling().run().samples == 10


def test_children_find_no_file_descriptors_of_their_parent(sampling: Sampling) -> None:
    with open(os.devnull) as file:  # noqa: PTH123
        os.set_inheritable(file.fileno(), True)
        sampling(f"assert not Path('/proc/self/fd/{file.fileno()}').exists() or {file.fileno()} < 3").run()
