"""Runs the tests that matter on the oldest and the newest versions that litegate supports: `make matrix`.

Each row has environments of its own, outside of the tree, in which the wheel of this tree is installed. What is tested
is the wheel, by the tests of this tree. A row takes ten minutes or more, and 3 GB of disk, which are freed with
`--remove`. `build/matrix.json` has what was found, row by row, and docs/versions.md the table of it.
Exit code 0 if all passed, else 1.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from tests.matrix.environments import ROOT, Environments, Failed, find_python
from tests.matrix.rows import CHECKS, ROWS, Row
from tests.matrix.table import write_table

FOUND, PAGE = ROOT / "build" / "matrix.json", ROOT / "docs" / "versions.md"
CACHE = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "litegate-matrix"
LONGEST = 3600
"""Seconds after which a check is given up, with exit code 124."""


def main() -> int:
    """Run rows, print what they find, and write the files."""
    options = _options()
    uv = shutil.which("uv") or str(ROOT / ".venv-tools" / "bin" / "uv")
    wheel = _wheel(uv, options.cache)
    good = True
    for row in _rows(options):
        found = _run(row, wheel, Environments(uv, options.cache / row.name, options.cache / f"{row.name}.log"), options)
        good = good and found["passed"]
        _keep(row.name, found)
        if options.remove:
            shutil.rmtree(options.cache / row.name, ignore_errors=True)
    write_table(PAGE, _earlier())
    return 0 if good else 1


def _options() -> argparse.Namespace:
    named = [row.name for row in ROWS]
    parser = argparse.ArgumentParser(prog="make matrix", description=__doc__)
    parser.add_argument("--rows", nargs="+", choices=named, default=named, metavar="ROW", help=f"of {', '.join(named)}")
    parser.add_argument(
        "--checks", nargs="+", choices=CHECKS, default=[*CHECKS], metavar="CHECK", help="of %(choices)s"
    )
    parser.add_argument("--reuse", action="store_true", help="the environments that the last run has left")
    parser.add_argument(
        "--try",
        nargs="+",
        dest="tried",
        default=[],
        metavar="PACKAGE==VERSION",
        help="one row with these versions in place of the newest, whatever our bounds say",
    )
    parser.add_argument("--python", default="3.11", help="of a row that is tried (%(default)s)")
    parser.add_argument("--cache", type=Path, default=CACHE, help="folder of the environments (%(default)s)")
    parser.add_argument("--remove", action="store_true", help="remove the environments of a row when it has ended")
    return parser.parse_args()


def _rows(options: argparse.Namespace) -> list[Row]:
    if options.tried:
        name = "-".join(["tried", *options.tried]).replace("==", "-")
        return [Row(name, options.python, "highest", tuple(options.tried))]
    return [row for row in ROWS if row.name in options.rows]


def _wheel(uv: str, cache: Path) -> Path:
    folder = cache / "dist"
    shutil.rmtree(folder, ignore_errors=True)
    subprocess.run([uv, "build", "-q", "--wheel", "--out-dir", folder], cwd=ROOT, check=True)
    (wheel,) = folder.glob("*.whl")
    return wheel


def _run(row: Row, wheel: Path, environments: Environments, options: argparse.Namespace) -> dict[str, Any]:
    print(f"{row.name}: environments", flush=True)
    found: dict[str, Any] = {"python": row.python, "resolution": row.resolution, "tried": list(row.versions)}
    found |= {"when": datetime.now(UTC).strftime("%Y-%m-%d"), "versions": {}, "passed": False}
    found["checks"] = _earlier().get(row.name, {}).get("checks", {}) if options.reuse else {}
    try:
        if not options.reuse:
            environments.make(row, wheel, find_python(row.python))
        found["versions"] = environments.versions()
    except Failed as failed:
        print(f"{row.name}: {failed} ({environments.log})", flush=True)
        return found | {"failed": str(failed)}
    print(f"{row.name}: " + ", ".join(f"{name} {version}" for name, version in found["versions"].items()), flush=True)
    for check in options.checks:
        found["checks"][check] = _check(row, check, environments)
    found["checks"] = {check: found["checks"][check] for check in CHECKS if check in found["checks"]}
    return found | {"passed": all(each["code"] == 0 for each in found["checks"].values())}


def _earlier() -> dict[str, Any]:
    return dict(json.loads(FOUND.read_text())) if FOUND.exists() else {}


def _keep(name: str, found: dict[str, Any]) -> None:
    """Write what a row has found beside what other rows have."""
    FOUND.parent.mkdir(exist_ok=True)
    FOUND.write_text(json.dumps(_earlier() | {name: found}, indent=2) + "\n")


def _check(row: Row, check: str, environments: Environments) -> dict[str, Any]:
    """Run pytest in the service environment; the other one is beside it, where the steps look for it."""
    began = time.monotonic()
    workers = [] if check == "servers" else ["-n", "2", "--dist", "loadscope"]
    limit = ["timeout", "--kill-after=60", str(LONGEST)]  # which ends the servers of the tests as well
    pytest = [str(environments.python), "-m", "pytest", "-q", "-p", "no:cacheprovider", *workers, *CHECKS[check]]
    with tempfile.TemporaryDirectory() as scratch:
        command = [*limit, *pytest, "--basetemp", f"{scratch}/pytest"]
        done = subprocess.run(
            command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False
        )
    with environments.log.open("a") as log:
        log.write(done.stdout)
    counts = {
        word: int(number) for number, word in re.findall(r"(\d+) (passed|failed|skipped|error)", done.stdout[-500:])
    }
    seconds = round(time.monotonic() - began)
    print(f"{row.name}: {check} {counts} in {seconds} s", flush=True)
    return {"code": done.returncode, "counts": counts, "seconds": seconds}


if __name__ == "__main__":
    sys.exit(main())
