"""The command by which an outsider checks a registered version."""

from __future__ import annotations

from argparse import Namespace
from pathlib import Path
from typing import TYPE_CHECKING

from litegate.cli.commands.channels import SERVER, channel_arguments, version_number
from litegate.cli.commands.command import Command, Parser, exit_codes
from litegate.exit_codes import ExitCode

if TYPE_CHECKING:
    from litegate.stack import Home  # slow to import

__all__ = ["COMMANDS"]

_WORKSPACE = "The workspace is that of the servers, or the one that LITEGATE_WORKSPACE names."
_CODES = exit_codes(
    ExitCode.BAD_INPUT,
    ExitCode.REJECTED,
    ExitCode.UNDECIDED,
    done="all of it holds",
    error="anything else, such as an MLflow that does not answer",
    bad_input="there is no such version, or the key is none",
    rejected="something is not what was signed, or does not follow from it",
    undecided="nothing is wrong, but not all of it can be shown: it is not signed, or not there any more",
)


def _verify(home: Home, options: Namespace) -> int:
    from litegate.cli import verify

    return verify.verify(home, options)


def _arguments(parser: Parser) -> None:
    channel_arguments(parser)
    parser.add_argument(
        "--version", type=version_number, metavar="N", help="this version (default: the one with the alias)"
    )
    parser.add_argument(
        "--key",
        type=Path,
        metavar="PUBLIC.pem",
        help="the public key that must have signed (default: LITEGATE_VERIFY_KEY)",
    )
    parser.add_argument("--allow-unsigned", action="store_true", help="accept a statement that nobody has signed")
    parser.add_argument("--rederive", action="store_true", help="make the file again from source, samples and recipe")


COMMANDS = (
    Command(
        name="verify",
        summary="Check a registered version against what was signed of it, and find its verdict again.",
        run=_verify,
        arguments=_arguments,
        details="The verdict is computed from the stored outcomes; with --rederive the file is made again as well.",
        epilog=f"{SERVER}{_WORKSPACE}\n{_CODES}",
    ),
)
