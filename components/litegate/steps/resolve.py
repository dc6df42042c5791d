"""Step `resolve`: pin every input of the spec, so that all that follows is keyed by digests."""

from __future__ import annotations

from pathlib import Path

from litegate.digest import digest_json
from litegate.errors import ModelError, SpecError
from litegate.metrics.facts import MetricFacts, built_in_facts
from litegate.metrics.loading import load_metric
from litegate.records import DataRef, FileRef, ModelRef, Resolved, ResolveRequest, UserCode
from litegate.spec import Calibration, Evaluation, Spec, gate_problem
from litegate.storage import Entry, list_entries, manifest_digest
from litegate.user_code import source_digest
from litegate.work import Work

__all__ = ["run"]

_KINDS = "a SavedModel directory, a .keras or a .h5 file"
_MAGIC = {b"\x89HDF": "h5", b"PK\x03\x04": "keras"}


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
    entries = list_entries(uri, "model.uri")
    names = {entry.name for entry in entries}
    if "saved_model.pb" in names:
        files = tuple(_keep(entry, entry.name, work) for entry in entries)
        form = "saved_model"
    elif len(entries) == 1:
        form = _format(work.fetch(entries[0], "model.uri"), uri)
        files = (_keep(entries[0], f"model.{form}", work),)
    else:
        raise ModelError(f"model.uri {uri}", _KINDS, f"{len(names)} files without saved_model.pb")
    digest = digest_json([[ref.name, ref.digest] for ref in files])
    return ModelRef.model_validate({"uri": uri, "format": form, "digest": digest, "files": files})


def _keep(entry: Entry, name: str, work: Work) -> FileRef:
    copy = work.folder / "copy"
    copy.write_bytes(work.fetch(entry, "model.uri").read_bytes())
    return work.keep(copy, name)


def _format(path: Path, uri: str) -> str:
    """Told by the first bytes: people rename files, and Keras itself goes by the name alone."""
    with path.open("rb") as file:
        magic = file.read(4)
    if magic not in _MAGIC:
        raise ModelError(f"model.uri {uri}", _KINDS, f"a file of {magic!r}...")
    return _MAGIC[magic]


def _data(section: Calibration | Evaluation, where: str, work: Work) -> DataRef:
    entries = list_entries(section.uri, where)
    digest = manifest_digest(entries)
    total = sum(entry.size for entry in entries)
    work.say("resolve: %s %s: %s objects, %s bytes, digest %s", where, section.uri, len(entries), total, digest[:12])
    manifest = "\n".join(entry.model_dump_json() for entry in entries).encode()
    return DataRef(
        uri=section.uri, format=section.format, digest=digest, manifest=work.keep_bytes(manifest, "manifest.jsonl")
    )


def _user_code(reference: str | None, folder: str, where: str) -> UserCode | None:
    if reference is None:
        return None
    return UserCode(reference=reference, folder=folder, digest=source_digest(reference, folder, where))
