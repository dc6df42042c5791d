"""Commands about pipeline runs: `run`, `follow` and `demo`."""

from __future__ import annotations

import uuid
from argparse import Namespace
from pathlib import Path
from typing import TYPE_CHECKING

from litegate.cli.commands.command import DRY_RUN, Command, Parser, exit_codes, require_argument

if TYPE_CHECKING:
    from litegate.stack import Home  # slow to import

__all__ = ["COMMANDS"]


def _run(home: Home, options: Namespace) -> int:
    if options.dry_run:
        from litegate.cli import dry_run

        return dry_run.dry_run_of_file(home, options.spec, options.json, uuid.uuid4().hex if options.remeasure else "")
    from litegate.cli import pipeline

    return pipeline.run(home, options.spec, options.json, options.remeasure, options.require)


def _follow(home: Home, options: Namespace) -> int:
    from litegate.cli import following

    return following.follow_run(home, options.run, options.json, options.require)


def _demo(home: Home, options: Namespace) -> int:
    from litegate.cli import pipeline

    return pipeline.demo(home, options.json)


def _run_arguments(parser: Parser) -> None:
    parser.add_argument("spec", type=Path, metavar="SPEC.yaml", help="the spec file")
    parser.add_argument("--remeasure", action="store_true", help="measure latencies anew, in place of stored ones")
    parser.add_argument("--dry-run", action="store_true", help=DRY_RUN)
    require_argument(parser)


def _follow_arguments(parser: Parser) -> None:
    parser.add_argument(
        "run",
        nargs="?",
        metavar="RUN|MODEL",
        help="the id of a run, as `litegate run` and Airflow show it, or the name of a model: its run that is under "
        "way, else its newest (of any model)",
    )
    require_argument(parser)


COMMANDS = (
    Command(
        name="run",
        summary="Quantize, gate and promote the model of a spec file; starts the servers if needed.",
        run=_run,
        arguments=_run_arguments,
        details="If a run with the same inputs is under way, it is followed in place of a new one. The run is "
        "Airflow's: it goes on if this command dies; Ctrl-C and SIGTERM end it, if this command began it.",
        epilog=exit_codes(),
    ),
    Command(
        name="follow",
        summary="Follow a run that is under way, or show what it came to, as the command that began it would.",
        run=_follow,
        arguments=_follow_arguments,
        details="Interrupting it leaves the run alone.",
        epilog=exit_codes(),
    ),
    Command(
        name="demo",
        summary="Train the digits example, then quantize, gate and promote it.",
        run=_demo,
        epilog=exit_codes(),
    ),
)
