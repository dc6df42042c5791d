"""The command that compares variants without any server: `compare`."""

from __future__ import annotations

from argparse import Namespace
from contextlib import nullcontext
from pathlib import Path
from typing import TYPE_CHECKING

from litegate.cli.commands.command import DRY_RUN, Command, Parser, exit_codes, require_argument, set_argument
from litegate.cli.commands.specs import data_arguments
from litegate.cli.output import STDOUT, json_target
from litegate.exit_codes import ExitCode

if TYPE_CHECKING:
    from litegate.stack import Home  # slow to import

__all__ = ["COMMANDS"]


def _compare(home: Home, options: Namespace) -> int:
    """While a warm parent loads TensorFlow on another core, this process loads what it needs itself."""
    from litegate.execution.warm.keeping import own_parent
    from litegate.settings import settings

    places = settings(home.root)
    with nullcontext(lambda: places) if options.dry_run else own_parent("tensorflow", places) as found:
        from litegate.cli import compare

        return compare.compare(home, options, found)


def _compare_arguments(parser: Parser) -> None:
    parser.add_argument("source", metavar="SPEC.yaml|MODEL", help="a spec file, or a model as for `litegate init`")
    parser.add_argument("data", metavar="CALIBRATION", nargs="?", help="data to calibrate with, for a MODEL")
    data_arguments(parser)
    parser.add_argument(
        "--baseline",
        metavar="FLOAT.tflite",
        help="the model, in place of MODEL before the data, for a comparison of finished files",
    )
    parser.add_argument(
        "--candidate",
        action="append",
        default=[],
        metavar="[NAME=]FILE",
        help="a finished .tflite file to judge, or a .json recipe of LiteRT's quantizer to make one by, by the name of "
        "its file if no other is given; may be repeated. No variants are made beside it, unless --variants or the spec "
        "names some",
    )
    parser.add_argument(
        "--variants",
        metavar="A,B",
        help="variants to compare, or `all` (default: the spec's, else the usual ones for the target)",
    )
    parser.add_argument("--max-drop", type=float, metavar="X", help="the largest allowed loss, as gate.max_drop")
    require_argument(parser)
    set_argument(parser, "after all other options")
    parser.add_argument(
        "--remeasure", action="store_true", help="measure latencies again, even if there are stored ones"
    )
    parser.add_argument("--dry-run", action="store_true", help=DRY_RUN)
    parser.add_argument("--out", type=Path, metavar="DIR", help="the folder for the files (default: compare-<model>)")
    parser.add_argument(
        "--markdown",
        nargs="?",
        const=STDOUT,
        type=json_target,
        metavar="F",
        help="write a Markdown table for a pull request (default: to standard output)",
    )
    parser.add_argument(
        "--junit", type=json_target, metavar="F", help="write the verdicts as JUnit XML, for a CI server"
    )


COMMANDS = (
    Command(
        name="compare",
        summary="Quantize and evaluate the variants of a model, and apply the gate, without any server.",
        run=_compare,
        arguments=_compare_arguments,
        details="DIR gets the files of the variants, report.html and result.json. Nothing is registered or promoted. "
        "Results are shared with `litegate run` of the same home.",
        epilog=exit_codes(
            *(ExitCode.BAD_INPUT, ExitCode.REJECTED, ExitCode.UNDECIDED, ExitCode.FAILED),
            done="a variant passed the gate; with --require each that it names",
        ),
    ),
)
