"""Commands about registered versions and who is champion: `get`, `rollback`, `freeze`, `history` and so on."""

from __future__ import annotations

import argparse
from argparse import Namespace
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from litegate.cli.commands.command import Command, Parser, exit_codes
from litegate.exit_codes import ExitCode

if TYPE_CHECKING:
    from litegate.records import Action  # slow to import, both
    from litegate.stack import Home

__all__ = ["COMMANDS", "SERVER", "channel_arguments", "version_number"]

SERVER = (
    "The MLflow server is that of the home folder if its servers run, else the one that MLFLOW_TRACKING_URI names. "
)
_ACTOR = "The promotion log names you as user@host, or as LITEGATE_ACTOR says. "
_CODES = exit_codes(
    ExitCode.BAD_INPUT,
    done="done",
    error="anything else, such as an MLflow that does not answer",
    bad_input="it cannot be done; the message says why, and nothing was written",
)
_EPILOG = f"{SERVER}{_ACTOR}\n{_CODES}"
_TEXT_LIMIT = 1000


def _decides(action: Action) -> Callable[[Home, Namespace], int]:
    def run(home: Home, options: Namespace) -> int:
        from litegate.cli import deciding

        return deciding.decide(home, options, action)

    return run


def _history(home: Home, options: Namespace) -> int:
    from litegate.cli import history

    return history.show(home, options)


def _reconcile(home: Home, options: Namespace) -> int:
    from litegate.cli import history

    return history.reconcile(home, options)


def _get(home: Home, options: Namespace) -> int:
    from litegate.cli import get

    return get.get(home, options)


def _get_arguments(parser: Parser) -> None:
    parser.add_argument("model", type=_text, metavar="MODEL", help="the registered model's name")
    which = parser.add_mutually_exclusive_group()
    which.add_argument("--alias", type=_text, help="the version with this alias (champion)")
    which.add_argument("--version", type=version_number, metavar="N", help="this version")
    which.add_argument("--variant", type=_text, metavar="V", help="the newest version of this variant")
    parser.add_argument(
        "-o", "--output", type=Path, default=Path(), metavar="DIR", help="the folder for the file (the current one)"
    )
    parser.add_argument("--force", action="store_true", help="replace another file of the same name")


def channel_arguments(parser: Parser) -> None:
    """The registered model, and the alias of it."""
    parser.add_argument("model", type=_text, metavar="MODEL", help="the registered model's name")
    parser.add_argument(
        "--alias", type=_text, default="champion", help="the alias that consumers load (default: champion)"
    )


def _decision(parser: Parser) -> None:
    channel_arguments(parser)
    parser.add_argument(
        "--why", type=_text, default="no reason given", metavar="TEXT", help="the reason, for the promotion log"
    )


def _of_version(parser: Parser) -> None:
    _decision(parser)
    parser.add_argument("version", type=version_number, metavar="VERSION", help="a version of the registered model")


def _of_none(parser: Parser) -> None:
    _decision(parser)
    parser.set_defaults(version=None)


def _rollback_arguments(parser: Parser) -> None:
    _decision(parser)
    parser.add_argument(
        "--from",
        dest="version",
        type=version_number,
        metavar="VERSION",
        help="the champion to roll back (default: the present one); required if the last change was a rollback",
    )
    parser.add_argument(
        "--to", type=version_number, metavar="VERSION", help="the version to make champion (default: the one before)"
    )


def _text(value: str) -> str:
    if not value.strip() or len(value) > _TEXT_LIMIT:
        raise argparse.ArgumentTypeError(f"expected 1 to {_TEXT_LIMIT} characters, got {len(value)}")
    return value


def version_number(value: str) -> int:
    """A number from 1 on."""
    if not value.isascii() or not value.isdecimal() or int(value) < 1:
        raise argparse.ArgumentTypeError(f"expected a version's number, got {value!r}")
    return int(value)


COMMANDS = (
    Command(
        name="get",
        summary="Fetch the file of a registered version, check its digest, and say what it is.",
        run=_get,
        arguments=_get_arguments,
        details="Nothing is written if MLflow holds other bytes than those that the gate has judged.",
        epilog=f"{SERVER}\n{_CODES}",
    ),
    Command(
        name="rollback",
        summary="Make the version before the champion, or the one that --to names, champion at once.",
        run=_decides("rolled_back"),
        arguments=_rollback_arguments,
        details="What was rolled back may not be champion again, also when a later run selects the same file, until "
        "it is reinstated.",
        epilog=_EPILOG,
    ),
    Command(
        name="reinstate",
        summary="Allow a version that was rolled back or rejected to be champion again, with its old priority.",
        run=_decides("reinstated"),
        arguments=_of_version,
        epilog=_EPILOG,
    ),
    Command(
        name="freeze",
        summary="Make an accepted version champion, and keep it champion whatever later runs find.",
        run=_decides("frozen"),
        arguments=_of_version,
        details="Later runs are blocked until it is unfrozen.",
        epilog=_EPILOG,
    ),
    Command(
        name="unfreeze",
        summary="End the freeze: the accepted version with the highest priority is champion again.",
        run=_decides("unfrozen"),
        arguments=_of_none,
        epilog=_EPILOG,
    ),
    Command(
        name="pin",
        summary="The old name of `litegate freeze`.",
        run=_decides("frozen"),
        arguments=_of_version,
        epilog=_EPILOG,
        use="freeze",
    ),
    Command(
        name="unpin",
        summary="The old name of `litegate unfreeze`.",
        run=_decides("unfrozen"),
        arguments=_of_none,
        epilog=_EPILOG,
        use="unfreeze",
    ),
    Command(
        name="history",
        summary=(
            "Show the champion, what is pending, frozen or revoked, and the promotion "
            "log: who decided what, when and why."
        ),
        run=_history,
        arguments=channel_arguments,
        epilog=_EPILOG,
    ),
    Command(
        name="reconcile",
        summary="Set the aliases of a model as its promotion log has them, if somebody moved them by hand in MLflow.",
        run=_reconcile,
        arguments=channel_arguments,
        epilog=_EPILOG,
    ),
)
