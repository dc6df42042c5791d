"""The command about what real devices gave: `evidence`, with `request` and `add`."""

from __future__ import annotations

import argparse
from argparse import Namespace
from pathlib import Path
from typing import TYPE_CHECKING

from litegate.cli.commands.command import Command, Help, Parser, common_arguments, exit_codes
from litegate.exit_codes import ExitCode

if TYPE_CHECKING:
    from litegate.stack import Home  # slow to import

__all__ = ["COMMANDS"]

_CODES = exit_codes(
    ExitCode.BAD_INPUT,
    done="done",
    error="anything else, such as a file that cannot be made",
    bad_input="it cannot be used; the message says why, and nothing was stored",
)


def _evidence(home: Home, options: Namespace) -> int:
    from litegate.cli import evidence

    does = {"request": evidence.request_evidence, "add": evidence.add_evidence}
    return does[options.action](home, options)


def _arguments(parser: Parser) -> None:
    actions = parser.add_subparsers(dest="action", metavar="ACTION", required=True)
    request = _action(
        actions, "request", "Write the files, the samples and the script for the device that evaluation.device names."
    )
    request.add_argument("variants", metavar="VARIANT", nargs="+", help="variants of the spec, float32 too")
    request.add_argument("folder", type=Path, metavar="DIR", help="the folder to fill")
    added = _action(actions, "add", "Check what the device gave for one file, and store it for the gate.")
    added.add_argument("variant", metavar="VARIANT", help="the variant that it ran")
    added.add_argument("file", type=Path, metavar="FILE", help="the evidence, as run_on_device.py has written it")
    added.add_argument("--replace", action="store_true", help="replace other evidence of the same file and device")


def _action(actions: argparse._SubParsersAction[Parser], name: str, summary: str) -> Parser:
    parser = actions.add_parser(name, help=summary, description=summary, epilog=_CODES, formatter_class=Help)
    common_arguments(parser, default=argparse.SUPPRESS)  # what stands before the action counts as well
    parser.add_argument("spec", type=Path, metavar="SPEC.yaml", help="the spec file, with evaluation.device")
    return parser


COMMANDS = (
    Command(
        name="evidence",
        summary="Have a real device run the files of a spec, and take what it gives for the gate.",
        run=_evidence,
        arguments=_arguments,
        details="What the device gave is judged in place of what this host computes: see "
        "docs/how-to/device-evidence.md.",
        epilog=_CODES,
    ),
)
