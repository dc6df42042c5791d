"""What the gate is asked and answers."""

from __future__ import annotations

from typing import Literal

from litegate.failures import FailureKind
from litegate.records.base import FileRef, Record
from litegate.records.candidate import Candidate
from litegate.records.disagreement import Disagreement
from litegate.records.fields import Bound, Count, Digest, Share, VariantName
from litegate.records.sources import UserCode
from litegate.spec import EvaluationCode, Gate

__all__ = [
    "LOST_CLASS",
    "ClassLoss",
    "Clause",
    "Failure",
    "Flip",
    "GateRequest",
    "RareClass",
    "Reason",
    "RunOutcome",
    "SelectRequest",
    "Selection",
    "SliceLoss",
    "VariantOutcome",
    "Verdict",
    "Verdicts",
]

RunOutcome = Literal["passed", "rejected", "undecided", "failed"]
"""What a run came to: a variant passed, or those that had to; else why not."""
VariantOutcome = Literal["baseline", "passed", "rejected", "undecided", "failed"]
"""`rejected`: it breaks the policy; `undecided`: more evidence would decide; `failed`: not built, or not measured."""
LOST_CLASS = "lost_class"
"""Code of the reason that float32 predicts a class and the variant never does."""


class Failure(Record):
    """A step that did not deliver, for one variant or for the run as a whole (`variant` is None)."""

    step: str
    kind: FailureKind
    message: str
    variant: VariantName | None = None


class GateRequest(Record):
    """Everything that the verdicts depend on.

    Attributes:
        champion: what carries the registry's alias today, if the policy compares with it and there is one.
        metric_code: source of the user's metric; the judge needs it where the metric is of a whole set.
        seed: of the bootstrap.
        allow_evaluation: errors of the evaluation lint that the spec allows; None where the baseline was accepted
            long ago, and what is odd about fresh data must not recall it.
        untried: how many more files are made if none of these passes: their claims count from the beginning.
    """

    policy: Gate
    target: str
    variants: tuple[str, ...]
    baseline: Candidate
    candidates: tuple[Candidate, ...]
    champion: Candidate | None = None
    metric_code: UserCode | None = None
    seed: int = 17
    failures: tuple[Failure, ...] = ()
    allow_evaluation: tuple[EvaluationCode, ...] | None = ()
    untried: Count = 0


class Reason(Record):
    """Why a verdict is what it is: a fixed `code`, and a sentence for people."""

    code: str
    message: str


class Clause(Record):
    """One clause of the policy, as it was tested on the pairs.

    Attributes:
        name: the policy's key: `max_drop`, `max_class_drop`, `max_prediction_shift`, ...
        subject: the class or slice that it is about, for clauses that are about single ones.
        estimate: what was found; `low` and `high` are its one-sided bounds, each at the verdict's confidence;
            None where there is no bound.
        limit: what is allowed.
        p_value: how likely such evidence would be if the true value were at the limit or beyond.
        samples: how many it was found on.
        host_samples: how many the host ran beside the target, where the clause rests on these as well; else None.
        clusters: how many clusters these are in; None where each is independent of the others.
        needed: how many samples in all would decide it if all else stays what it is, or how many clusters where the
            verdict has any; None if decided, or if no number would.
    """

    name: str
    subject: str = ""
    state: Literal["passed", "failed", "inconclusive"]
    estimate: float
    low: Bound
    high: Bound
    limit: float
    p_value: float
    samples: Count
    host_samples: Count | None = None
    clusters: Count | None = None
    needed: Count | None = None


class ClassLoss(Record):
    """What a variant loses of one class, with one-sided bounds of the drop.

    `proved` says that the class is worse than the baseline at all, at the policy's confidence for all classes
    together (Holm).
    """

    label: int
    name: str
    samples: Count
    baseline: float
    value: float
    drop: float
    low: Bound
    high: Bound
    proved: bool


class SliceLoss(Record):
    """What a variant loses of one slice, all samples with one value of a field, with one-sided bounds of the drop.

    Attributes:
        state: `passed` and `failed` are proved at the verdict's confidence, `failed` for all slices together (Holm);
            `rare`: there are too few samples of it to ask for a proof, and no loss beyond the limit is proved.
        baseline, value: the metric on the slice.
    """

    field: str
    value_of_field: str
    state: Literal["passed", "failed", "inconclusive", "rare"]
    samples: Count
    baseline: float | None
    value: float | None
    drop: float | None
    low: Bound
    high: Bound

    @property
    def name(self) -> str:
        """Field and value."""
        return f"{self.field}={self.value_of_field}"


class RareClass(Record):
    """A class or a slice that is too rare to be judged by itself.

    Attributes:
        samples: how many there are of it.
        predicted: on how many of the paired samples float32 predicts it; None for a slice.
    """

    name: str
    samples: Count
    predicted: Count | None

    def __str__(self) -> str:
        predicted = "" if self.predicted is None else f", {self.predicted:,} predicted by float32"
        return f"{self.name} ({self.samples:,} samples{predicted})"


class Flip(Record):
    """A sample on which the variant answers otherwise than the baseline; `loss` is positive where it is worse."""

    id: str
    label: int | None = None
    baseline: float
    value: float
    loss: float


class Verdict(Record):
    """The gate's answer for one variant.

    `drop` is the loss of the metric against the baseline on the paired samples, positive where the variant is
    worse whatever the metric's direction; `drop_low` and `drop_high` are its one-sided bounds, each at
    `confidence`. All are None where nothing was measured.

    Attributes:
        sentence: the verdict as a person reads it first.
        confidence: of the bounds: the policy's, raised for the number of variants that were judged side by side.
        p_value: of the claim that the variant may ship, for this variant alone: the largest of its clauses.
        baseline: the baseline's value on the same samples.
        lost, gained: samples on which the variant is worse or better than the baseline.
        agreement: share of samples with the same prediction, or the same score where there are no predictions.
        host_samples: how many the host ran beside the target: more than `samples`; else None.
        clusters: how many clusters the samples are in: groups, and exact duplicates; None where each sample is
            independent of the others.
        needed: how many samples, or clusters where there are any, would decide an inconclusive verdict; None where no
            number would.
        classes: those that lost most, the worst first.
        slices: those that lost most, the worst first: a few of the `slice_count`; all are in `explanation`.
        rare: classes and slices that are too rare to be judged by themselves, the rarest first: a few of the
            `rare_classes`.
        flips: the samples that flipped, the worst first: a few of the `flipped`; all are in `explanation`.
        explanation: files for people: all flipped samples and all classes as CSV.
        disagreement: how the target's runtime and the host differ on this file, where both ran it.
    """

    variant: VariantName
    state: Literal["baseline", "passed", "failed", "inconclusive"]
    sentence: str = ""
    reasons: tuple[Reason, ...] = ()
    value: float | None = None
    baseline: float | None = None
    drop: float | None = None
    drop_low: Bound = None
    drop_high: Bound = None
    confidence: float | None = None
    p_value: float | None = None
    samples: Count = 0
    host_samples: Count | None = None
    clusters: Count | None = None
    available: Count = 0
    needed: Count | None = None
    lost: Count = 0
    gained: Count = 0
    agreement: Share | None = None
    clauses: tuple[Clause, ...] = ()
    classes: tuple[ClassLoss, ...] = ()
    slices: tuple[SliceLoss, ...] = ()
    slice_count: Count = 0
    rare: tuple[RareClass, ...] = ()
    rare_classes: Count = 0
    flipped: Count = 0
    flips: tuple[Flip, ...] = ()
    explanation: tuple[FileRef, ...] = ()
    digest: Digest | None = None
    disagreement: Disagreement | None = None

    def too_rare(self, most: int) -> str:
        """The classes that are too rare to be judged, `most` of them by name; empty if there are none."""
        named = ", ".join(map(str, self.rare[:most]))
        more = self.rare_classes - len(self.rare[:most])
        return f"too rare to be judged by themselves: {named}{f' and {more:,} more' if more else ''}" * bool(named)

    @property
    def broken(self) -> bool:
        """Whether the file is proved to lose too much; one that failed without failed for how it was measured."""
        lost = any(reason.code == LOST_CLASS for reason in self.reasons)
        return lost or any(clause.state == "failed" for clause in self.clauses)


class Verdicts(Record):
    verdicts: tuple[Verdict, ...]


class SelectRequest(Record):
    rule: Literal["smallest", "fastest", "most_accurate"]
    verdicts: tuple[Verdict, ...]
    candidates: tuple[Candidate, ...]


class Selection(Record):
    """The variant to promote, or None where nothing passed; `why` in one sentence."""

    variant: VariantName | None
    why: str
