"""Commands about servers: `start`, `stop`, `status` and `env` of the embedded ones, and `warm`."""

from __future__ import annotations

from argparse import Namespace
from typing import TYPE_CHECKING

from litegate.cli.commands.command import Command, Parser, port_arguments

if TYPE_CHECKING:
    from litegate.stack import Home  # slow to import

__all__ = ["COMMANDS"]


def _start(home: Home, options: Namespace) -> int:
    from litegate.cli import servers
    from litegate.stack.ports import Asked

    return servers.start_servers(home, options.json, Asked(options.airflow_port, options.mlflow_port))


def _stop(home: Home, options: Namespace) -> int:
    from litegate.cli import servers

    return servers.stop_servers(home, options.json)


def _status(home: Home, options: Namespace) -> int:
    from litegate.cli import servers

    return servers.print_status(home, options.json)


def _env(home: Home, options: Namespace) -> int:
    from litegate.cli import servers

    return servers.print_environment(home, options.json, options.replace_aws)


def _warm(home: Home, options: Namespace) -> int:
    from litegate.cli import warm

    return warm.keep_warm(home, options.json)


def _env_arguments(parser: Parser) -> None:
    parser.add_argument(
        "--replace-aws", action="store_true", help="export the S3 keys also where this shell has keys of another server"
    )


COMMANDS = (
    Command("start", "Start the embedded servers: Airflow, MLflow and S3.", _start, port_arguments),
    Command("stop", "Stop the embedded servers and the processes that they have started.", _stop),
    Command(
        name="status",
        summary="Say whether the embedded servers run, and at which addresses.",
        run=_status,
        details="Exit code 0 if they are healthy, else 1.",
    ),
    Command("env", 'Print variables by which clients reach the servers: eval "$(litegate env)".', _env, _env_arguments),
    Command(
        name="warm",
        summary="Keep processes with the libraries of steps loaded, for a worker of your own Airflow, until SIGTERM.",
        run=_warm,
        details="Their sockets are in LITEGATE_WARM, else in `warm` in the home folder; the worker needs the same. "
        "The embedded servers and `litegate compare` have such processes of their own.",
    ),
)
