"""Step `train`: the user's training, in the lean TensorFlow environment; what it writes becomes the spec's model."""

from __future__ import annotations

import os
import shlex
import subprocess
import sys
from pathlib import Path

from litegate.digest import digest_file, digest_tree
from litegate.errors import BadInput, ModelError, StepFailed
from litegate.failures import FailureKind, named_signal
from litegate.records import Produced, TrainRequest
from litegate.source.bounds import check_bounds
from litegate.source.keras_file import check_keras_file
from litegate.source.kinds import KINDS, Format, file_format
from litegate.source.saved_model import check_saved_model
from litegate.storage.user_objects import put
from litegate.storage.versions import SAVED_MODEL, version_uri
from litegate.user_code import entry_point
from litegate.work.step_work import Work

__all__ = ["OUTPUT", "run"]

OUTPUT = "LITEGATE_OUTPUT"
"""The variable that tells a command where to write; `{output}` in its arguments is the same."""

_FORMS: dict[str, Format] = {".keras": "keras", ".h5": "h5", ".pb": "saved_model"}
_NAMES = {"keras": "a .keras file", "h5": "a .h5 file", "saved_model": "a SavedModel folder"}


def run(request: TrainRequest, work: Work) -> Produced:
    """Train, look at what was written as `resolve` will, and put it where the spec says.

    Raises:
        BadInput: the function or command cannot be started, or wrote nothing.
        ModelError: what it wrote is not a model, or not one of the kind that `model.uri` names.
        StepFailed: the command failed.
    """
    os.chdir(request.folder)
    written = _trained(request, work)
    _check(written, request)
    made = _published(written, request.uri)
    work.say("train: %d bytes to %s, digest %s", made.bytes, made.uri, made.digest)
    return made


def _trained(request: TrainRequest, work: Work) -> Path:
    retrain = request.retrain
    if retrain.entry_point is not None:
        return entry_point.call(retrain.entry_point, request.folder, retrain.arguments, work.folder / "written")
    output = work.folder / "written" / f"model{Path(request.uri).suffix.removesuffix('.pb')}"
    output.parent.mkdir()
    _run_command([part.replace("{output}", str(output)) for part in retrain.command or ()], output, work)
    return output


def _run_command(command: list[str], output: Path, work: Work) -> None:
    """Run it in the current folder; what it says goes to our own output, and so to the log, as it comes."""
    search = os.pathsep.join((str(Path(sys.executable).parent), os.environ.get("PATH", os.defpath)))
    work.say("train: %s", shlex.join(command))
    try:
        code = subprocess.run(
            command, env=os.environ | {"PATH": search, OUTPUT: str(output)}, stdin=subprocess.DEVNULL, check=False
        ).returncode
    except OSError as error:
        raise BadInput("retrain.command", "a program that can be run", f"{command[0]}: {error.strerror}") from None
    if code < 0:
        kind, name = named_signal(-code)
        raise StepFailed("train", kind, f"{shlex.join(command)} ended by {name}")
    if code > 0:
        raise StepFailed("train", FailureKind.EXIT_CODE, f"{shlex.join(command)} ended with exit code {code}")
    if not output.exists():
        raise BadInput("retrain.command", f"a model at ${OUTPUT}, or at {{output}} in its arguments", "nothing there")


def _check(written: Path, request: TrainRequest) -> None:
    """Fail before a good model is replaced."""
    where = f"what {request.retrain.entry_point or 'retrain.command'} wrote"
    sizes = [path.stat().st_size for path in _files(written).values()]
    check_bounds(len(sizes), sum(sizes), where)
    form, expected = _form(written, where), _FORMS[Path(request.uri).suffix]
    if form != expected:
        raise ModelError(where, f"{_NAMES[expected]}, for model.uri is {request.uri}", _NAMES[form])
    (check_saved_model if form == "saved_model" else check_keras_file)(written, where)


def _form(written: Path, where: str) -> Format:
    if written.is_file():
        return file_format(written, where)
    if (written / SAVED_MODEL).is_file():
        return "saved_model"
    raise ModelError(where, KINDS, f"a folder without {SAVED_MODEL}")


def _published(written: Path, uri: str) -> Produced:
    """Put it where it belongs: a file at once, of a folder the file last that says that it is a model."""
    files = _files(written)
    digests = {name: digest_file(path) for name, path in files.items()}
    digest = digest_file(written) if written.is_file() else digest_tree(digests.items())
    target = version_uri(uri, digest)
    if written.is_dir():
        target = target.removesuffix(f"/{SAVED_MODEL}")
    for name in sorted(files, key=lambda name: (name == SAVED_MODEL, name)):
        put(files[name], target if written.is_file() else f"{target}/{name}")
    return Produced(uri=target, digest=digest, bytes=sum(path.stat().st_size for path in files.values()))


def _files(written: Path) -> dict[str, Path]:
    """All files by relative name; a single one by its own."""
    if written.is_file():
        return {written.name: written}
    return {path.relative_to(written).as_posix(): path for path in written.rglob("*") if path.is_file()}
