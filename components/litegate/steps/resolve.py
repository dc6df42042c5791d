"""Step `resolve`: pin every input of the spec, so that all that follows is keyed by digests."""

from __future__ import annotations

import shutil
from pathlib import Path, PurePosixPath
from typing import Literal

from litegate.digest import digest_json
from litegate.errors import ModelError, SpecError
from litegate.metrics.facts import MetricFacts, built_in_facts
from litegate.metrics.loading import load_metric
from litegate.records import DataRef, ModelRef, Resolved, ResolveRequest, UserCode
from litegate.source.bounds import check_bounds
from litegate.source.check import MODEL_FILES, check_model
from litegate.spec import Calibration, Evaluation, Spec, gate_problem
from litegate.storage import Entry, manifest_digest
from litegate.user_code import source_digest
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
    metric, metric_code = _metric(spec, request.folder)
    model = _model(spec.model.uri, work)
    work.say("resolve: model %s is a %s, digest %s", model.uri, model.format, model.digest[:12])
    return Resolved(
        spec=spec,
        model=model,
        calibration=_data(spec.calibration, "calibration.uri", work),
        evaluation=_data(spec.evaluation, "evaluation.uri", work),
        metric=metric,
        metric_code=metric_code,
        preprocess=_user_code(spec.preprocess, request.folder, "preprocess"),
        trial=request.trial,
    )


def _metric(spec: Spec, folder: str) -> tuple[MetricFacts, UserCode | None]:
    name = spec.evaluation.metric
    built_in = built_in_facts(name)
    if built_in is not None:
        return built_in, None  # and the spec has been checked against it
    code = _user_code(name, folder, "evaluation.metric")
    facts = load_metric(name, code).facts
    problem = gate_problem(spec.evaluation, spec.gate, facts)
    if problem is not None:
        raise SpecError(*problem)
    return facts, code


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


def _data(section: Calibration | Evaluation, where: str, work: Work) -> DataRef:
    entries = work.list_entries(section.uri, where)
    digest = manifest_digest(entries)
    total = sum(entry.size for entry in entries)
    work.say("resolve: %s %s: %s objects, %s bytes, digest %s", where, section.uri, len(entries), total, digest[:12])
    manifest = "\n".join(entry.model_dump_json() for entry in entries).encode()
    return DataRef(
        uri=section.uri,
        format=section.format,
        digest=digest,
        manifest=work.keep_bytes(manifest, "manifest.jsonl"),
        label=section.label,
        features=section.features,
    )


def _user_code(reference: str | None, folder: str, where: str) -> UserCode | None:
    if reference is None:
        return None
    return UserCode(reference=reference, folder=folder, digest=source_digest(reference, folder, where))
