"""For each step a request, and the result and the files that an honest child would hand back for it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from litegate import records
from litegate.digest import digest_bytes
from litegate.promotion import chained
from litegate.records import Artifact, DataRef, FileRef, Record, Signature, TensorSpec, UserCode
from litegate.records.inputs import DataRef as Snapshot
from litegate.settings import Settings
from litegate.spec import Requalify, parse_spec
from litegate.spec.metric_facts import BUILT_IN
from litegate.storage.manifests import MANIFEST, manifest_bytes, manifest_digest
from litegate.storage.user_objects import list_entries
from litegate.storage.workspace import Store

__all__ = ["HONEST", "SECRET", "Case", "World"]

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
        self.store = Store(self.places.workspace, self.places.cache)
        self.user, self.outside = root / "user", root / "outside"
        for folder in (self.user, self.outside, self.places.scratch):
            folder.mkdir(parents=True)
        self.secret = self.outside / "secret"
        self.secret.write_bytes(SECRET)
        self.others = self.given("others.bin", b"another run's file")
        self.store.fetch(self.others)
        for name in ("model.keras", "train.npz", "test.npz", "fresh.npz"):
            (self.user / name).write_bytes(name.encode())
        self.written: dict[str, bytes] = {}

    def given(self, name: str, content: bytes) -> FileRef:
        """A file in the workspace."""
        path = self.root / "given"
        path.write_bytes(content)
        return self.store.keep_file(path, name)

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
        return Snapshot(uri=uri, format="npz", digest=manifest_digest(entries), manifest=manifest)

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
        return records.Evaluated(
            variant=artifact.variant,
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


def _produced(world: World, uri: str) -> records.Produced:
    return records.Produced(uri=uri, digest=digest_bytes(b"made"), bytes=4)


def prepare(world: World) -> Case:
    uri = str(world.user / "made.npz")
    request = records.ProduceRequest(entry_point="theirs:make", folder=str(world.user), arguments={}, uri=uri)
    return Case(request, _produced(world, uri))


def train(world: World) -> Case:
    uri = str(world.user / "versions" / "*.keras")
    spec = parse_spec(world.spec.model_dump() | {"retrain": {"command": ["train"]}})
    request = records.TrainRequest(retrain=spec.retrain, uri=uri, folder=str(world.user))
    return Case(request, _produced(world, uri.replace("*", f"20260101T000000.0Z-{digest_bytes(b'made')[:12]}")))


def resolve(world: World) -> Case:
    spec = world.spec
    request = records.ResolveRequest(spec=spec, folder=str(world.user))
    asks = (("find_model", spec.model.uri), ("list", spec.calibration.uri), ("list", spec.evaluation.uri))
    return Case(request, world.resolved(world.wrote), asks)


def snapshot(world: World) -> Case:
    request = records.SnapshotRequest(spec=world.spec, folder=str(world.user))
    return Case(request, world.pinned(world.wrote), (("list", world.spec.requalify.uri),))


def convert(world: World) -> Case:
    saved = (world.wrote("saved_model.pb", b"graph"), world.wrote("variables/variables.index", b"index"))
    result = records.Converted(
        artifact=world.artifact("float32", world.wrote),
        saved_model=saved,
        tools={"tensorflow": "2.21.0", "isolation": "complete"},
    )
    return Case(records.ConvertRequest(model=world.model(world.given)), result)


def infer_schema(world: World) -> Case:
    data = world.data(str(world.user / "train.npz"), world.given)
    request = records.InferSchemaRequest(data=data, inputs=SIGNATURE.inputs, where="DATA")
    found = {"x": records.DataField(dtype="float32", shape=(8,))}
    return Case(request, records.InferredSchema(samples=40, fields=found, classes=("cat",)))


def sample(world: World) -> Case:
    data = world.data(str(world.user / "train.npz"), world.given)
    request = records.SampleRequest(data=data, artifact=world.baseline, samples=20, seed=1, preprocess=world.code)
    return Case(request, world.samples(world.wrote))


def lint(world: World) -> Case:
    request = records.LintRequest(
        samples=world.samples(world.given),
        artifact=world.baseline,
        calibration=world.data(str(world.user / "train.npz"), world.given),
        evaluation=world.data(str(world.user / "test.npz"), world.given),
        seed=1,
    )
    finding = records.DataFinding(severity="warning", code="few", message="few", numbers={"n": 1.0}, samples=("a",))
    return Case(request, records.Lint(findings=(finding,), samples=20, compared=40, searched=40))


def conversion_check(world: World) -> Case:
    request = records.ConversionCheckRequest(
        model=world.model(world.given), artifact=world.baseline, samples=world.samples(world.given)
    )
    return Case(request, records.ConversionCheck(samples=20, max_abs_difference=1e-6, agreement=1.0))


def quantize(world: World) -> Case:
    request = records.QuantizeRequest(
        variant="int8",
        saved_model=(world.given("saved_model.pb", b"graph"),),
        baseline=world.baseline,
        samples=world.samples(world.given),
    )
    return Case(request, world.artifact("int8", world.wrote))


def inspect(world: World) -> Case:
    request = records.InspectRequest(artifact=world.int8, baseline=world.baseline, source="m.keras", target="cpu")
    use = records.OperatorUse(name="ADD", computes="integer", inputs=("int8",), outputs=("int8",), count=2, macs=9)
    finding = records.Finding(severity="warning", code="c", message="m", count=1, examples=("t",))
    counts = {"kinds": 1, "operator_count": 2, "float_operators": 0, "macs": 9, "float_macs": 0, "islands": 0}
    result = records.Inspection(
        variant="int8",
        artifact_digest=world.int8.file.digest,
        scheme="int8",
        inputs={"x": "int8"},
        outputs={"y": "int8"},
        operators=(use,),
        float_names=(),
        island_examples=("ADD",),
        per_axis=1,
        per_tensor=1,
        buffers=(records.BufferUse(kind="weights int8", buffers=1, bytes=9),),
        largest=(records.LargeBuffer(name="w", type="int8", shape=(3, 3), bytes=9),),
        weights_compared=1,
        weight_error=0.5,
        findings=(finding,),
        blocking=(),
        **counts,
    )
    return Case(request, result)


def smoke(world: World) -> Case:
    request = records.SmokeRequest(
        artifact=world.int8, baseline=world.baseline, samples=world.samples(world.given), source="m.keras"
    )
    result = records.SmokeRun(
        variant="int8",
        artifact_digest=world.int8.file.digest,
        samples=20,
        constant=False,
        reference_samples=20,
        kernel_difference=0.01,
        kernel_agreement=1.0,
        warnings=("odd",),
    )
    return Case(request, result)


def benchmark(world: World) -> Case:
    request = records.BenchmarkRequest(artifact=world.int8, samples=world.samples(world.given))
    result = records.Benchmark(variant="int8", latency_ms=0.5, latency_p95_ms=0.6, runs=9, host="h", kernels="xnnpack")
    return Case(request, result)


def evaluate(world: World) -> Case:
    beside = world.baseline
    spec = world.spec
    request = records.EvaluateRequest(
        artifact=world.int8,
        data=world.data(str(world.user / "test.npz"), world.given),
        metric="top1",
        max_samples=None,
        seed=1,
        references=(records.Reference(role="baseline", artifact=beside),),
        stopping=records.Stopping(policy=spec.gate, variants=1, first_samples=20),
    )
    outcomes = world.wrote("int8-baseline-outcomes.npz", b"outcomes of float32 beside int8")
    seen = records.ReferenceOutcomes(role="baseline", artifact_digest=beside.file.digest, outcomes=outcomes)
    change = {"samples": 40, "predictions": {0: 25, 1: 15}, "design": "interim", "analyses": 3, "references": (seen,)}
    return Case(request, world.evaluated(world.int8, world.wrote).model_copy(update=change))


def gate(world: World) -> Case:
    baseline, candidate = world.candidate(world.baseline), world.candidate(world.int8)
    request = records.GateRequest(
        policy=world.spec.gate, target="cpu", variants=("int8",), baseline=baseline, candidates=(candidate,)
    )
    clause = records.Clause(
        name="max_drop", state="passed", estimate=0.0, low=-0.1, high=0.1, limit=0.2, p_value=0.01, samples=100
    )
    loss = records.ClassLoss(
        label=0, name="cat", samples=60, baseline=0.9, value=0.9, drop=0.0, low=None, high=0.1, proved=False
    )
    passed = world.verdict(
        world.int8,
        "passed",
        drop=0.0,
        clauses=(clause,),
        classes=(loss,),
        reasons=(records.Reason(code="within_max_drop", message="m"),),
        flips=(records.Flip(id="a", label=0, baseline=1.0, value=0.0, loss=1.0),),
        explanation=(world.wrote("int8-flipped.csv", b"flipped"), world.wrote("int8-classes.csv", b"classes")),
    )
    return Case(request, records.Verdicts(verdicts=(world.verdict(world.baseline, "baseline"), passed)))


def drift(world: World) -> Case:
    request = records.DriftRequest(
        champion=world.champion,
        evaluated=world.evaluated(world.int8, world.given),
        data=world.data(str(world.user / "fresh.npz"), world.given),
        limits=Requalify.model_validate(world.spec.requalify.model_dump()),
        seed=1,
    )
    found = records.InputDrift(
        input="x", now=world.statistics, low=-1.0, high=1.0, clips=False, outside=0.0, shift=0.1, psi=0.1
    )
    finding = records.DriftFinding(measure="psi", subject="x", value=0.3, limit=0.2, chance=0.1, message="m")
    return Case(request, records.Drift(samples=40, inputs=(found,), findings=(finding,), notes=("n",), sentence="s"))


def fetch_champion(world: World) -> Case:
    request = records.ChampionRequest(registry="m", alias="champion")
    return Case(request, records.ChampionFile(version=1, artifact=world.artifact("champion", world.wrote)))


def fetch_champion_evidence(world: World) -> Case:
    found = world.champion.model_copy(
        update={"artifact": world.artifact("int8", world.wrote), "baseline": world.artifact("float32", world.wrote)}
    )
    request = records.ChampionRequest(registry="m", alias="champion")
    return Case(request, records.FoundChampion(champion=found))


def register(world: World) -> Case:
    baseline, candidate = world.candidate(world.baseline), world.candidate(world.int8)
    request = records.RegisterRequest(
        run_key="k",
        links={},
        resolved=world.resolved(world.given),
        conversion_check=records.ConversionCheck(samples=20, max_abs_difference=0.0, agreement=1.0),
        samples=world.samples(world.given),
        tools={},
        baseline=baseline,
        candidates=(candidate,),
        verdicts=(world.verdict(world.int8, "passed"),),
        selection=records.Selection(variant="int8", why="w"),
    )
    digest = world.int8.file.digest
    row = records.VariantRow(
        variant="int8", bytes=9, value=0.9, samples=9, verdict="passed", reasons=("r",), digest=digest,
        mlflow_run_id="r", **NOTHING,
    )  # fmt: skip
    result = records.RunResult(
        model="m",
        outcome="selected",
        selected=records.Champion(variant="int8", version=1, digest=digest),
        baseline=records.BaselineSummary(bytes=9, metric="top1", value=0.9, samples=9),
        variants=(row,),
        experiment_id="1",
        mlflow_run_id="r",
        report="http://mlflow/report",
    )
    return Case(request, result)


def promote(world: World) -> Case:
    selected = records.Champion(variant="int8", version=1, digest=world.int8.file.digest)
    request = records.PromoteRequest(
        channel=CHANNEL, selected=selected, order=NOW, actor="a", run_key="k", mlflow_run_id="r"
    )
    return Case(request, records.Promotion(selected=selected, champion=selected, previous=None, moved=True))


def _decided() -> records.Decided:
    decision = records.Decision(channel=CHANNEL, action="accepted", key="k", actor="a", why="w", version=1)
    return records.Decided(entry=chained((), decision, None, 1), aliases=records.Aliases(champion=1), moved=True)


def decide(world: World) -> Case:
    decided = _decided()
    return Case(decided.entry.decision, decided)


def ledger(world: World) -> Case:
    revoked = records.Revoked(version=2, entry=_decided().entry)
    result = records.ChannelState(
        channel=CHANNEL,
        aliases=records.Aliases(champion=1),
        frozen=None,
        pending=(3,),
        revoked=(revoked,),
        entries=(_decided().entry,),
    )
    return Case(records.LedgerRequest(channel=CHANNEL), result)


def read_ledger(world: World) -> Case:
    return Case(records.PositionRequest(channel=CHANNEL, run_key="k"), records.Position(entries=2))


def _requalification() -> records.Requalification:
    return records.Requalification(
        number=1, version=1, variant="int8", state="passed", broken=False, drifted=False, sentence="s", drift="d",
        experiment_id="1", mlflow_run_id="r",
    )  # fmt: skip


def requalify(world: World) -> Case:
    request = records.RequalifyRequest(
        run_key="k",
        links={},
        snapshot=world.pinned(world.given),
        champion=world.champion,
        verdict=world.verdict(world.int8, "passed"),
        drift=records.Drift(samples=1, inputs=()),
        kernels="xnnpack",
    )
    return Case(request, _requalification())


def act(world: World) -> Case:
    request = records.ActRequest(
        channel=CHANNEL,
        requalification=_requalification(),
        on_failure="alert",
        on_drift="record",
        actor="a",
        run_key="k",
    )
    return Case(request, records.Acted(action="none", champion=1, why="w"))


def clean(world: World) -> Case:
    places = world.places
    request = records.CleanRequest(
        workspace=places.workspace, cache=str(places.cache), scratch=str(places.scratch), days=2, apply=False
    )
    pile = records.Pile(kind="files", fate="unused", count=1, bytes=9)
    result = records.Cleaned(workspace=str(world.root), days=2, applied=False, piles=(pile,), foreign=())
    return Case(request, result)


HONEST: dict[str, Callable[[World], Case]] = {
    function.__name__: function
    for function in (
        *(
            prepare,
            train,
            resolve,
            snapshot,
            convert,
            infer_schema,
            sample,
            lint,
            conversion_check,
            quantize,
            inspect,
            smoke,
            benchmark,
        ),
        *(
            evaluate,
            gate,
            drift,
            fetch_champion,
            fetch_champion_evidence,
            register,
            promote,
            decide,
            ledger,
            read_ledger,
            requalify,
        ),
        *(act, clean),
    )
}
