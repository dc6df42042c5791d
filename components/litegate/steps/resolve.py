"""Step `resolve`: pin every input of the spec, so that all that follows is keyed by digests."""

from __future__ import annotations

import shutil
from pathlib import Path, PurePosixPath
from typing import Literal

from litegate.digest import digest_json
from litegate.errors import ModelError
from litegate.pinning import pin_code, pin_data, pin_metric
from litegate.records import ModelRef, Resolved, ResolveRequest
from litegate.source.bounds import check_bounds
from litegate.source.check import MODEL_FILES, check_model
from litegate.storage import Entry
from litegate.work import Work

__all__ = ["run"]

_KINDS = "a SavedModel directory, a .keras or a .h5 file"
Format = Literal["saved_model", "keras", "h5"]
_MAGIC: dict[bytes, Format] = {b"\x89HDF": "h5", b"PK\x03\x04": "keras"}


def run(request: ResolveRequest, work: Work) -> Resolved:
    """Pin the model by its bytes, the data sets by their manifests, and the user's code by its source.

    Raises:
        DataError: there is nothing at a URI, or it cannot be read.
        ModelError: what is there is not a model.
        SpecError: `preprocess` or the metric cannot be found, or the metric does not fit the spec's gate.
    """
    spec = request.spec
    metric, metric_code = pin_metric(spec, request.folder)
    model = _model(spec.model.uri, work)
    work.say("resolve: model %s is a %s, digest %s", model.uri, model.format, model.digest[:12])
    return Resolved(
        spec=spec,
        model=model,
        calibration=pin_data(spec.calibration, "calibration.uri", work),
        evaluation=pin_data(spec.evaluation, "evaluation.uri", work),
        metric=metric,
        metric_code=metric_code,
        preprocess=pin_code(spec.preprocess, request.folder, "preprocess"),
    )


def _model(uri: str, work: Work) -> ModelRef:
    entries = work.list_entries(uri, "model.uri")
    where = f"model.uri {uri}"
    check_bounds(len(entries), sum(entry.size for entry in entries), where)
    form, names = _names(entries, where, work)
    root = work.folder / "model"
    for entry, name in zip(entries, names, strict=True):
        _copy(entry, root, name, where, work)
    unkept = ModelRef(uri=uri, format=form, digest="", files=())
    check_model(root, unkept)
    files = tuple(work.keep(root / name, name) for name in names)
    return unkept.model_copy(update={"files": files, "digest": digest_json([[ref.name, ref.digest] for ref in files])})


def _names(entries: tuple[Entry, ...], where: str, work: Work) -> tuple[Format, list[str]]:
    """What kind of model it is, and what its files are called from now on."""
    names = [entry.name for entry in entries]
    if "saved_model.pb" in names:
        return "saved_model", names
    if len(entries) == 1:
        form = _format(work.fetch(entries[0], "model.uri"), where)
        return form, [MODEL_FILES[form]]
    raise ModelError(where, _KINDS, f"{len(names)} files without saved_model.pb")


def _copy(entry: Entry, root: Path, name: str, where: str, work: Work) -> None:
    path = root / name
    if PurePosixPath(name).is_absolute() or ".." in PurePosixPath(name).parts:
        raise ModelError(where, "files below the model's folder", repr(name))
    path.parent.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(work.fetch(entry, "model.uri"), path)


def _format(path: Path, where: str) -> Format:
    """Told by the first bytes: people rename files, and Keras itself goes by the name alone."""
    with path.open("rb") as file:
        head = file.read(512)
    form = _MAGIC.get(head[:4])
    if form is None:
        raise ModelError(where, _KINDS, _what_else(head))
    return form


def _what_else(head: bytes) -> str:
    """What people give in place of a model, by its first bytes."""
    if head[4:8] == b"TFL3":
        return "a .tflite file, which is converted already"
    if head[257:262] == b"ustar" or head[:2] == b"\x1f\x8b":
        return "a tar archive: unpack it, and name the folder"
    if head[:1] == b"\x80" and head[1:2] <= b"\x05":
        return "a pickle, which is never loaded"
    return f"a file of {head[:4]!r}..." if head else "an empty file"
