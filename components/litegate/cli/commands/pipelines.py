"""Commands about pipeline runs: `run`, `follow` and `demo`."""

from __future__ import annotations

import uuid
from argparse import Namespace
from pathlib import Path
from typing import TYPE_CHECKING

from litegate.cli.commands.command import (
    DRY_RUN,
    Command,
    Parser,
    exit_codes,
    port_arguments,
    positive,
    require_argument,
    set_argument,
)

if TYPE_CHECKING:
    from litegate.stack import Home  # slow to import, both
    from litegate.stack.ports import Asked

__all__ = ["COMMANDS"]


def _run(home: Home, options: Namespace) -> int:
    if options.dry_run:
        from litegate.cli import dry_run

        remeasure = uuid.uuid4().hex if options.remeasure else ""
        return dry_run.dry_run_of_file(home, options.spec, options.json, remeasure, options.set)
    from litegate.cli import pipeline

    wishes = pipeline.Wishes(
        remeasure=options.remeasure,
        given=tuple(options.set),
        promote=not options.no_promote,
        replace=options.replace,
        ports=_ports(options),
        required=tuple(options.require),
    )
    return pipeline.run(home, options.spec, options.json, wishes)


def _follow(home: Home, options: Namespace) -> int:
    from litegate.cli import following

    return following.follow_run(home, options.run, options.json, options.require)


def _demo(home: Home, options: Namespace) -> int:
    from litegate.cli import pipeline

    return pipeline.demo(home, options.json, _ports(options))


def _ports(options: Namespace) -> Asked:
    from litegate.stack.ports import Asked

    return Asked(options.airflow_port, options.mlflow_port)


def _runs(home: Home, options: Namespace) -> int:
    from litegate.cli import runs

    return runs.show(home, options.model, options.limit, options.json)


def _runs_arguments(parser: Parser) -> None:
    parser.add_argument("model", nargs="?", metavar="MODEL", help="the model's name (all models)")
    parser.add_argument("--limit", type=positive, default=20, metavar="N", help="how many at most (20)")


def _run_arguments(parser: Parser) -> None:
    parser.add_argument("spec", type=Path, metavar="SPEC.yaml", help="the spec file")
    parser.add_argument(
        "--remeasure", action="store_true", help="measure latencies again, even if there are stored ones"
    )
    parser.add_argument("--dry-run", action="store_true", help=DRY_RUN)
    require_argument(parser)
    set_argument(parser, "make an override run: it is measured and recorded as any, and promotes nothing")
    parser.add_argument("--no-promote", action="store_true", help="promote nothing, even if a variant passes")
    parser.add_argument(
        "--replace", action="store_true", help="take the place of another spec file with the same model.name"
    )
    port_arguments(parser)


def _follow_arguments(parser: Parser) -> None:
    parser.add_argument(
        "run",
        nargs="?",
        metavar="RUN|MODEL",
        help="the id of a run, as `litegate run` and Airflow show it, or the name of a model: its run that is under "
        "way, else its newest one (default: the newest of all models)",
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
        summary="Follow a run that is under way, or show the result of one that has ended, as `litegate run` does.",
        run=_follow,
        arguments=_follow_arguments,
        details="Interrupting this command does not end the run.",
        epilog=exit_codes(),
    ),
    Command(
        name="runs",
        summary="List the runs of all models, or of one, the newest first: what came of each, when, and where it is.",
        run=_runs,
        arguments=_runs_arguments,
        details="It asks Airflow of the servers that run in the home folder.",
    ),
    Command(
        name="demo",
        summary="Train the digits example, then quantize, gate and promote it.",
        run=_demo,
        arguments=port_arguments,
        epilog=exit_codes(),
    ),
)
