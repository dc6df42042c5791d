"""Commands about the workspace: `clean`."""

from __future__ import annotations

from argparse import Namespace
from typing import TYPE_CHECKING

from litegate.cli.commands.command import Command, Parser

if TYPE_CHECKING:
    from litegate.stack import Home  # slow to import

__all__ = ["COMMANDS"]


def _clean(home: Home, options: Namespace) -> int:
    from litegate.cli import clean

    return clean.clean(home, options.older_than, options.apply, options.json)


def _clean_arguments(parser: Parser) -> None:
    parser.add_argument(
        "--older-than",
        type=int,
        default=30,
        metavar="DAYS",
        help="keep what was used within so many days (default: 30)",
    )
    parser.add_argument("--apply", action="store_true", help="delete; without this option nothing is changed")


COMMANDS = (
    Command(
        name="clean",
        summary=(
            "List stored results and files that no registered version, promotion or "
            "recent run needs; --apply deletes them."
        ),
        run=_clean,
        arguments=_clean_arguments,
    ),
)
