"""What requalification asks and answers: is the champion still what it was promoted for?"""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from litegate.records.artifacts import Artifact
from litegate.records.base import Record
from litegate.records.evaluation import Evaluated
from litegate.records.fields import Count, Digest, Share, VariantName
from litegate.records.promotion import RegisteredAlias
from litegate.records.sources import DataRef, UserCode
from litegate.records.statistics import InputStatistics
from litegate.records.verdicts import Verdict
from litegate.spec import Requalify, Spec
from litegate.spec.metric_facts import MetricFacts

__all__ = [
    "ActRequest",
    "Acted",
    "ChampionEvidence",
    "Drift",
    "DriftFinding",
    "DriftReference",
    "DriftRequest",
    "FoundChampion",
    "InputDrift",
    "Requalification",
    "RequalifyRequest",
    "Snapshot",
    "SnapshotRequest",
]


class SnapshotRequest(Record):
    """The spec, whose fresh data are to be pinned, and the folder that the user's code is in."""

    spec: Spec
    folder: str


class Snapshot(Record):
    """The fresh data as they are now, and the code that reads and measures them."""

    spec: Spec
    data: DataRef
    metric: MetricFacts
    metric_code: UserCode | None = None
    decoder: UserCode | None = None
    preprocess: UserCode | None = None


class DriftReference(Record):
    """What a version's data looked like when it was judged; kept with its verdict.

    Attributes:
        inputs: of the samples that calibrated it, by `<signature>/<input>`.
        predictions: how often it predicted each class of the evaluation set; empty where it is no classifier.
        preprocess_digest: of the source of the code that both went through.
    """

    inputs: dict[str, InputStatistics]
    predictions: dict[int, Count] = Field(default_factory=dict)
    preprocess_digest: Digest | None = None


class ChampionEvidence(Record):
    """The champion as consumers load it, with what it was judged by; all read from MLflow, digests proved.

    Attributes:
        artifact: its file, under the name of its variant.
        model_id: its logged model.
        mlflow_run_id: the run that its verdict is in.
    """

    version: int
    artifact: Artifact
    baseline: Artifact
    reference: DriftReference
    model_id: str
    mlflow_run_id: str


class FoundChampion(Record):
    """The champion, or None where nothing was promoted yet."""

    champion: ChampionEvidence | None


class DriftRequest(Record):
    """The data that the champion meets now, and what it was calibrated and judged on.

    Attributes:
        evaluated: the champion's, on the same data.
        limits: the section of the spec with what is allowed.
        seed: of the choice of samples.
    """

    champion: ChampionEvidence
    evaluated: Evaluated
    data: DataRef
    limits: Requalify
    seed: int
    preprocess: UserCode | None = None
    signature: str | None = None


class InputDrift(Record):
    """One input now, against the samples that calibrated the champion; formulas in `litegate.requalification.measures`.

    Attributes:
        low, high: the calibrated range.
        clips: whether the file itself has that range, and clips what is beyond it; else it is that of the samples.
        outside: share of the values that are beyond it.
        shift: of the mean, in standard deviations of the calibration samples.
        psi: population stability index over the bins of the calibration samples.
        identifiers: whether the values are integers that need not be quantities: then only `psi` is judged.
    """

    input: str
    now: InputStatistics
    low: float
    high: float
    clips: bool
    outside: Share
    shift: float
    psi: float
    identifiers: bool = False


class DriftFinding(Record):
    """A measure beyond what the spec allows and beyond what chance would give.

    Attributes:
        subject: the input; `predictions` for the predicted classes.
        limit: what the spec allows.
        chance: what is exceeded once in a thousand times where nothing has drifted.
    """

    measure: Literal["outside", "shift", "psi"]
    subject: str
    value: float
    limit: float
    chance: float
    message: str


class Drift(Record):
    """How far the fresh data are from those that the champion was calibrated and judged on.

    Attributes:
        samples: how many of the fresh ones were looked at.
        predictions_psi: of the predicted classes; None where the champion is no classifier.
        notes: what may explain it and is no drift.
    """

    samples: Count
    inputs: tuple[InputDrift, ...]
    predictions_psi: float | None = None
    findings: tuple[DriftFinding, ...] = ()
    notes: tuple[str, ...] = ()
    sentence: str = ""


class RequalifyRequest(Record):
    """All that one requalification found, to be recorded; `run_key` names the pipeline run.

    Attributes:
        kernels: what ran the champion.
    """

    run_key: str
    links: dict[str, str]
    snapshot: Snapshot
    champion: ChampionEvidence
    verdict: Verdict
    drift: Drift
    kernels: str


class Requalification(Record):
    """A requalification as it was recorded.

    Attributes:
        number: counts those of the model, from 1.
        broken: whether a limit is proved to be broken or a class is lost; a verdict that failed without is about the
            measurement.
        drifted: whether the data did.
        sentence: the verdict on the version, in one sentence; `drift` says the same of the data.
    """

    number: int
    version: int
    variant: VariantName
    state: Literal["passed", "failed", "inconclusive"]
    broken: bool
    drifted: bool
    sentence: str
    drift: str
    experiment_id: str
    mlflow_run_id: str


class ActRequest(Record):
    """What is to follow from a requalification; `run_key` and `actor` are what the ledger keeps."""

    channel: RegisteredAlias
    requalification: Requalification
    on_failure: Literal["alert", "rollback"]
    on_drift: Literal["record", "alert", "rollback"]
    actor: str
    run_key: str


class Acted(Record):
    """What came of a requalification.

    Attributes:
        action: `none`: all is well; `recorded`: something is to be seen, and nobody is called; `alerted`: somebody
            is to look; `rolled_back`: another version is champion now.
        champion: the version now.
    """

    action: Literal["none", "recorded", "alerted", "rolled_back"]
    champion: int | None
    why: str
