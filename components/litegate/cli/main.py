"""Parse the command line, run one command and turn what it raised into a line and an exit code."""

from __future__ import annotations

import argparse
import signal
import sys
from collections.abc import Sequence
from pathlib import Path

from litegate.errors import LitegateError
from litegate.settings import default_home

__all__ = ["INTERRUPTED", "main", "parser"]

INTERRUPTED = 130

_DESCRIPTION = "Quantize a TensorFlow model into every LiteRT variant, gate the variants and promote the best."
_EXIT_CODES = """exit codes: 0 promoted, 3 nothing passed the gate, 2 the spec or an input is bad, 1 anything else,
130 interrupted."""


def parser() -> argparse.ArgumentParser:
    """The command line's grammar; every command names the function that does it."""
    root = argparse.ArgumentParser(prog="litegate", description=_DESCRIPTION, epilog=_EXIT_CODES)
    commands = root.add_subparsers(dest="command", metavar="COMMAND", required=True)

    def add(name: str, summary: str, epilog: str = "") -> argparse.ArgumentParser:
        command = commands.add_parser(name, help=summary, description=summary, epilog=epilog)
        command.add_argument(
            "--home", type=Path, metavar="DIR", help="folder of all local state (LITEGATE_HOME, else .litegate)"
        )
        return command

    run = add("run", "Quantize, gate and promote the model of a spec file; starts the servers if needed.", _EXIT_CODES)
    run.add_argument("spec", type=Path, metavar="SPEC.yaml", help="the spec file")
    demo = add("demo", "Train the digits example, then quantize, gate and promote it.", _EXIT_CODES)
    for command in (run, demo):
        command.add_argument("--json", type=Path, metavar="OUT.json", help="write the result to this file as well")
    for name, summary in (
        ("start", "Start the embedded servers: Airflow, MLflow and S3."),
        ("stop", "Stop the embedded servers and all that they have started."),
        ("status", "Say whether the embedded servers run, and where. Exit code 0 if they are healthy, else 1."),
    ):
        add(name, summary).add_argument("--json", action="store_true", help="print JSON")
    clean = add("clean", "Say what no registered version, ledger entry or recent run needs, or delete it.")
    clean.add_argument(
        "--older-than", type=int, default=30, metavar="DAYS", help="what was used within so many days stays (30)"
    )
    clean.add_argument("--apply", action="store_true", help="delete; without it nothing is touched")
    clean.add_argument("--json", type=Path, metavar="OUT.json", help="write what was found to this file as well")
    add("env", 'Print what a client needs to reach the servers: eval "$(litegate env)".')
    return root


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; returns its exit code."""
    options = parser().parse_args(arguments)
    home = (options.home or default_home()).absolute()
    _turn_signals_into_interrupts()
    try:
        return _run(options, home)
    except KeyboardInterrupt:
        print("interrupted", file=sys.stderr)
        return INTERRUPTED
    except LitegateError as error:
        print(f"error: {error}", file=sys.stderr)
        return error.exit_code


def _run(options: argparse.Namespace, folder: Path) -> int:
    # Imported late, so that --help is quick.
    from litegate.cli import clean, pipeline, servers
    from litegate.stack import Home

    home = Home(folder)
    if options.command == "run":
        return pipeline.run(home, options.spec, options.json)
    if options.command == "demo":
        return pipeline.demo(home, options.json)
    if options.command == "clean":
        return clean.clean(home, options.older_than, options.apply, options.json)
    if options.command == "env":
        return servers.print_environment(home)
    commands = {"start": servers.start_servers, "stop": servers.stop_servers, "status": servers.print_status}
    return commands[options.command](home, options.json)


def _turn_signals_into_interrupts() -> None:
    """A shell starts background jobs with SIGINT ignored, and SIGTERM would end us without cleaning up."""
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: _interrupt())


def _interrupt() -> None:
    # Once is enough: a second one must not cut the cleaning up short.
    for each in (signal.SIGINT, signal.SIGTERM):
        signal.signal(each, signal.SIG_IGN)
    raise KeyboardInterrupt
