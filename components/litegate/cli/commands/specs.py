"""Commands that help to write a spec: `plan`, `init` and `schema`."""

from __future__ import annotations

import argparse
from argparse import Namespace
from pathlib import Path
from typing import TYPE_CHECKING

from litegate.cli.commands.command import Command, Parser, exit_codes, positive
from litegate.exit_codes import ExitCode
from litegate.variants import TARGETS

if TYPE_CHECKING:
    from litegate.stack import Home  # slow to import

__all__ = ["COMMANDS", "data_arguments"]

_FORMATS = ("csv", "images", "npy", "npz", "parquet", "tfrecord", "webdataset")


def _init(home: Home, options: Namespace) -> int:
    from litegate.cli import init

    return init.init(home, options)


def _schema(_: Home, options: Namespace) -> int:
    from litegate.cli import schema

    return schema.show(options.markdown, options.json)


def _plan(_: Home, options: Namespace) -> int:
    from litegate.cli import plan

    return plan.plan(options)


def _plan_arguments(parser: Parser) -> None:
    parser.add_argument("--max-drop", type=float, required=True, metavar="X", help="the limit, as gate.max_drop")
    parser.add_argument(
        "--flips", type=float, required=True, metavar="X", help="share of samples that are newly wrong or newly right"
    )
    parser.add_argument(
        "--drop", type=float, default=0.0, metavar="X", help="newly wrong minus newly right (default: 0)"
    )
    parser.add_argument(
        "--confidence", type=float, default=0.95, metavar="X", help="as gate.confidence (default: 0.95)"
    )
    parser.add_argument("--power", type=float, default=0.8, metavar="X", help="the probability to pass (default: 0.8)")
    parser.add_argument(
        "--variants", type=positive, default=1, metavar="N", help="how many are judged side by side (default: 1)"
    )
    parser.add_argument("--samples", type=positive, metavar="N", help="say as well what so many samples can decide")


def _init_arguments(parser: Parser) -> None:
    parser.add_argument("source", metavar="MODEL", help="a SavedModel folder, a .keras or a .h5 file; s3:// or local")
    parser.add_argument("data", metavar="DATA", help="data to calibrate with: a file, folder, s3:// prefix or glob")
    data_arguments(parser)
    parser.add_argument(
        "--output", type=Path, metavar="SPEC.yaml", help="the spec file to write (default: <name>.yaml)"
    )
    parser.add_argument("--force", action="store_true", help="replace an existing spec file")


def data_arguments(parser: Parser) -> None:
    """The arguments that help to find out what is in a model and its data."""
    parser.add_argument(
        "evaluation", metavar="EVALUATION", nargs="?", help="data to evaluate with (default: the calibration data)"
    )
    parser.add_argument(
        "--name", help="the model's name (default: that of its file, or of its folder if the file is called `model`)"
    )
    parser.add_argument("--label", metavar="FIELD", help="the field with the labels, if it is not clear from its name")
    parser.add_argument(
        "--metric", metavar="NAME", help="the metric, as evaluation.metric, if the data do not show which one fits"
    )
    parser.add_argument(
        "--judged", metavar="OUTPUT", help="the model output that the metric compares, if there are several"
    )
    parser.add_argument(
        "--detection",
        type=_parts,
        default=(),
        metavar="boxes=OUTPUT,scores=OUTPUT[,classes=OUTPUT,count=OUTPUT]",
        help="the role of each output of a detector, if their names do not show it",
    )
    parser.add_argument("--signature", help="the signature to use, if the model has several")
    parser.add_argument("--format", choices=_FORMATS, help="format of the data, if the file names do not show it")
    parser.add_argument("--target", choices=tuple(TARGETS), help="where the model will run (default: cpu)")


def _parts(text: str) -> tuple[tuple[str, str], ...]:
    """The outputs of a detector by what they are."""
    pairs = [tuple(part.strip() for part in each.split("=")) for each in text.split(",")]
    known = ("boxes", "scores", "classes", "count")
    if not all(len(pair) == 2 and pair[0] in known and pair[1] for pair in pairs):
        raise argparse.ArgumentTypeError(f"expected {', '.join(f'{part}=OUTPUT' for part in known)}, got {text!r}")
    return tuple((name, output) for name, output in pairs)


def _schema_arguments(parser: Parser) -> None:
    parser.add_argument("--markdown", action="store_true", help="print the reference page in place of the schema")


COMMANDS = (
    Command(
        name="plan",
        summary="Say how many evaluation samples a limit needs, for a metric such as top1.",
        run=_plan,
        arguments=_plan_arguments,
        details="The shares are those of the gate: 0.01 is one point. How many samples flip is in the report of an "
        "earlier run or comparison.",
    ),
    Command(
        name="init",
        summary="Write a first spec by reading the model's signature and the shapes of the data.",
        run=_init,
        arguments=_init_arguments,
        details="The model is loaded and converted as a run would do it, in a confined process; no server is needed.",
        epilog=exit_codes(
            ExitCode.BAD_INPUT,
            done="the spec was written",
            error="anything else",
            bad_input="the model or the data cannot be used; nothing was written",
        ),
    ),
    Command(
        name="schema",
        summary="Print the JSON schema of a spec file, for editors, or the reference page.",
        run=_schema,
        arguments=_schema_arguments,
    ),
)
