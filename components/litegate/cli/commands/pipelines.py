"""Commands that run a pipeline: `run` and `demo`."""

from __future__ import annotations

from argparse import Namespace
from pathlib import Path
from typing import TYPE_CHECKING

from litegate.cli.commands.command import Command, Parser

if TYPE_CHECKING:
    from litegate.stack import Home  # slow to import

__all__ = ["COMMANDS", "EXIT_CODES"]

EXIT_CODES = """exit codes: 0 promoted, 3 nothing passed the gate, 4 one passed and is not champion: it waits for a
person or is held (rolled back, pinned, or a later version is champion), 2 the spec or an input is bad, 1 anything
else, 130 interrupted."""


def _run(home: Home, options: Namespace) -> int:
    from litegate.cli import pipeline

    return pipeline.run(home, options.spec, options.json)


def _demo(home: Home, options: Namespace) -> int:
    from litegate.cli import pipeline

    return pipeline.demo(home, options.json)


def _run_arguments(parser: Parser) -> None:
    parser.add_argument("spec", type=Path, metavar="SPEC.yaml", help="the spec file")


COMMANDS = (
    Command(
        name="run",
        summary="Quantize, gate and promote the model of a spec file; starts the servers if needed.",
        run=_run,
        arguments=_run_arguments,
        epilog=EXIT_CODES,
    ),
    Command(
        name="demo",
        summary="Train the digits example, then quantize, gate and promote it.",
        run=_demo,
        epilog=EXIT_CODES,
    ),
)
