"""What a device gave, checked against the file that it ran and the samples that it was given, and stored."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from litegate.digest import digest_file
from litegate.errors import BadInput
from litegate.pipeline.on_device import DeviceRun
from litegate.runtimes.device_evidence import Evidence, read_evidence
from litegate.runtimes.evidence_checks import check_file, check_outputs, check_samples
from litegate.storage.opening import open_storage
from litegate.storage.workspace import Workspace

__all__ = ["Added", "add"]


@dataclass(frozen=True)
class Added:
    """Evidence that is stored.

    Attributes:
        uri: where.
        new: whether other bytes, or none, were there before.
    """

    variant: str
    evidence: Evidence
    uri: str
    new: bool


def add(run: DeviceRun, file: Path, replace: bool = False) -> Added:
    """Check evidence of the run's only variant, all of it, and then store it.

    Args:
        run: of the variant; not run yet. What it makes is mostly found, for it was given out before.
        replace: whether other evidence of the file from this device may be replaced.

    Raises:
        BadInput: it is not evidence of this file on these samples, or another one is stored.
        StepFailed: the file cannot be made.
    """
    if not file.is_file():
        raise BadInput(str(file), "evidence of a device", "no such file")
    evidence = read_evidence(file)
    artifact, (variant,) = run.run().artifact(run.variants[0]), run.variants
    device = run.request.spec.evaluation.device
    assert device is not None, "a device run has one"
    check_file(evidence, artifact.file.digest, device.name)
    check_outputs(evidence, artifact.signatures[run.samples.signature].outputs)
    check_samples(evidence, *_given(run))
    uri = device.address_of(artifact.file.digest)
    return Added(variant, evidence, uri, _stored(file, uri, replace))


def _given(run: DeviceRun) -> tuple[np.ndarray, np.ndarray]:
    """Names of the samples that are given out, and digests of what they feed."""
    path = Workspace(run.places.workspace, run.places.cache).fetch(run.samples.file)
    with np.load(path, allow_pickle=False) as arrays:
        return arrays["id"], arrays["fed"]


def _stored(file: Path, uri: str, replace: bool) -> bool:
    """Write it once; the same bytes again change nothing.

    Raises:
        BadInput: other bytes are there, and they are not to be replaced.
    """
    storage = open_storage(uri)
    if storage.put_if_absent("", file):
        return True
    there = hashlib.sha256()
    for block in storage.read(""):
        there.update(block)
    if there.hexdigest() == digest_file(file):
        return False
    if not replace:
        raise BadInput(uri, "no evidence, or this one", "another one; --replace puts this one in its place")
    storage.put("", file)
    return True
