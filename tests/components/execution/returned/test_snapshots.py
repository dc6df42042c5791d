"""What `resolve` says of a device's evidence is what its parent has listed and read itself."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from litegate import records
from litegate.execution.confinement import listed_uris
from litegate.execution.returned.snapshots import Seen, contradictions
from litegate.settings import settings
from litegate.spec import parse_spec
from litegate.work.broker import Broker
from tests.components.execution.returned.world import World

A, B = "a" * 64, "b" * 64


@pytest.fixture
def world(tmp_path: Path) -> World:
    return World(tmp_path, settings().pythons)


def resolved(world: World, **evidence: bytes) -> records.Resolved:
    """As a child says it, for a spec with a device."""
    keys = world.spec.model_dump(mode="json") | {"requalify": None}
    keys["evaluation"]["device"] = {"name": "pi5", "evidence": str(world.user / "kept")}
    found = {digest: world.wrote(f"{digest}-pi5.npz", content) for digest, content in evidence.items()}
    return world.resolved(world.wrote).model_copy(update={"spec": parse_spec(keys), "evidence": found})


def said(world: World, result: records.Resolved, listed: bool = True) -> list[str]:
    """What does not hold of it, after its child has asked for what it needs."""
    request = records.ResolveRequest(spec=result.spec, folder=str(world.user))
    broker, device = (
        Broker(world.root, world.places.cache, world.root, listed_uris(request), ()),
        result.spec.evaluation,
    )
    asks: list[dict[str, Any]] = [{"do": "find_model", "uri": result.spec.model.uri}]
    asks += [{"do": "list", "uri": each.uri} for each in (result.spec.calibration, result.spec.evaluation)]
    if listed and device.device is not None:
        asks.append({"do": "list", "uri": device.device.everything, "needed": False})
    for ask in asks:
        assert "error" not in broker.answer(json.dumps(ask | {"where": "data"}).encode())
    return list(contradictions("resolve", result, Seen("complete", broker)))


def store(world: World, digest: str, content: bytes) -> None:
    path = world.user / "kept" / digest / "pi5.npz"
    path.parent.mkdir(parents=True)
    path.write_bytes(content)


def test_all_that_lies_there_is_pinned(world: World) -> None:
    assert said(world, resolved(world)) == []
    store(world, A, b"of a")
    store(world, B, b"of b")
    store(world, "notes", b"of nothing")
    assert said(world, resolved(world, **{A: b"of a", B: b"of b"})) == []


@pytest.mark.parametrize("evidence", [{}, {A: b"of b"}, {A: b"of a", B: b"of a"}, {B: b"of a"}])
def test_nothing_is_left_out_made_up_or_exchanged(world: World, evidence: dict[str, bytes]) -> None:
    store(world, A, b"of a")
    (problem,) = said(world, resolved(world, **evidence))
    assert problem.startswith("evaluation.device.evidence: expected {'aaaa")


def test_what_was_not_listed_is_not_believed(world: World) -> None:
    store(world, A, b"of a")
    (problem,) = said(world, resolved(world, **{A: b"of a"}), listed=False)
    assert "expected what was listed at" in problem


def test_without_a_device_there_is_no_evidence(world: World) -> None:
    result = resolved(world, **{A: b"of a"}).model_copy(update={"spec": world.spec})
    (problem,) = said(world, result)
    assert problem.startswith("evaluation.device.evidence: expected {}, got {'aaaa")


def trains(world: World, data: str, pinned: str | None) -> list[str]:
    """What does not hold of a result for a spec with training data, of which the child has pinned some."""
    keys = world.spec.model_dump(mode="json") | {"requalify": None}
    keys["fine_tune"] = {"entry_point": "theirs:tune", "data": str(world.user / data)}
    found = None if pinned is None else world.data(str(world.user / pinned), world.wrote)
    training = found and records.FilesRef(uri=found.uri, digest=found.digest, manifest=found.manifest)
    result = world.resolved(world.wrote).model_copy(update={"spec": parse_spec(keys), "training": training})
    request = records.ResolveRequest(spec=result.spec, folder=str(world.user))
    broker = Broker(world.root, world.places.cache, world.root, listed_uris(request), ())
    asks = [{"do": "find_model", "uri": result.spec.model.uri}]
    asks += [{"do": "list", "uri": each.uri} for each in (result.spec.calibration, result.spec.evaluation)]
    for ask in (*asks, {"do": "list", "uri": result.spec.fine_tune.data}):
        assert "error" not in broker.answer(json.dumps(ask | {"where": "data"}).encode())
    return list(contradictions("resolve", result, Seen("complete", broker)))


def test_training_data_are_what_the_parent_has_listed(world: World) -> None:
    assert trains(world, "fresh.npz", "fresh.npz") == []
    (uri, digest, manifest) = trains(world, "fresh.npz", "test.npz")
    assert uri.startswith("fine_tune.data: expected")
    assert digest.startswith("fine_tune.data.digest: expected")
    assert manifest.startswith("fine_tune.data.manifest: expected")
    assert trains(world, "fresh.npz", None) == ["whether there is training data: expected True, got False"]
