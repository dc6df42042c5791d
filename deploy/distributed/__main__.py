"""Run the distributed profile until Ctrl-C: `python -m deploy.distributed`."""

from __future__ import annotations

import argparse
import logging
import signal
import tempfile
import time
from pathlib import Path

from deploy.distributed.cluster import Cluster
from deploy.distributed.programs import Missing
from deploy.distributed.server import NotReady

log = logging.getLogger("distributed")


def main() -> int:
    """Start every server, say where it is, start those anew that die, and end them all at Ctrl-C or SIGTERM."""
    parser = argparse.ArgumentParser(prog="python -m deploy.distributed", description=__doc__)
    parser.add_argument("specs", nargs="*", type=Path, metavar="SPEC", help="spec files; models and data are on S3")
    parser.add_argument(
        "--package", action="append", default=[], type=Path, metavar="WHEEL", help="a wheel of your code"
    )
    parser.add_argument(
        "--root", type=Path, help="an empty folder for everything; a new one, removed at the end, if not given"
    )
    arguments = parser.parse_args()
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s", datefmt="%H:%M:%S")
    logging.getLogger("httpx").setLevel(logging.WARNING)
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        if arguments.root is not None:
            arguments.root.mkdir(parents=True, exist_ok=True)
            _run(arguments.root.absolute(), arguments)
        else:
            with tempfile.TemporaryDirectory(prefix="litegate-distributed-") as root:
                _run(Path(root), arguments)
    except KeyboardInterrupt:
        return 0
    except (Missing, NotReady) as error:
        log.error("%s", error)
        return 1
    return 0


def _run(root: Path, arguments: argparse.Namespace) -> None:
    with Cluster(root, arguments.specs, arguments.package, say=log.info) as cluster:
        log.info(
            "Airflow's user is admin, the password is in %s; Ctrl-C ends everything", root / "hosts/control/users.json"
        )
        while True:
            time.sleep(1)
            for name in cluster.revive():
                log.info("%s had ended: started again", name)


if __name__ == "__main__":
    raise SystemExit(main())
