"""Measures what the benchmarks' table promises: `make bench`, or some rows with `make bench ROWS="name name"`.

Each row is measured in a process of its own, one after the other. `build/bench.json` has the figures, by name, and is
written after each of them: what could not be measured is not in it. `docs/benchmarks.md` is written from them.
Exit code 0 if every row could be measured, reached or not, else 1.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import shutil
import signal
import subprocess
import sys
import time
import traceback
from pathlib import Path

from tests.benchmarks.bench_context import Bench
from tests.benchmarks.figures import Measured, host, line, title, write_page
from tests.benchmarks.rows import PARTS, ROWS, measuring

ROOT = Path(__file__).parents[2]
BUILD, PAGE = ROOT / "build", ROOT / "docs" / "benchmarks.md"
LONGEST = 1500
"""Seconds after which a row is given up."""


def main() -> int:
    """Measure rows, print the table, and write the files."""
    options = _options()
    if options.row:
        return _measure_here(options.row, Bench(options.folder, options.quick))
    unknown = set(options.rows) - set(ROWS) - set(PARTS)
    if unknown:
        print(f"no such rows: {', '.join(sorted(unknown))}; there are {', '.join([*ROWS, *PARTS])}", file=sys.stderr)
        return 2
    bench = Bench(BUILD / "bench", options.quick)
    shutil.rmtree(bench.folder, ignore_errors=True)
    bench.folder.mkdir(parents=True)
    names = options.rows or [*ROWS, *PARTS]
    print(title(), flush=True)
    done = _measure_all(names, bench, _earlier(options) if options.rows else {})
    lost = [name for name in names if name not in done]
    for name in lost:
        print(f"{name} could not be measured; {bench.folder}/rows/{name}.log says why", file=sys.stderr)
    return 1 if lost else 0


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("rows", nargs="*", metavar="ROW", help=f"all by default: {', '.join([*ROWS, *PARTS])}")
    parser.add_argument("--quick", action="store_true", help="small sizes, to see that it works; writes no page")
    parser.add_argument("--row", choices=[*ROWS, *PARTS], help=argparse.SUPPRESS)
    parser.add_argument("--folder", type=Path, help=argparse.SUPPRESS)
    return parser.parse_args()


def _measure_all(names: list[str], bench: Bench, measured: dict[str, Measured]) -> set[str]:
    """Put new figures in the places of earlier ones, and write all whenever one has changed; what could be measured."""
    done: set[str] = set()
    for name in names:
        measured.pop(name, None)
        _write(measured, bench)
    for name in names:
        found = _measure(name, bench)
        print(line(name, found), flush=True)
        if found is not None:
            done.add(name)
        if found is not None and name in ROWS:
            measured[name] = found
            _write(measured, bench)
    if not bench.quick:
        write_page(PAGE, measured, bench.folder)
    return done


def _measure(name: str, bench: Bench) -> Measured | None:
    """A row in a process of its own; None if that failed."""
    folder = bench.folder / "rows"
    folder.mkdir(exist_ok=True)
    log, result = folder / f"{name}.log", folder / f"{name}.json"
    command = [sys.executable, "-m", "tests.benchmarks.bench", "--row", name, "--folder", str(bench.folder)]
    begin = time.perf_counter()
    with log.open("wb") as out:
        options = {"stdin": subprocess.DEVNULL, "stdout": out, "stderr": out, "start_new_session": True, "cwd": ROOT}
        process = subprocess.Popen([*command, *(["--quick"] if bench.quick else [])], **options)  # type: ignore[call-overload]
        try:
            process.wait(LONGEST)
        except subprocess.TimeoutExpired:
            out.write(f"given up after {LONGEST} s\n".encode())
        finally:
            _end(process)
            _stop_servers(bench.folder)
    if not result.exists():
        return None
    return Measured(json.loads(result.read_text()), round(time.perf_counter() - begin, 1), host())


def _measure_here(name: str, bench: Bench) -> int:
    """In the row's process."""
    try:
        value = measuring(ROWS[name].function if name in ROWS else PARTS[name])(bench)
    except Exception:
        traceback.print_exc()
        return 1
    (bench.folder / "rows" / f"{name}.json").write_text(json.dumps(None if value is None else float(value)))
    return 0


def _end(process: subprocess.Popen[bytes]) -> None:
    """End the row's process and what it has started in its process group."""
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()


def _stop_servers(folder: Path) -> None:
    """End the servers that a row which was given up, or crashed, has left."""
    for state in folder.glob("homes/*/stack.json"):
        litegate = Path(sys.executable).with_name("litegate")
        subprocess.run([litegate, "stop", "--home", state.parent], check=False, capture_output=True)


def _files(bench: Bench) -> tuple[Path, Path]:
    """Where the figures are kept, and all that is known of them; quick ones apart."""
    suffix = "-quick" if bench.quick else ""
    return BUILD / f"bench{suffix}.json", BUILD / f"bench-details{suffix}.json"


def _earlier(options: argparse.Namespace) -> dict[str, Measured]:
    """Figures of earlier runs, of rows that there are."""
    details = _files(Bench(BUILD, options.quick))[1]
    kept = json.loads(details.read_text()) if details.exists() else {}
    return {name: Measured(**value) for name, value in kept.items() if name in ROWS}


def _write(measured: dict[str, Measured], bench: Bench) -> None:
    figures, details = _files(bench)
    ordered = {name: measured[name] for name in ROWS if name in measured}
    for path, value in (
        (figures, {name: each.value for name, each in ordered.items()}),
        (details, {name: vars(each) for name, each in ordered.items()}),
    ):
        new = path.with_suffix(".new")
        new.write_text(json.dumps(value, indent=2) + "\n")
        new.replace(path)


if __name__ == "__main__":
    sys.exit(main())
