"""Steps that judge, record and decide."""

from __future__ import annotations

from litegate import records
from litegate.promotion import chained
from litegate.spec import Requalify
from tests.components.execution.returned.world import CHANNEL, NOTHING, NOW, Case, World

__all__ = [
    "act",
    "clean",
    "decide",
    "drift",
    "fetch_champion",
    "fetch_champion_evidence",
    "fetch_evidence",
    "fetch_version",
    "gate",
    "ledger",
    "promote",
    "read_ledger",
    "register",
    "requalify",
]


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


def fetch_evidence(world: World) -> Case:
    entry = chained((), records.Decision(channel=CHANNEL, action="unfrozen", key="k", actor="a", why="w"), None, None)
    result = records.VersionEvidence(
        registry="m",
        version=1,
        variant="int8",
        tags={"gate.state": "passed"},
        mlflow_run="run",
        file=world.artifact("int8", world.wrote).file,
        artifacts={"verdict.json": world.wrote("verdict.json", b"verdict")},
        ledger=(entry,),
    )
    return Case(records.EvidenceRequest(registry="m", version=1), result)


def fetch_version(world: World) -> Case:
    result = records.RegisteredFile(
        registry="m",
        version=1,
        variant="int8",
        variants=("int8",),
        aliases=("champion",),
        file=world.artifact("int8", world.wrote).file,
        verdict="int8 may ship",
        mlflow_run="http://mlflow/#/run",
    )
    return Case(records.VersionRequest(registry="m", alias="champion"), result)


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
