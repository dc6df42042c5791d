"""The float32 conversion of the source model, and the check that it is one."""

from __future__ import annotations

from typing import Any, ClassVar, Literal

from pydantic import Field
from typing_extensions import override

from litegate.records.artifacts import Artifact
from litegate.records.base import FileRef, Record
from litegate.records.fields import Count, Share
from litegate.records.samples import Chosen, SampleSet
from litegate.records.sources import DataRef, Judged, ModelRef, UserCode
from litegate.spec import EvaluationCode
from litegate.spec.metric_facts import MetricFacts

__all__ = ["ConversionCheck", "ConversionCheckRequest", "ConvertRequest", "Converted", "DataInUse"]


class DataInUse(Record):
    """What a model is converted for: the datasets, and how they are going to be used.

    Attributes:
        samples, seed: of the calibration.
        signature, metric, judged: of the evaluation.
        max_samples: at most so many evaluation samples are evaluated; all if None.
        allow: errors of the evaluation that the spec turns into warnings.
    """

    calibration: DataRef
    evaluation: DataRef
    samples: Count
    seed: int
    metric: MetricFacts
    judged: Judged = Judged()
    preprocess: UserCode | None = None
    signature: str | None = None
    max_samples: int | None = None
    allow: tuple[EvaluationCode, ...] = ()


class ConvertRequest(Record):
    """The source model, and the data that are looked at before it is converted; no data, no look.

    What it is converted to does not depend on the data, so that other data find the stored result. A user's
    `preprocess` runs in the process that converts, so it does depend on that.

    Attributes:
        fixed_batch: whether a model that takes any number of samples is converted for one at a time.
    """

    unkeyed: ClassVar[dict[str, Any]] = {"data": True}

    model: ModelRef
    data: DataInUse | None = None
    fixed_batch: bool = False

    @override
    def keyed(self) -> dict[str, Any]:
        code = None if self.data is None else self.data.preprocess
        return super().keyed() | ({} if code is None else {"preprocess": code.keyed()})


class Converted(Record):
    """The float32 baseline, and the SavedModel that every variant is quantized from."""

    artifact: Artifact
    saved_model: tuple[FileRef, ...]
    tools: dict[str, str]


class ConversionCheckRequest(Record):
    """The source model and its float32 conversion, to be run on the representative samples.

    Attributes:
        classifies: whether the only output holds scores of classes, so that predictions can be compared.
        chosen: where the samples are from, for messages.
        recorded: what a model gave before it became a .tflite file, if that is known.
    """

    unkeyed: ClassVar[dict[str, Any]] = {"chosen": True}

    model: ModelRef
    artifact: Artifact
    samples: SampleSet
    chosen: Chosen | None = None
    signature: str | None = None
    classifies: bool = False
    recorded: FileRef | None = None


class ConversionCheck(Record):
    """The float32 conversion against the source model, on the representative samples.

    Attributes:
        compared_with: the model itself, or, where it is a .tflite file, what was recorded of its source, or nothing.
        max_abs_difference: None where there was nothing to compare with.
        agreement: share of samples with the same prediction; None where the model is no classifier.
        not_compared: outputs that depend on an operator which only the converter implements, with its name: in the
            source model a placeholder stands for it.
        batch: how many samples the model takes at a time; 1 where that is for whoever runs it to say.
    """

    samples: Count
    max_abs_difference: float | None
    agreement: Share | None
    not_compared: dict[str, str] = Field(default_factory=dict)
    batch: Count = 1
    compared_with: Literal["model", "recorded outputs", "nothing"] = "model"

    @property
    def warnings(self) -> tuple[str, ...]:
        """What the check could not tell, and what latencies are of."""
        at_a_time = f"the model takes {self.batch} samples at a time, and a latency is that of all of them together"
        absent = (
            "the model is a .tflite file, and nothing is known of what its source gave: whether it was converted right "
            "was not checked (model.recorded_outputs names what is)"
        )
        said = ((absent, self.compared_with == "nothing"), (at_a_time, self.batch > 1))
        return (*self._left_out(), *(each for each, holds in said if holds))

    def _left_out(self) -> tuple[str, ...]:
        operators = ", ".join(sorted(set(self.not_compared.values())))
        names = ", ".join(self.not_compared)
        said = f"the conversion check left out {names}: only the converter implements {operators}; the metric decides"
        return (said,) if self.not_compared else ()
