"""`litegate init`: look at a model and its data as a run would, and write a first spec."""

from __future__ import annotations

import os
from argparse import Namespace
from pathlib import Path

import yaml

from litegate.cli.output import answer
from litegate.cli.progress import Progress, showing_log
from litegate.errors import SpecError
from litegate.first_spec.judging import Asked
from litegate.first_spec.looking import Look, own_name_of
from litegate.first_spec.text import FirstSpec
from litegate.settings import settings
from litegate.spec import parse_spec
from litegate.stack import Home, running
from litegate.stack.environment import client_environment
from litegate.storage.whole_files import write_whole

__all__ = ["init", "look_of", "use_home"]


def init(home: Home, options: Namespace) -> int:
    """Write the spec and say what is in it; returns the exit code.

    Raises:
        BadInput: the model or the data cannot be read, or do not fit together.
        SpecError: the file is there already.
    """
    name = options.name or own_name_of(options.source)
    path = (options.output or Path(f"{name}.yaml")).resolve()
    if path.exists() and not options.force:
        raise SpecError(str(path), "a new file", "one that is there already; --force replaces it")
    use_home(home)
    with Progress(f"looking at {options.source}") as progress, showing_log(progress):
        spec = look_of(options, "DATA").first_spec(name, path.parent, settings())
    parse_spec(yaml.safe_load(spec.text), str(path))
    write_whole(path, iter((spec.text.encode(),)))
    answer({"spec": str(path), "keys": spec.keys, "notes": spec.notes}, options.json, lambda: _say(spec, path))
    return 0


def look_of(options: Namespace, named: str) -> Look:
    """What is looked at, by the arguments of a command.

    Args:
        named: what the command calls the data that calibrate.
    """
    return Look(
        options.source,
        options.data,
        options.evaluation,
        target=options.target,
        label=options.label,
        signature=options.signature,
        format=options.format,
        max_drop=getattr(options, "max_drop", None),
        asked=Asked(options.metric, options.judged, dict(options.detection)),
        named=named,
    )


def use_home(home: Home) -> None:
    """Have steps use the workspace of a home: what is computed here, a run of its servers finds."""
    stack = running(home)
    if stack is not None:
        os.environ.update(client_environment(home, stack) | {"LITEGATE_WORKSPACE": stack.workspace})
    os.environ["LITEGATE_HOME"] = str(home.root)


def _say(spec: FirstSpec, path: Path) -> None:
    print(f"wrote {path}")
    for line in (*spec.head[:1], *(f"note: {note}" for note in spec.notes)):
        print(f"  {line}")
    print(f"next: litegate run {os.path.relpath(path)}")
