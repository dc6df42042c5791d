"""What a command of the command line is."""

from __future__ import annotations

import argparse
import textwrap
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from typing_extensions import override

from litegate.cli.output import STDOUT, json_target
from litegate.exit_codes import ExitCode

if TYPE_CHECKING:
    from litegate.stack import Home  # slow to import

__all__ = [
    "DRY_RUN",
    "Command",
    "Help",
    "Parser",
    "common_arguments",
    "exit_codes",
    "port_arguments",
    "positive",
    "require_argument",
    "set_argument",
]

DRY_RUN = (
    "say what would be computed, which results are stored already, and about how long "
    "it takes; compute nothing, start no server"
)

Parser = argparse.ArgumentParser


class Help(argparse.HelpFormatter):
    """Keeps the lines of a text apart, as those of a table; what goes on beyond a line is indented."""

    @override
    def _fill_text(self, text: str, width: int, indent: str) -> str:
        lines = (line for line in text.splitlines() if line)
        return "\n".join(
            textwrap.fill(
                line,
                width,
                initial_indent=indent,
                subsequent_indent=indent + " " * 7 * line.startswith(" "),
                break_on_hyphens=False,
            )
            for line in lines
        )


def exit_codes(*codes: ExitCode, **instead: str) -> str:
    """The exit codes of a command, a line each, in the order of their numbers.

    Args:
        codes: those that it may end with beside 1 and 130; all if there are none.
        instead: what a code means for this command, by its name in lower case.
    """
    shown = sorted({*codes, ExitCode.DONE, ExitCode.ERROR, ExitCode.INTERRUPTED} if codes else ExitCode)
    return "\n".join(
        ("exit codes:", *(f"  {code:>3}  {instead.get(code.name.lower(), code.__doc__)}" for code in shown))
    )


def common_arguments(parser: Parser, default: str | None = None) -> None:
    """The options that every command has."""
    parser.add_argument(
        "--home",
        type=Path,
        default=default,
        metavar="DIR",
        help="folder of all local state (default: LITEGATE_HOME, else .litegate)",
    )
    parser.add_argument(
        "--json",
        nargs="?",
        const=STDOUT,
        default=default,
        type=json_target,
        metavar="OUT.json",
        help="print JSON instead of text; with a file name, write it there as well",
    )


def require_argument(parser: Parser) -> None:
    """The option by which variants decide the exit code."""
    parser.add_argument(
        "--require",
        action="append",
        default=[],
        metavar="VARIANT",
        help="this variant must pass; it decides the exit code, whatever the others do (repeatable)",
    )


def port_arguments(parser: Parser) -> None:
    """The ports of a command that starts the servers if they are not up."""
    for name, usual in (("Airflow", 8080), ("MLflow", 5000)):
        help_ = f"port of {name} (default: that of the last start, else {usual} or the next free one)"
        parser.add_argument(f"--{name.lower()}-port", type=_port, metavar="PORT", help=help_)


def set_argument(parser: Parser, what: str) -> None:
    """Values in place of a spec's."""
    parser.add_argument(
        "--set",
        action="append",
        default=[],
        metavar="KEY=VALUE",
        help=f"another value for a key of the spec, such as gate.max_drop=0.005; repeatable; {what}",
    )


def positive(text: str) -> int:
    """A number from 1 on."""
    if not text.isascii() or not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"expected a number from 1 on, got {text!r}")
    return int(text)


def _port(text: str) -> int:
    if not text.isascii() or not text.isdecimal() or not 1 <= int(text) <= 65535:
        raise argparse.ArgumentTypeError(f"expected a port from 1 to 65535, got {text!r}")
    return int(text)


def _nothing(parser: Parser) -> None:
    """A command that takes no arguments of its own."""


@dataclass(frozen=True)
class Command:
    """A command, what it says of itself, and what it does.

    Attributes:
        summary: its line in the list of commands, and the first sentence of its help.
        run: does it, with the home folder and the parsed arguments; returns the exit code.
        arguments: adds its arguments to its parser.
        details: what else its help says.
        epilog: the end of its help.
        use: the command that takes its place; such a command is not listed, works as before, and says so.
    """

    name: str
    summary: str
    run: Callable[[Home, argparse.Namespace], int]
    arguments: Callable[[Parser], None] = _nothing
    details: str = ""
    epilog: str = ""
    use: str = ""

    def add_to(self, commands: argparse._SubParsersAction[Parser]) -> None:
        """Make its parser, which carries the command itself as `chosen`."""
        description = f"{self.summary} {self.details}".strip()
        shown: dict[str, Any] = (
            {} if self.use else {"help": self.summary}
        )  # argparse lists the commands that have a help
        parser = commands.add_parser(
            self.name, **shown, description=description, epilog=self.epilog, formatter_class=Help
        )
        parser.set_defaults(chosen=self)
        common_arguments(parser)
        self.arguments(parser)
