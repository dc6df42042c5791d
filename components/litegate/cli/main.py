"""Parse the command line, run one command and turn what it raised into a line and an exit code."""

from __future__ import annotations

import argparse
import atexit
import gc
import os
import signal
import time
from collections.abc import Sequence
from pathlib import Path

from litegate import __version__
from litegate.call_stack import with_room
from litegate.cli.commands import COMMANDS, Command
from litegate.cli.commands.command import Help, exit_codes
from litegate.cli.home import unusable
from litegate.cli.output import answer_error, print_error, until_closed
from litegate.cli.renamed import warn_of_old_name
from litegate.errors import LitegateError
from litegate.exit_codes import ExitCode
from litegate.settings import default_home

__all__ = ["main", "parser"]

# `timeout` and some process managers send one signal twice, to the process and to its group.
_ONE_SIGNAL = 0.5
# Most of what a command makes are modules, among which looking for garbage takes a tenth of their time.
_MANY = 50_000
_DESCRIPTION = "Quantize a TensorFlow model into every LiteRT variant, gate the variants and promote the best."


def parser() -> argparse.ArgumentParser:
    """The command line's grammar; what was parsed carries its command as `chosen`."""
    root = argparse.ArgumentParser(prog="litegate", description=_DESCRIPTION, epilog=exit_codes(), formatter_class=Help)
    root.add_argument("--version", action="version", version=f"litegate {__version__}")
    commands = root.add_subparsers(dest="command", metavar="COMMAND", required=True)
    for command in COMMANDS:
        command.add_to(commands)
    return root


@with_room
def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; returns its exit code."""
    gc.set_threshold(_MANY)
    atexit.register(gc.freeze)  # to look for garbage once more, at the very end, takes a quarter of a second
    with until_closed():
        return _main(arguments)


def _main(arguments: Sequence[str] | None) -> int:
    grammar = parser()
    if "_ARGCOMPLETE" in os.environ:  # a shell asks what could come next
        from litegate.cli.completion import complete

        complete(grammar)
    options = grammar.parse_args(arguments)
    _turn_signals_into_interrupts()
    try:
        return _run(options.chosen, options)
    except KeyboardInterrupt:
        return _failed("interrupted", ExitCode.INTERRUPTED, options.json)
    except LitegateError as error:
        return _failed(str(error), error.exit_code, options.json)
    except OSError as error:
        if (problem := unusable(_home(options), error)) is None:
            raise
        return _failed(str(problem), problem.exit_code, options.json)


def _failed(message: str, code: int, target: Path | None) -> int:
    print_error(message)
    answer_error(message, code, target)
    return code


def _run(command: Command, options: argparse.Namespace) -> int:
    from litegate.stack import Home  # imported late, so that --help is quick

    if command.use:
        warn_of_old_name(command.name, command.use)
    home = Home(_home(options))
    if (problem := unusable(home.root)) is not None:
        raise problem
    return command.run(home, options)


def _home(options: argparse.Namespace) -> Path:
    home: Path = (options.home or default_home()).absolute()
    return home


def _turn_signals_into_interrupts() -> None:
    """A shell starts background jobs with SIGINT ignored, and SIGTERM would end us without cleaning up."""
    interrupt = _Interrupt()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, interrupt)


class _Interrupt:
    """The first signal begins the cleaning up, the second cuts it short, the third ends the process."""

    def __init__(self) -> None:
        self.came = 0
        self.last = -_ONE_SIGNAL

    def __call__(self, *_: object) -> None:
        now = time.monotonic()
        if now - self.last < _ONE_SIGNAL:
            return
        self.came, self.last = self.came + 1, now
        if self.came > 2:
            os._exit(ExitCode.INTERRUPTED)
        raise KeyboardInterrupt
