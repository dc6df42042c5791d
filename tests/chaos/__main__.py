"""`make chaos`: kill whatever runs, at random moments, and count what does not come through.

python -m tests.chaos --kills 100 --seed 1
"""

from __future__ import annotations

import argparse
import logging
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from tests.chaos.embedded import EmbeddedWorld
from tests.chaos.full_disk import full_disks
from tests.chaos.loop import Loop
from tests.chaos.models import Models
from tests.chaos.s3_faults import s3_faults
from tests.chaos.tally import Tally
from tests.chaos.world import World

_MAKER = Path(__file__).parents[1] / "models" / "make_models.py"
_SEGMENT = 25
"""Kills between two starts of the servers: a server that dies often is started again ever later."""


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.chaos", description=__doc__.partition("\n\n")[0])
    parser.add_argument("--kills", type=int, default=100, metavar="N", help="kills in all (default: 100)")
    parser.add_argument("--seed", type=int, default=1, metavar="S", help="of what is killed, and when (default: 1)")
    parser.add_argument("--keep", type=Path, metavar="DIR", help="keep everything there, to look at")
    parser.add_argument("--only", choices=("kills", "s3", "disk"), help="one part of it (default: all)")
    return parser.parse_args()


def main() -> int:
    """Returns 1 if anything was lost, doubled, wrongly promoted, or needed by hand; 130 if it was interrupted."""
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    options = _options()
    root = options.keep or Path(tempfile.mkdtemp(prefix="litegate-chaos-"))
    root.mkdir(parents=True, exist_ok=True)
    root.chmod(0o755)  # PostgreSQL does not run as root
    os.environ |= {"MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR": "false"}
    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    tally, say, interrupted = Tally(), _said_since(time.monotonic()), False
    try:
        _all(options, root, tally, say)
    except KeyboardInterrupt:
        interrupted = True
        say("interrupted: this is how far it came")
    finally:
        if options.keep is None:
            shutil.rmtree(root)
    say(f"killed: {', '.join(f'{kind} {count}' for kind, count in sorted(tally.kills.items()))}")
    say(f"runs that needed their one retry: {tally.retried}")
    print(tally)
    return 130 if interrupted else 0 if tally.good else 1


def _all(options: argparse.Namespace, root: Path, tally: Tally, say: Callable[[str], None]) -> None:
    models = Models(_made(root), root / "specs")
    if options.only in (None, "kills"):
        world = EmbeddedWorld(root)
        _kill(options, world, replace(models, place=world.place), tally, say)
    if options.only in (None, "s3"):
        tally.found(s3_faults(models, root, options.seed, say), say)
    if options.only in (None, "disk"):
        tally.found(full_disks(models, root, say), say)


def _kill(options: argparse.Namespace, world: World, models: Models, tally: Tally, say: Callable[[str], None]) -> None:
    loop = Loop(world, models, tally, random.Random(options.seed), say)
    try:
        while (left := options.kills - tally.kills.total()) > 0:
            loop.segment(min(_SEGMENT, left))
        loop.finish()
    finally:
        world.stop()


def _said_since(began: float) -> Callable[[str], None]:
    return lambda line: print(f"{time.monotonic() - began:7.1f} s  {line}", flush=True)


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
