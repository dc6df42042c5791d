"""How long a decision takes behind 10,000 ledger entries of one model, in seconds, on a server of its own."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from mlflow import MlflowClient
from mlflow.entities import Param

from litegate.promotion import chained
from litegate.records import Champion, Decision, LedgerEntry, RegisteredAlias
from litegate.tracking.ledger import KEY, Ledger
from tests import registering, servers
from tests.benchmarks.bench_context import Bench

__all__ = ["ledger_10000_s"]

ENTRIES, BATCH = 10_000, 100


def ledger_10000_s(bench: Bench) -> float:
    """Seconds of one decision, in a process that has imported MLflow and read nothing yet."""
    entries = bench.size(ENTRIES, 500)
    with tempfile.TemporaryDirectory(prefix="litegate-bench-") as folder, servers.mlflow_server(Path(folder)) as server:
        os.environ["MLFLOW_TRACKING_URI"] = server.url
        client, name = MlflowClient(), registering.new_name()
        versions = [registering.register(client, name, "int8", bytes([number])) for number in range(3)]
        _write(client, name, versions, entries)
        # It opens the page behind them, as happens once in many decisions.
        registering.accept(client, name, versions[2], "opens the page", "2027-01-01T00:00:00+00:00")
        return _measured(name, versions[0])


def _write(client: MlflowClient, name: str, versions: list[Champion], count: int) -> None:
    channel = RegisteredAlias(registry=name)
    entries: list[LedgerEntry] = []
    for number in range(count):
        version = versions[number % 2]
        decision = Decision(
            channel=channel,
            action="accepted",
            key=f"quantize/run-{number} version {version.version}",
            actor=f"quantize__toy manual__{number}",
            why="it passed the gate",
            version=version.version,
            digest=version.digest,
            variant="int8",
            begun=number,
            order=f"2026-01-01T00:00:00.{number:06d}+00:00",
            verdict="int8 passed: it loses at most 0.5 points of top1 (97.5 % confidence), limit 1 point",
        )
        before = entries[-1].after if entries else None
        entries.append(chained(entries, decision, before, version.version))
    run_id = str(Ledger(client, channel).run_id(create=True))
    params = [Param(KEY.format(entry.number), entry.model_dump_json()) for entry in entries]
    for begin in range(0, count, BATCH):
        client.log_batch(run_id, params=params[begin : begin + BATCH])


def _measured(name: str, version: Champion) -> float:
    job = json.dumps([name, version.to_json()])
    command = [sys.executable, "-m", "tests.benchmarks.ledger_row", job]
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    return float(done.stdout.splitlines()[-1])


if __name__ == "__main__":
    asked_name, fields = json.loads(sys.argv[1])
    begin_at = time.perf_counter()
    registering.accept(
        MlflowClient(), asked_name, Champion.model_validate(fields), "measured", "2027-01-02T00:00:00+00:00"
    )
    print(time.perf_counter() - begin_at)
