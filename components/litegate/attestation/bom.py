"""A bill of materials of a version, CycloneDX 1.6 with a model card: what its file was made of, by whom and how good.

https://cyclonedx.org/docs/1.6/json/; nothing in it depends on when it is written: the same version has the same.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any
from uuid import UUID, uuid5

from litegate.presentation.wording import short_name
from litegate.records import Candidate, DataRef, RegisterRequest, Signature, Verdict
from litegate.runtimes.litert import choose_signature

__all__ = ["bill_of_materials"]

_OWN = UUID("7f1d6f0e-6b1b-5c1e-9d0a-2f6a3b8c4d5e")
"""In whose space the serial numbers are: equal files of equal origin have equal ones."""

_NO_TOOL = "isolation"
"""Stands among the tools of a run, and says how its steps were shut off."""

Json = dict[str, Any]


def bill_of_materials(
    request: RegisterRequest, verdict: Verdict, candidate: Candidate, subjects: Mapping[str, str], own_version: str
) -> str:
    """The bill as JSON.

    Args:
        verdict, candidate: of the variant that was selected.
        subjects: by name, the SHA-256 of the files that ship.
        own_version: of litegate.
    """
    resolved = request.resolved
    file = candidate.artifact.file
    parts = [_source(request), _data("calibration", resolved.calibration), _data("evaluation", resolved.evaluation)]
    used = {name: version for name, version in request.tools.items() if name != _NO_TOOL} | {"litegate": own_version}
    bill = {
        "$schema": "http://cyclonedx.org/schema/bom-1.6.schema.json",
        "bomFormat": "CycloneDX",
        "specVersion": "1.6",
        "serialNumber": f"urn:uuid:{uuid5(_OWN, f'{request.run_key} {file.digest}')}",
        "version": 1,
        "metadata": {
            "tools": {"components": [_tool(name, version) for name, version in sorted(used.items())]},
            "component": _model(request, verdict, candidate),
        },
        "components": [*parts, *_shipped(subjects, file.digest)],
        "dependencies": [{"ref": "file", "dependsOn": [part["bom-ref"] for part in parts]}],
    }
    return json.dumps(bill, indent=2, sort_keys=True, allow_nan=False)


def _model(request: RegisterRequest, verdict: Verdict, candidate: Candidate) -> Json:
    """The file itself, with its model card."""
    spec, artifact = request.resolved.spec, candidate.artifact
    key = choose_signature(tuple(artifact.signatures), spec.evaluation.signature)
    return {
        "type": "machine-learning-model",
        "bom-ref": "file",
        "name": spec.registry.name,
        "version": artifact.file.digest,
        "description": verdict.sentence or f"{artifact.variant} of {spec.model.name}",
        "hashes": _hashes(artifact.file.digest),
        "modelCard": {
            "modelParameters": {
                "modelArchitecture": f"LiteRT, {artifact.variant}",
                "datasets": [{"ref": "calibration"}, {"ref": "evaluation"}],
                **_tensors(artifact.signatures[key]),
            },
            "quantitativeAnalysis": {"performanceMetrics": list(_metrics(request, verdict, candidate))},
        },
        "properties": list(_properties(request, candidate)),
    }


def _tensors(signature: Signature) -> Json:
    inputs, outputs = (
        [{"format": f"{name}: {tensor.dtype}{list(tensor.shape)}"} for name, tensor in sorted(tensors.items())]
        for tensors in (signature.inputs, signature.outputs)
    )
    return {"inputs": inputs, "outputs": outputs}


def _metrics(request: RegisterRequest, verdict: Verdict, candidate: Candidate) -> Iterator[Json]:
    """The metric on the whole, its loss against float32 with bounds, and what each class lost most."""
    metric = short_name(request.resolved.metric.name)
    if verdict.value is not None:
        yield {"type": metric, "value": f"{verdict.value:.6g}"}
    if verdict.drop is not None:
        yield _with_bounds(f"{metric} drop from float32", verdict.drop, verdict.drop_low, verdict.drop_high)
    for loss in verdict.classes:
        yield {"slice": f"class {loss.name}"} | _with_bounds(
            f"{metric} drop from float32", loss.drop, loss.low, loss.high
        )
    if candidate.benchmark is not None:
        yield {"type": "latency_ms", "value": f"{candidate.benchmark.latency_ms:.6g}"}


def _with_bounds(kind: str, value: float, low: float | None, high: float | None) -> Json:
    bounds = {"lowerBound": low, "upperBound": high}
    interval = {name: f"{bound:.6g}" for name, bound in bounds.items() if bound is not None}
    return {"type": kind, "value": f"{value:.6g}"} | ({"confidenceInterval": interval} if interval else {})


def _properties(request: RegisterRequest, candidate: Candidate) -> Iterator[Json]:
    spec, artifact = request.resolved.spec, candidate.artifact
    known = {
        "variant": artifact.variant,
        "engine": spec.engine_of(artifact.variant),
        "target": spec.target,
        "bytes": str(artifact.file.bytes),
        "processor": artifact.made_on,
        "kernels": candidate.evaluated.kernels,
    }
    yield from ({"name": f"litegate:{name}", "value": value} for name, value in known.items() if value)


def _source(request: RegisterRequest) -> Json:
    model = request.resolved.model
    return {
        "type": "machine-learning-model",
        "bom-ref": "source",
        "name": request.resolved.spec.model.name,
        "version": model.digest,
        "hashes": _hashes(model.digest),
        "externalReferences": [{"type": "distribution", "url": model.uri}],
        "properties": [{"name": "litegate:format", "value": model.format}],
    }


def _data(of: str, data: DataRef) -> Json:
    """A dataset; its digest is that over its manifest, which lists its objects."""
    return {
        "type": "data",
        "bom-ref": of,
        "name": f"{of} data",
        "version": data.digest,
        "hashes": _hashes(data.digest),
        "data": [{"type": "dataset", "name": of, "contents": {"url": data.uri}}],
        "properties": [{"name": "litegate:manifest_sha256", "value": data.manifest.digest}],
    }


def _shipped(subjects: Mapping[str, str], own: str) -> Iterator[Json]:
    """What ships beside the file, such as its C source."""
    for name, digest in sorted(subjects.items()):
        if digest != own:
            yield {"type": "file", "bom-ref": f"shipped {name}", "name": name, "hashes": _hashes(digest)}


def _tool(name: str, version: str) -> Json:
    package = name.lower().replace("_", "-")
    return {"type": "library", "name": name, "version": version, "purl": f"pkg:pypi/{package}@{version}"}


def _hashes(digest: str) -> list[Json]:
    return [{"alg": "SHA-256", "content": digest}]
