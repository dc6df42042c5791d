"""What each target's runtime comes to here, beside what it came to when it was first tried: `make bench-targets`."""

from __future__ import annotations

import argparse
import json
import tempfile
import time
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from tests.benchmarks.target_figures import NOT_HERE, SECTIONS, Value
from tests.benchmarks.target_rows import ROWS, Files, NotMeasured, files

MISSING = "-"
WIDTH = 14


@dataclass(frozen=True)
class Row:
    """A figure then and now; None where it was not measured."""

    of: str
    name: str
    was: Value
    found: Value


def main() -> None:
    """Measure, print a table for each section, and write build/bench-targets.json."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--output", type=Path, default=Path("build/bench-targets.json"))
    parser.add_argument("sections", nargs="*", metavar="SECTION", help=f"some of {', '.join(SECTIONS)}; all by default")
    given = parser.parse_args()
    if unknown := set(given.sections) - set(SECTIONS):
        parser.error(f"SECTION: expected some of {', '.join(SECTIONS)}, got {', '.join(sorted(unknown))}")
    with tempfile.TemporaryDirectory(prefix="bench-targets-") as home:
        print("making the files ...", flush=True)
        made = files(Path(home))
        found = {name: measured(name, made) for name in given.sections or SECTIONS}
    for what, why in NOT_HERE.items():
        print(f"\n{what}\n  not measured: {why}")
    given.output.parent.mkdir(parents=True, exist_ok=True)
    given.output.write_text(json.dumps(found | {"not_here": dict(NOT_HERE)}, indent=2))


def measured(name: str, made: Files) -> dict[str, Any]:
    """A section's figures, printed; or why there are none."""
    section, began = SECTIONS[name], time.monotonic()
    print(f"\n{name}: {section.title}", flush=True)
    try:
        found, why = ROWS[name](made), ""
    except NotMeasured as error:
        found, why = {}, str(error)
        print(f"  not measured: {why}")
    rows = [Row(figure.of, figure.name, figure.was, found.get((figure.of, figure.name))) for figure in section.figures]
    for row in rows:
        said = [text(value) for value in (row.was, row.found)]
        wide = max(map(len, said)) > WIDTH
        print(f"  {row.of:<58}{row.name:<28}{'' if wide else ''.join(f'{each:>{WIDTH}}' for each in said)}")
        if wide:
            print(f"    {said[0]}\n    {said[1]}")
    seconds = round(time.monotonic() - began, 1)
    return {"title": section.title, "not_measured": why, "seconds": seconds, "rows": [asdict(row) for row in rows]}


def text(value: Value) -> str:
    """As it is printed."""
    return MISSING if value is None else value if isinstance(value, str) else f"{value:,.6g}"


if __name__ == "__main__":
    main()
