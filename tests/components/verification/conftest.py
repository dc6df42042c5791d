"""A version as the pipeline registers and promotes it, on a real MLflow server, signed; and ways to tamper with it."""

from __future__ import annotations

import json
import sqlite3
import uuid
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat

from litegate.cli.main import main
from litegate.execution.step_run import StepRun
from litegate.pipeline.local import LocalRun
from litegate.pipeline.promotion import Asking, promote_request
from litegate.pipeline.requests import register_request
from litegate.records import Position, ResolveRequest, RunResult
from litegate.settings import SIGNING_KEY, Settings
from litegate.spec import parse_spec
from litegate.steps import STEPS
from litegate.tracking.ledger import Ledger
from tests.servers import MlflowServer

UPDATE = "UPDATE params SET value = ? WHERE key = ? AND run_uuid = ?"


@dataclass(frozen=True)
class Keys:
    """A pair of keys as PEM files."""

    private: Path
    public: Path


def new_keys(folder: Path) -> Keys:
    key = Ed25519PrivateKey.generate()
    private, public = folder / "private.pem", folder / "public.pem"
    private.write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    public.write_bytes(key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo))
    return Keys(private, public)


@dataclass(frozen=True)
class Registered:
    """A registered version, the servers that hold it, and the keys that it was signed with."""

    name: str
    result: RunResult
    request: Any
    keys: Keys
    places: Settings
    server: MlflowServer

    @property
    def variant(self) -> str:
        return self.result.selected.variant

    def artifact(self, name: str) -> Path:
        """An artifact of the run with the verdict, where the server has it."""
        run_id = next(row.mlflow_run_id for row in self.result.variants if row.variant == self.variant)
        (path,) = self.server.artifacts.rglob(f"{run_id}/artifacts/{name}")
        return path

    def outcomes(self) -> Path:
        """The file with the outcome of every sample, where the workspace has it."""
        (own,) = [each for each in self.request.candidates if each.artifact.variant == self.variant]
        return Path(self.places.workspace, "files", own.evaluated.outcomes.digest)

    @contextmanager
    def database(self) -> Iterator[sqlite3.Connection]:
        """MLflow's own, behind its back."""
        with closing(sqlite3.connect(self.server.artifacts.parent / "mlflow.db", timeout=30)) as database, database:
            yield database

    @contextmanager
    def changed_entry(self, number: int, change: Callable[[dict[str, Any]], None]) -> Iterator[None]:
        """With another text in an entry of the ledger."""
        key = f"entry-{number:05d}"
        with self.database() as database:
            wanted = "SELECT run_uuid, value FROM params WHERE key = ? AND value LIKE ?"  # others have ledgers here too
            ((run, text),) = database.execute(wanted, (key, f'%"{self.name}"%')).fetchall()
            entry = json.loads(text)
            change(entry)
            database.execute(
                "UPDATE params SET value = ? WHERE key = ? AND run_uuid = ?", (json.dumps(entry), key, run)
            )
        try:
            yield
        finally:
            with self.database() as database:
                database.execute("UPDATE params SET value = ? WHERE key = ? AND run_uuid = ?", (text, key, run))


@contextmanager
def changed(path: Path, content: bytes) -> Iterator[None]:
    """With other bytes in a file."""
    before = path.read_bytes()
    assert content != before
    path.write_bytes(content)
    try:
        yield
    finally:
        path.write_bytes(before)


@contextmanager
def without(path: Path) -> Iterator[None]:
    """As if a file had been deleted."""
    before = path.read_bytes()
    path.unlink()
    try:
        yield
    finally:
        path.write_bytes(before)


def register_signed(
    models: Path, places: Settings, server: MlflowServer, keys: Keys, **keys_of_spec: Any
) -> Registered:
    """Run the pipeline, register what it selects, and promote it, with a key that signs if the environment has one."""
    name = f"kws-{uuid.uuid4().hex[:8]}"
    data = {"format": "npz"}
    given = {
        "model": {"name": name, "uri": str(models / "keras3.keras")},
        "calibration": data | {"uri": str(models / "calibration.npz"), "samples": 100},
        "evaluation": data | {"uri": str(models / "test.npz")},
        "variants": ["int8", "dynamic_range"],
        "gate": {"max_drop": 0.05},
    }
    spec = parse_spec(given | keys_of_spec)
    results = LocalRun(ResolveRequest(spec=spec, folder=str(models)), places).run()
    request = register_request(results, f"quantize/{name}", {})
    result: RunResult = StepRun(STEPS["register"], request, places).run()
    asking = Asking("test", f"quantize/{name}", "2026-01-01T00:00:00+00:00", None)
    StepRun(STEPS["promote"], promote_request(spec, result, Position(entries=0), asking), places).run()
    return Registered(name, result, request, keys, places, server)


@pytest.fixture(scope="module")
def keys(tmp_path_factory: pytest.TempPathFactory) -> Keys:
    return new_keys(tmp_path_factory.mktemp("keys"))


@pytest.fixture(scope="module")
def registered(
    models: Path, places: Settings, mlflow_server: MlflowServer, mlflow_url: str, keys: Keys, warm_service: Path
) -> Iterator[Registered]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv(SIGNING_KEY, str(keys.private))
        found = register_signed(models, places, mlflow_server, keys)
        for action in ("frozen", "unfrozen"):  # so that there are entries behind the first one
            _decide(found, action)
        yield found


def _decide(found: Registered, action: str) -> None:
    from tests.registering import take

    take_version = found.result.selected.version if action == "frozen" else None
    take(_client(), found.name, action, take_version)  # type: ignore[arg-type]


def _client() -> Any:
    from mlflow import MlflowClient

    return MlflowClient()


@dataclass(frozen=True)
class Answer:
    """What `litegate verify` said."""

    code: int
    checks: dict[str, tuple[str, str]]

    @property
    def not_good(self) -> dict[str, str]:
        """States of the checks that are not good, by name."""
        return {name: state for name, (state, _) in self.checks.items() if state != "good"}

    def said(self, name: str) -> str:
        return self.checks[name][1]


@pytest.fixture
def verify(
    registered: Registered, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, warm_service: Path
) -> Callable[..., Answer]:
    """Run the command as an outsider does: with the public key, and not with the private one."""
    monkeypatch.delenv(SIGNING_KEY, raising=False)
    monkeypatch.setenv("LITEGATE_WORKSPACE", registered.places.workspace)
    monkeypatch.setenv("LITEGATE_WARM", str(warm_service))

    def run(*arguments: str, model: str = registered.name, key: Path | None = registered.keys.public) -> Answer:
        target = tmp_path / "answer.json"
        named = ("--key", str(key)) if key else ()
        code = main(["verify", model, *named, *arguments, "--home", str(tmp_path / "home"), "--json", str(target)])
        said = json.loads(target.read_text())
        assert said["exit_code"] == code
        return Answer(code, {each["name"]: (each["state"], each["said"]) for each in said["checks"]})

    return run


def entries_of(found: Registered) -> int:
    from litegate.records import RegisteredAlias

    return len(Ledger(_client(), RegisteredAlias(registry=found.name)).entries())
