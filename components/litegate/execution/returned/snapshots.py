"""What a result pins, compared with what the parent has listed and read itself while the child ran.

Later steps get what is pinned: the files of the model, the objects of the datasets, by the parent's own rights. The
child says only which of what it was shown it means.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

from litegate.digest import digest_bytes
from litegate.execution.returned.claims import equal
from litegate.records import Converted, DataRef, FileRef, FilesRef, ModelRef, Record, Resolved, Snapshot
from litegate.source.kinds import MODEL_FILES, model_digest
from litegate.spec import Data
from litegate.storage.manifests import MANIFEST, manifest_bytes, manifest_digest
from litegate.storage.versions import SAVED_MODEL
from litegate.work.broker import Broker

__all__ = ["Seen", "contradictions"]


@dataclass(frozen=True)
class Seen:
    """What the parent knows by itself.

    Attributes:
        isolation: what the child was shut off from, as its sandbox said before it ran anything.
        broker: which has listed and fetched for the child; None if it had none.
    """

    isolation: str
    broker: Broker | None


def contradictions(step: str, result: Record, seen: Seen) -> Iterator[str]:
    """What of a result contradicts what the parent has seen."""
    return _CHECKS[step](result, seen) if step in _CHECKS else iter(())


def _resolved(result: Resolved, seen: Seen) -> Iterator[str]:
    spec = result.spec  # which is that of the request
    yield from _model(spec.model.uri, result.model, seen)
    yield from _data("calibration", spec.calibration, result.calibration, seen)
    yield from _data("evaluation", spec.evaluation, result.evaluation, seen)
    for given in spec.candidates:
        yield from _single_file(f"candidates.{given.name}", given.location, result.candidates.get(given.name), seen)
    if spec.fine_tune is not None and result.training is not None:
        yield from _files("fine_tune.data", spec.fine_tune.data, result.training, seen)
    yield from equal("whether there is training data", result.training is not None, spec.fine_tune is not None)
    yield from _evidence(result, seen)
    recorded = spec.model.recorded_outputs
    if recorded is not None:
        yield from _single_file("model.recorded_outputs", recorded, result.recorded, seen)
    else:
        yield from equal("model.recorded_outputs", result.recorded, None)


def _evidence(result: Resolved, seen: Seen) -> Iterator[str]:
    """All that lies there, under the digests that its folders are called by."""
    device, where = result.spec.evaluation.device, "evaluation.device.evidence"
    found: dict[str | None, str] = {}
    if device is not None:
        entries = seen.broker.listings.get(device.everything) if seen.broker else None
        if seen.broker is None or entries is None:
            yield f"{where}: expected what was listed at {device.everything}, got what was not"
            return
        found = {device.digest_in(entry.name): seen.broker.digest(entry, where) for entry in entries}
    found.pop(None, None)
    yield from equal(where, {digest: file.digest for digest, file in result.evidence.items()}, found)


def _single_file(where: str, uri: str, file: FileRef | None, seen: Seen) -> Iterator[str]:
    found = seen.broker.models.get(uri) if seen.broker else None
    if seen.broker is None or found is None or file is None:
        yield f"{where}: expected a file that was looked for at {uri}, got none"
        return
    yield from equal(f"{where}: files", len(found.entries), 1)
    digests = [seen.broker.digest(entry, where) for entry in found.entries]
    yield from equal(f"{where}: digest", [file.digest], digests)


def _snapshot(result: Snapshot, seen: Seen) -> Iterator[str]:
    if result.spec.requalify is None:
        yield "data: expected none, for the spec has no fresh data"
    else:
        yield from _data("requalify", result.spec.requalify, result.data, seen)


def _converted(result: Converted, seen: Seen) -> Iterator[str]:
    yield from equal("tools.isolation", result.tools.get("isolation"), seen.isolation)


def _model(uri: str, model: ModelRef, seen: Seen) -> Iterator[str]:
    found = seen.broker.models.get(uri) if seen.broker else None
    if seen.broker is None or found is None:
        yield f"the model: expected one that was looked for at {uri}, got one that was not"
        return
    names = [entry.name for entry in found.entries]
    folder = SAVED_MODEL in names
    yield from equal("whether the model is a SavedModel", model.format == "saved_model", folder)
    if not folder:
        names = [MODEL_FILES.get(model.format, SAVED_MODEL)]
    yield from equal("model.uri", model.uri, found.uri)
    yield from equal("names of the model's files", [ref.name for ref in model.files], names)
    digests = [seen.broker.digest(entry, "model.uri") for entry in found.entries]
    yield from equal("digests of the model's files", [ref.digest for ref in model.files], digests)
    if model.files:
        yield from equal("model.digest", model.digest, model_digest(model.format, model.files))


def _data(where: str, section: Data, data: DataRef, seen: Seen) -> Iterator[str]:
    named = (data.format, data.label, data.features)
    yield from equal(where, named, (section.format, section.label, section.features))
    yield from _files(where, section.uri, data, seen)


def _files(where: str, uri: str, data: FilesRef, seen: Seen) -> Iterator[str]:
    entries = seen.broker.listings.get(uri) if seen.broker else None
    if entries is None:
        yield f"{where}: expected a dataset that was listed at {uri}, got one that was not"
        return
    yield from equal(where, data.uri, uri)
    yield from equal(f"{where}.digest", data.digest, manifest_digest(entries))
    manifest = manifest_bytes(entries)
    pinned = (data.manifest.name, data.manifest.digest, data.manifest.bytes)
    yield from equal(f"{where}.manifest", pinned, (MANIFEST, digest_bytes(manifest), len(manifest)))


_CHECKS: Mapping[str, Callable[[Any, Seen], Iterator[str]]] = MappingProxyType(
    {"resolve": _resolved, "snapshot": _snapshot, "convert": _converted}
)
