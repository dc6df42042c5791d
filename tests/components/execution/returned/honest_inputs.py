"""Steps that read what users bring."""

from __future__ import annotations

from litegate import records
from litegate.digest import digest_bytes
from litegate.spec import parse_spec
from tests.components.execution.returned.world import SIGNATURE, Case, World

__all__ = ["device_samples", "infer_schema", "lint", "prepare", "resolve", "sample", "snapshot", "train"]


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


def infer_schema(world: World) -> Case:
    data = world.data(str(world.user / "train.npz"), world.given)
    request = records.InferSchemaRequest(data=data, inputs=SIGNATURE.inputs, where="DATA")
    found = {"x": records.DataField(dtype="float32", shape=(8,))}
    return Case(request, records.InferredSchema(samples=40, fields=found, classes=("cat",)))


def sample(world: World) -> Case:
    data = world.data(str(world.user / "train.npz"), world.given)
    request = records.SampleRequest(data=data, artifact=world.baseline, samples=20, seed=1, preprocess=world.code)
    return Case(request, world.samples(world.wrote))


def device_samples(world: World) -> Case:
    data = world.data(str(world.user / "test.npz"), world.given)
    choice = records.SampleChoice(max_samples=None, target_samples=20, seed=1, in_random_order=False)
    request = records.DeviceSamplesRequest(
        data=data, artifact=world.baseline, choices=(choice,), preprocess=world.code, signature="serving_default"
    )
    file = world.wrote("samples.npz", b"samples for a device")
    return Case(request, records.DeviceSamples(file=file, samples=20, signature="serving_default"))


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
