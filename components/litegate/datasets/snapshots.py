"""Pins what a spec names: data by their manifest, the user's code by its source."""

from __future__ import annotations

from litegate.errors import DataError, SpecError
from litegate.metrics.loading import load_metric
from litegate.records import DataRef, FilesRef, UserCode
from litegate.spec import Data, GroupedData, Spec, gate_problem, limits_problem
from litegate.spec.metric_facts import MetricFacts, built_in_facts
from litegate.storage.manifests import MANIFEST, Entry, entries_of, manifest_bytes, manifest_digest
from litegate.storage.opening import local_path
from litegate.user_code.source import source_digest
from litegate.work.step_work import Work

__all__ = ["snapshot_code", "snapshot_data", "snapshot_metric", "snapshot_training"]


def snapshot_data(section: Data, where: str, work: Work, besides: GroupedData | None = None) -> DataRef:
    """A dataset as it is now.

    Args:
        where: the spec key that names it.
        besides: a section whose group and slices are no features here either.

    Raises:
        DataError: there is nothing.
    """
    entries = work.list_entries(section.uri, where)
    digest = manifest_digest(entries)
    total = sum(entry.size for entry in entries)
    work.say("%s %s: %s objects, %s bytes, digest %s", where, section.uri, len(entries), total, digest[:12])
    return DataRef(
        uri=section.uri,
        format=section.format,
        digest=digest,
        manifest=work.keep_bytes(manifest_bytes(entries), MANIFEST),
        label=section.label,
        features=section.features,
        group=section.group if isinstance(section, GroupedData) else None,
        slices=tuple(section.slices) if isinstance(section, GroupedData) else (),
        besides=() if besides is None else _named_by(besides, section),
        classes=tuple(section.classes),
    )


def snapshot_training(uri: str, evaluation: DataRef, work: Work) -> FilesRef:
    """The data that a model is trained on, as they are now; litegate does not read them.

    Raises:
        DataError: there is nothing, or an object is one of those that the file is judged on.
    """
    where = "fine_tune.data"
    entries = work.list_entries(uri, where)
    judged = {_place(entry) for entry in entries_of(work.outputs / evaluation.manifest.digest)}
    for entry in entries:
        if _place(entry) in judged:
            raise DataError(where, "other data than those of evaluation.uri, which must stay unseen", entry.uri)
    manifest = work.keep_bytes(manifest_bytes(entries), MANIFEST)
    return FilesRef(uri=uri, digest=manifest_digest(entries), manifest=manifest)


def _place(entry: Entry) -> tuple[str, int, str]:
    """The same for objects of the same bytes, as far as that is known without reading them: on S3 by their ETag."""
    local = local_path(entry.uri)
    return (str(local.resolve()), entry.size, "") if local is not None else ("s3", entry.size, entry.pin)


def _named_by(other: GroupedData, section: Data) -> tuple[str, ...]:
    """Fields that another section names, as far as files of this format would have them."""
    if "images" in (other.format, section.format):
        return ()
    return tuple(name for name in (other.group, *other.slices) if name is not None and name != section.label)


def snapshot_metric(spec: Spec, folder: str) -> tuple[MetricFacts, UserCode | None]:
    """The facts of the spec's metric, and its source where it is the user's.

    Raises:
        SpecError: it cannot be found, or the limits of the spec have no meaning for it.
    """
    name = spec.evaluation.metric
    built_in = built_in_facts(name)
    if built_in is not None:
        return built_in, None  # and the spec has been checked against it
    code = snapshot_code(name, folder, "evaluation.metric")
    facts = load_metric(name, code).facts
    problem = gate_problem(spec.evaluation, spec.gate, facts)
    if spec.requalify is not None and problem is None:
        problem = limits_problem("requalify", spec.requalify, facts)
    if problem is not None:
        raise SpecError(*problem)
    return facts, code


def snapshot_code(reference: str | None, folder: str, where: str) -> UserCode | None:
    """The source behind a `package.module:name` as it is now; None for None."""
    if reference is None:
        return None
    return UserCode(reference=reference, folder=folder, digest=source_digest(reference, folder, where))
