"""`make chaos`: kill whatever runs, at random moments, and count what does not come through.

python -m tests.chaos --kills 100 --seed 1
"""

from __future__ import annotations

import argparse
import logging
import os
import random
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from tests.chaos.embedded import EmbeddedWorld
from tests.chaos.loop import Loop
from tests.chaos.models import Models
from tests.chaos.tally import Tally

_MAKER = Path(__file__).parents[1] / "models" / "make_models.py"
_SEGMENT = 20
"""Kills between two starts of the servers: a server that dies often is started again ever later."""


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.chaos", description=__doc__.partition("\n\n")[0])
    parser.add_argument("--kills", type=int, default=100, metavar="N", help="kills in all (default: 100)")
    parser.add_argument("--seed", type=int, default=1, metavar="S", help="of what is killed, and when (default: 1)")
    parser.add_argument("--keep", type=Path, metavar="DIR", help="keep everything there, to look at")
    return parser.parse_args()


def main() -> int:
    """Returns 1 if anything was lost, doubled, wrongly promoted, or needed by hand."""
    options = _options()
    logging.getLogger("mlflow").setLevel(logging.ERROR)
    os.environ |= {"MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR": "false"}
    root = options.keep or Path(tempfile.mkdtemp(prefix="litegate-chaos-"))
    root.mkdir(parents=True, exist_ok=True)
    root.chmod(0o755)  # PostgreSQL does not run as root
    began, tally = time.monotonic(), Tally()

    def say(line: str) -> None:
        print(f"{time.monotonic() - began:7.1f} s  {line}", flush=True)

    world = EmbeddedWorld(root)
    try:
        loop = Loop(world, Models(_made(root), root / "specs"), tally, random.Random(options.seed), say)
        while (left := options.kills - tally.kills.total()) > 0:
            loop.segment(min(_SEGMENT, left))
        loop.finish()
    finally:
        world.stop()
        if options.keep is None:
            shutil.rmtree(root)
    say(f"killed: {', '.join(f'{kind} {count}' for kind, count in sorted(tally.kills.items()))}")
    say(f"runs that needed their one retry: {tally.retried}")
    print(tally)
    return 0 if tally.good else 1


def _made(root: Path) -> Path:
    """Models and data."""
    folder = root / "models"
    if not folder.exists():
        folder.mkdir()
        python = os.environ.get("LITEGATE_TENSORFLOW_PYTHON") or _MAKER.parents[2] / ".venv-tensorflow/bin/python"
        subprocess.run([python, _MAKER, folder], check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    return folder


if __name__ == "__main__":
    sys.exit(main())
