"""Commands about the installation: `doctor` and `completion`."""

from __future__ import annotations

from argparse import Namespace
from typing import TYPE_CHECKING

from litegate.cli.commands.command import Command, Parser

if TYPE_CHECKING:
    from litegate.stack import Home  # slow to import

__all__ = ["COMMANDS"]

_SHELLS = ("bash", "zsh", "fish", "powershell")


def _doctor(home: Home, options: Namespace) -> int:
    from litegate.cli import doctor

    return doctor.examine(home, options.json)


def _completion(_: Home, options: Namespace) -> int:
    from litegate.cli import completion

    return completion.print_script(options.shell, options.json)


def _completion_arguments(parser: Parser) -> None:
    parser.add_argument("shell", choices=_SHELLS, help="your shell")


COMMANDS = (
    Command(
        name="doctor",
        summary="Check this installation, and say how to mend what is wrong.",
        run=_doctor,
        details="It changes nothing and starts no server. Exit code 0 if nothing is wrong, else 1.",
    ),
    Command(
        name="completion",
        summary="Print the script that gives your shell Tab completion for litegate.",
        run=_completion,
        arguments=_completion_arguments,
        epilog='bash and zsh: eval "$(litegate completion bash)"; fish: litegate completion fish | source',
    ),
)
