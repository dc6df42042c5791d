"""What older releases registered and decided, by the commands of this one, on their own MLflow store."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from litegate.cli.main import main
from litegate.digest import digest_file
from litegate.records import LedgerEntry
from tests.servers import mlflow_server
from tests.written_by import COMMITS, SIGNED, Written, unpacked

pytestmark = [pytest.mark.e2e, pytest.mark.usefixtures("warm_mlflow_steps")]

DECIDED = ["accepted", "accepted", "rolled_back", "reinstated", "frozen", "unfrozen", "rolled_back", "frozen"]


@dataclass(frozen=True)
class Upgraded:
    """The older release's store, and this release's commands; what they say in JSON."""

    written: Written
    folder: Path

    def __call__(self, *arguments: str | Path, code: int = 0) -> Any:
        said = self.folder / "said.json"
        assert main([*map(str, arguments), "--home", str(self.folder / "own-home"), "--json", str(said)]) == code
        return json.loads(said.read_text())


@pytest.fixture(params=COMMITS)
def litegate(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Upgraded]:
    written = unpacked(request.param, tmp_path)
    with mlflow_server(written.home / "mlflow") as server:
        monkeypatch.setenv("MLFLOW_TRACKING_URI", server.url)
        monkeypatch.setenv("LITEGATE_WORKSPACE", str(written.home / "workspace"))
        yield Upgraded(written, tmp_path)


def test_what_an_older_release_decided_is_understood_and_goes_on(litegate: Upgraded, tmp_path: Path) -> None:
    before = litegate("history", "kws")
    assert (before["aliases"]["champion"], before["frozen"]) == (1, 1)
    assert [LedgerEntry.model_validate(entry).decision.effect for entry in before["entries"]] == DECIDED
    assert [each["version"] for each in before["revoked"]] == [2]
    assert litegate("history", "asked")["pending"] == [1]

    got = litegate("get", "kws", "--version", "2", "-o", tmp_path / "got")["file"]
    assert got["digest"] == digest_file(tmp_path / "got" / got["name"])
    verify(litegate)

    litegate("unfreeze", "kws")
    litegate("reinstate", "kws", "2")
    assert litegate("reconcile", "kws")["aliases"]["champion"] == 2
    litegate("rollback", "kws")
    litegate("freeze", "kws", "1")
    after = litegate("history", "kws")
    assert (after["aliases"]["champion"], len(after["entries"])) == (1, len(DECIDED) + 4)
    assert after["entries"][: len(DECIDED)] == before["entries"]


def verify(litegate: Upgraded) -> None:
    """A signed version is found good; of one from before there were statements nothing is claimed."""
    if litegate.written.commit == SIGNED:
        said = litegate("verify", "kws", "--key", litegate.written.data / "public.pem")
        assert {check["state"] for check in said["checks"]} == {"good"}
        return
    (check,) = litegate("verify", "kws", code=5)["checks"]
    assert (check["name"], check["state"]) == ("signature", "unknown")
    assert "an older litegate has registered the version" in check["said"]
