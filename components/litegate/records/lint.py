"""What is asked and found about the data before anything is quantized or evaluated by them."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from litegate.records.artifacts import Artifact
from litegate.records.base import Record
from litegate.records.fields import Count
from litegate.records.samples import SampleSet
from litegate.records.sources import DataRef, Judged, UserCode
from litegate.spec import EvaluationCode, LintCode

__all__ = ["DataFinding", "Lint", "LintRequest"]


class LintRequest(Record):
    """The samples, and the datasets that they came from and are compared with.

    Attributes:
        artifact: the float32 baseline, for its signatures.
        seed: that the samples were chosen with.
        signature: which one is evaluated.
        metric, metric_code, judged: of the evaluation.
        max_samples: at most so many evaluation samples are evaluated; all if None.
        allow: errors of the calibration data that the spec turns into warnings.
        allow_evaluation: the same for the evaluation.
    """

    samples: SampleSet
    artifact: Artifact
    calibration: DataRef
    evaluation: DataRef
    seed: int
    preprocess: UserCode | None = None
    signature: str | None = None
    metric: str = "top1"
    metric_code: UserCode | None = None
    judged: Judged = Judged()
    max_samples: int | None = None
    allow: tuple[LintCode, ...] = ()
    allow_evaluation: tuple[EvaluationCode, ...] = ()


class DataFinding(Record):
    """Something about the samples that a person should know.

    Attributes:
        code: what kind of thing it is, always the same word.
        data: which dataset it is about.
        input: `<signature>/<input>`; empty where it is about whole samples.
        numbers: what the message rests on.
        samples: identities of some of the samples that it is about.
    """

    severity: Literal["error", "warning"]
    code: str
    data: Literal["calibration", "evaluation"] = "calibration"
    input: str = ""
    message: str
    numbers: dict[str, float] = Field(default_factory=dict)
    samples: tuple[str, ...] = ()


class Lint(Record):
    """The findings, errors first; a run goes on only where no error is among them.

    Attributes:
        samples: how many representative samples there are.
        compared: how many evaluation samples their values were compared with.
        searched: how many evaluation samples they were looked for in.
    """

    findings: tuple[DataFinding, ...]
    samples: Count
    compared: Count
    searched: Count
