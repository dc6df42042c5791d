"""A home in which steps find what their requests name, and what belongs to others."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from litegate import records
from litegate.digest import digest_bytes
from litegate.records import Artifact, DataRef, FileRef, Record, Signature, TensorSpec, UserCode
from litegate.settings import Settings
from litegate.spec import parse_spec
from litegate.spec.metric_facts import BUILT_IN
from litegate.storage.manifests import MANIFEST, manifest_bytes, manifest_digest
from litegate.storage.user_objects import list_entries
from litegate.storage.workspace import Workspace

__all__ = ["CHANNEL", "NOTHING", "NOW", "SECRET", "SIGNATURE", "TOP1", "Case", "World"]

SIGNATURE = Signature(
    inputs={"x": TensorSpec(shape=(-1, 8), dtype="float32")},
    outputs={"y": TensorSpec(shape=(-1, 4), dtype="float32")},
)
TOP1 = BUILT_IN["top1"]
CHANNEL = records.RegisteredAlias(registry="m")
NOW = "2026-01-01T00:00:00+00:00"
SECRET = b"the secret of the worker"
NOTHING: dict[str, Any] = {"drop": None, "drop_low": None, "drop_high": None, "latency_ms": None, "uri": None}


@dataclass
class Case:
    """A step's request and result.

    Attributes:
        asks: what it asks the broker for, as the step does: what to do, and the address.
    """

    request: Record
    result: Record
    asks: tuple[tuple[str, str], ...] = ()


class World:
    """A home with a workspace, a user's folder, and what belongs to others: another run's file, and a secret.

    What the child of a case writes is in `written`, by digest.
    """

    def __init__(self, root: Path, pythons: dict[str, Path]) -> None:
        self.root = root
        self.places = Settings(str(root / "workspace"), root / "cache", root / "scratch", pythons, waits=())
        self.workspace = Workspace(self.places.workspace, self.places.cache)
        self.user, self.outside = root / "user", root / "outside"
        for folder in (self.user, self.outside, self.places.scratch):
            folder.mkdir(parents=True)
        self.secret = self.outside / "secret"
        self.secret.write_bytes(SECRET)
        self.others = self.given("others.bin", b"another run's file")
        self.workspace.fetch(self.others)
        for name in ("model.keras", "train.npz", "test.npz", "fresh.npz"):
            (self.user / name).write_bytes(name.encode())
        self.written: dict[str, bytes] = {}

    def given(self, name: str, content: bytes) -> FileRef:
        """A file in the workspace."""
        path = self.root / "given"
        path.write_bytes(content)
        return self.workspace.keep_file(path, name)

    def wrote(self, name: str, content: bytes) -> FileRef:
        """A file that the child writes."""
        digest = digest_bytes(content)
        self.written[digest] = content
        return FileRef(name=name, digest=digest, bytes=len(content))

    @property
    def spec(self) -> Any:
        data = {"format": "npz"}
        return parse_spec(
            {
                "model": {"name": "m", "uri": str(self.user / "model.keras")},
                "calibration": data | {"uri": str(self.user / "train.npz"), "samples": 20},
                "evaluation": data | {"uri": str(self.user / "test.npz")},
                "requalify": data | {"uri": str(self.user / "fresh.npz")},
                "preprocess": "theirs:preprocess",
                "variants": ["int8"],
            }
        )

    def data(self, uri: str, keep: Callable[[str, bytes], FileRef]) -> DataRef:
        entries = list_entries(uri, "data")
        manifest = keep(MANIFEST, manifest_bytes(entries))
        return DataRef(uri=uri, format="npz", digest=manifest_digest(entries), manifest=manifest)

    def artifact(self, variant: str, keep: Callable[[str, bytes], FileRef]) -> Artifact:
        file = keep(f"{variant}.tflite", f"the bytes of {variant}".encode())
        return Artifact(variant=variant, file=file, signatures={"serving_default": SIGNATURE})

    @property
    def baseline(self) -> Artifact:
        return self.artifact("float32", self.given)

    @property
    def int8(self) -> Artifact:
        return self.artifact("int8", self.given)

    @property
    def code(self) -> UserCode:
        return UserCode(reference="theirs:preprocess", folder=str(self.user), digest="c" * 64)

    def samples(self, keep: Callable[[str, bytes], FileRef]) -> records.SampleSet:
        inputs = {"serving_default/x": self.statistics}
        file = keep("samples.npz", b"samples")
        return records.SampleSet(file=file, samples=20, available=40, labels={"0": 12, "1": 8}, inputs=inputs)

    @property
    def statistics(self) -> records.InputStatistics:
        return records.InputStatistics(
            samples=20, low=-1.0, high=1.0, mean=0.0, std=0.5, tails=(-0.9, 0.9), edges=(0.0,), shares=(0.5, 0.5)
        )

    def evaluated(self, artifact: Artifact, keep: Callable[[str, bytes], FileRef]) -> records.Evaluated:
        return records.Evaluated(variant=artifact.variant, **dict(self.evaluation(artifact, keep)))

    def evaluation(self, artifact: Artifact, keep: Callable[[str, bytes], FileRef]) -> records.FileEvaluation:
        return records.FileEvaluation(
            artifact_digest=artifact.file.digest,
            metric=TOP1,
            samples=100,
            available=100,
            outcomes=keep(f"{artifact.variant}-outcomes.npz", f"outcomes of {artifact.variant}".encode()),
            class_samples={0: 60, 1: 40},
            predictions={0: 55, 1: 45},
            classes=("cat", "dog"),
            seconds=1.5,
            kernels="xnnpack",
        )

    def candidate(self, artifact: Artifact) -> records.Candidate:
        return records.Candidate(artifact=artifact, evaluated=self.evaluated(artifact, self.given))

    def model(self, keep: Callable[[str, bytes], FileRef]) -> records.ModelRef:
        file = keep("model.keras", b"model.keras")
        uri = str(self.user / "model.keras")
        return records.ModelRef(uri=uri, format="keras", digest=file.digest, files=(file,))

    def resolved(self, keep: Callable[[str, bytes], FileRef]) -> records.Resolved:
        return records.Resolved(
            spec=self.spec,
            model=self.model(keep),
            calibration=self.data(str(self.user / "train.npz"), keep),
            evaluation=self.data(str(self.user / "test.npz"), keep),
            metric=TOP1,
            preprocess=self.code,
        )

    def pinned(self, keep: Callable[[str, bytes], FileRef]) -> records.Snapshot:
        data = self.data(str(self.user / "fresh.npz"), keep)
        return records.Snapshot(spec=self.spec, data=data, metric=TOP1, preprocess=self.code)

    @property
    def champion(self) -> records.ChampionEvidence:
        return records.ChampionEvidence(
            version=1,
            artifact=self.int8,
            baseline=self.baseline,
            reference=records.DriftReference(inputs={"serving_default/x": self.statistics}),
            model_id="m-1",
            mlflow_run_id="r",
        )

    def verdict(self, artifact: Artifact, state: str, **values: Any) -> records.Verdict:
        found = {"variant": artifact.variant, "state": state, "digest": artifact.file.digest, "samples": 100}
        return records.Verdict.model_validate(found | {"sentence": "it may ship", "available": 100} | values)
