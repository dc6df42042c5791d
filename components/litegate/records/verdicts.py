"""What the gate is asked and answers."""

from __future__ import annotations

from typing import Literal

from litegate.records.base import Record
from litegate.records.evaluation import Candidate
from litegate.spec import Gate

__all__ = ["Failure", "GateRequest", "Reason", "SelectRequest", "Selection", "Verdict", "Verdicts"]


class Failure(Record):
    """A step that did not deliver, for one variant or for the run as a whole (`variant` is None)."""

    step: str
    kind: str
    message: str
    variant: str | None = None


class GateRequest(Record):
    policy: Gate
    target: str
    variants: tuple[str, ...]
    baseline: Candidate
    candidates: tuple[Candidate, ...]
    failures: tuple[Failure, ...] = ()


class Reason(Record):
    """Why a verdict is what it is: a fixed `code`, and a sentence for people."""

    code: str
    message: str


class Verdict(Record):
    """The gate's answer for one variant.

    `drop` is baseline minus variant on the paired samples; `drop_low` and `drop_high` are its
    one-sided confidence bounds, each at the policy's confidence. All are None where nothing was measured.
    """

    variant: str
    state: Literal["baseline", "passed", "failed", "inconclusive"]
    reasons: tuple[Reason, ...] = ()
    value: float | None = None
    drop: float | None = None
    drop_low: float | None = None
    drop_high: float | None = None
    samples: int = 0
    lost: int = 0
    gained: int = 0
    digest: str | None = None


class Verdicts(Record):
    verdicts: tuple[Verdict, ...]


class SelectRequest(Record):
    rule: Literal["smallest", "fastest", "most_accurate"]
    verdicts: tuple[Verdict, ...]
    candidates: tuple[Candidate, ...]


class Selection(Record):
    """The variant to promote, or None where nothing passed; `why` in one sentence."""

    variant: str | None
    why: str
