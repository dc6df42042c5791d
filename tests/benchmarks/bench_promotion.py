"""Whether the right version is champion after eight promote at once: `make bench-promotion`.

In each round eight processes register a version each, and their neighbour's as well, and promote at the same
moment, in an order that has nothing to do with who is first. The clock of a round says 1970, 2026 or 2031, which must
not keep the next round from its champion. After each round the aliases, the ledger and the versions are checked.
Beside it, the same processes promote by reading, comparing and setting an alias, which shows that the rounds are
hard. On SQLite and on PostgreSQL. Ends with 1 if anything was wrong.
"""

from __future__ import annotations

import argparse
import json
import multiprocessing
import random
import statistics
import subprocess
import sys
import tempfile
import time
from collections import Counter
from contextlib import nullcontext
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

from mlflow import MlflowClient

from litegate.errors import LitegateError
from litegate.records import RegisteredAlias
from litegate.settings import settings
from litegate.tracking import aliases, registry
from litegate.tracking.ledger import Ledger
from tests import servers
from tests.benchmarks.promoters import NAIVE, Promoter
from tests.benchmarks.real_model import ROOT
from tests.components.conftest import MAKE_MODELS

PROMOTERS, ROUNDS, NAME = 8, 50, "bench"
CLOCKS = [datetime(year, 1, 1, tzinfo=UTC) for year in (1970, 2026, 2031)]


@dataclass
class Found:
    """What was wrong in all rounds on one database, and how long promotions took."""

    database: str
    rounds: int = 0
    wrong_champion: int = 0
    wrong_previous: int = 0
    wrong_ledger: int = 0
    doubled_versions: int = 0
    naive_wrong: int = 0
    errors: list[str] = field(default_factory=list)
    seconds: list[float] = field(default_factory=list)

    @property
    def sound(self) -> bool:
        """Whether nothing was wrong; the naive promotions do not count."""
        wrong = self.wrong_champion + self.wrong_previous + self.wrong_ledger + self.doubled_versions
        return self.rounds > 0 and wrong == 0 and not self.errors

    def to_json(self) -> dict[str, Any]:
        """The counts, and median and 95 % quantile of the seconds of a promotion."""
        found = {name: value for name, value in vars(self).items() if name != "seconds"}
        times = sorted(self.seconds)
        return found | {
            "promotions": len(times),
            "seconds_median": round(statistics.median(times), 3),
            "seconds_p95": round(times[int(0.95 * (len(times) - 1))], 3),
        }


def main() -> int:
    """Run everything; the exit code."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=ROUNDS)
    parser.add_argument("--output", type=Path, default=ROOT / "build" / "bench-promotion.json")
    options = parser.parse_args()
    content = _model()
    found = [run(database, content, options.rounds) for database in ("sqlite", "postgresql")]
    for each in found:
        print(json.dumps(each.to_json(), indent=2))
    options.output.parent.mkdir(parents=True, exist_ok=True)
    options.output.write_text(json.dumps([each.to_json() for each in found], indent=2) + "\n")
    return 0 if all(each.sound for each in found) else 1


def run(database: str, content: bytes, rounds: int) -> Found:
    """All rounds on one database."""
    found = Found(database)
    place = servers.postgres() if database == "postgresql" else nullcontext(None)
    with (
        tempfile.TemporaryDirectory(prefix="litegate-bench-") as folder,
        place as address,
        servers.mlflow_server(Path(folder), address) as server,
    ):
        client = MlflowClient(server.url)
        client.create_experiment(f"quantize/{NAME}")
        promoters = [_start(server.url, content) for _ in range(PROMOTERS)]
        try:
            for number in range(rounds):
                _round(client, promoters, number, found)
                if sys.stdout.isatty() or (number + 1) % 10 == 0:
                    print(f"  {database}: {number + 1} of {rounds} rounds", flush=True)
        finally:
            for process, _ in promoters:
                process.kill()
                process.join()
    return found


def _round(client: MlflowClient, promoters: list[Any], number: int, found: Found) -> None:
    places = random.Random(number).sample(range(PROMOTERS), PROMOTERS)
    clock = random.Random(-number - 1).choice(CLOCKS)
    orders = [(clock + timedelta(minutes=place)).isoformat() for place in places]
    begun = number * PROMOTERS
    logged = _all(promoters, [("log", f"{number}/{each}") for each in range(PROMOTERS)], found)
    neighbours = [("register", model, logged[each - 1]) for each, model in enumerate(logged)]
    versions = _all(promoters, neighbours, found)
    moment = time.time() + 0.2
    jobs = [
        ("promote", model, version, (begun, order), moment)
        for model, version, order in zip(logged, versions, orders, strict=True)
    ]
    found.seconds += _all(promoters, jobs, found)
    known = dict(zip(versions, orders, strict=True))
    _all(promoters, [("naive", version, known, time.time() + 0.2) for version in versions], found)
    _check(client, known, number, found)


def _check(client: MlflowClient, orders: dict[int, str], number: int, found: Found) -> None:
    first, second = sorted(orders, key=orders.__getitem__, reverse=True)[:2]
    found.rounds += 1
    found.wrong_champion += aliases.version_behind(client, NAME, "champion") != first
    found.wrong_previous += aliases.version_behind(client, NAME, "previous") != second
    found.naive_wrong += aliases.version_behind(client, NAME, NAIVE) != first
    found.wrong_ledger += not _is_one_ledger(client, (number + 1) * PROMOTERS)
    versions = client.search_model_versions(f"name = '{NAME}'", max_results=10_000)
    doubled = Counter(version.tags[registry.DIGEST] for version in versions)
    found.doubled_versions = sum(count - 1 for count in doubled.values())


def _is_one_ledger(client: MlflowClient, expected: int) -> bool:
    """Whether every promotion is in it once, and each begins where the one before ended."""
    try:
        entries = Ledger(client, RegisteredAlias(registry=NAME)).entries()
    except LitegateError:
        return False
    joined = all(later.before == earlier.after for earlier, later in pairwise(entries))
    return joined and len({entry.decision.key for entry in entries}) == len(entries) == expected


def _start(url: str, content: bytes) -> tuple[Any, Connection]:
    context = multiprocessing.get_context("spawn")
    ours, theirs = context.Pipe()
    process = context.Process(target=_serve, args=(theirs, url, content), daemon=True)
    process.start()
    return process, ours


def _serve(pipe: Connection, url: str, content: bytes) -> None:
    """The life of a promoter: a job in, its result or its error out."""
    promoter = Promoter(url, NAME, content)
    while True:
        job = pipe.recv()
        try:
            pipe.send(_do(promoter, *job))
        except Exception as error:
            pipe.send(error)


def _do(promoter: Promoter, what: str, *job: Any) -> Any:
    if what == "log":
        return promoter.log(*job)
    if what == "register":
        own, neighbours = job
        promoter.register(neighbours)
        return promoter.register(own)
    *arguments, moment = job
    time.sleep(max(0.0, moment - time.time()))
    return promoter.promote(*arguments) if what == "promote" else promoter.promote_naively(*arguments)


def _all(promoters: list[Any], jobs: list[Any], found: Found) -> list[Any]:
    for (_, pipe), job in zip(promoters, jobs, strict=True):
        pipe.send(job)
    results = [pipe.recv() for _, pipe in promoters]
    errors = [result for result in results if isinstance(result, Exception)]
    found.errors += [repr(error) for error in errors]
    if errors:
        raise errors[0]
    return results


def _model() -> bytes:
    with tempfile.TemporaryDirectory() as folder:
        python = settings().pythons["tensorflow"]
        subprocess.run([python, "-c", MAKE_MODELS, folder], check=True, capture_output=True)
        return Path(folder, "int8.tflite").read_bytes()


if __name__ == "__main__":
    sys.exit(main())
