"""The search for operators that need another precision: what is asked, and what was found."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from litegate.records.base import FileRef, Record
from litegate.records.fields import Bound, Count, Share
from litegate.spec import Recover
from litegate.spec.recover import Base, Precision

__all__ = [
    "Assessment",
    "BiasCorrection",
    "Equalization",
    "OperatorPrecision",
    "OperatorSensitivity",
    "RecoverRequest",
    "Recovery",
    "RecoveryStep",
    "Tuned",
]

NotNegative = Annotated[float, Field(ge=0)]


class Assessment(Record):
    """Whether a file has to be recovered, by the verdicts on those that were measured before it.

    Attributes:
        variant: the name of the file that would be made.
        needed: whether it is.
        why: the verdicts that decide it, in a sentence.
    """

    variant: str
    needed: bool
    why: str


class RecoverRequest(Record):
    """What the search is asked.

    Attributes:
        asked: the section of the spec.
        limit: largest loss, as `Tuned.loss` has it, with which the search is content.
        seed: decides which samples find ranges and which tune.
        signature: the one that is evaluated; the default one if None.
        output: the one that is judged; the only one if None.
        classifies: whether it holds scores of classes.
    """

    asked: Recover
    limit: NotNegative
    seed: int
    signature: str | None = None
    output: str | None = None
    classifies: bool = False


class Tuned(Record):
    """A file against float32 on the samples that the search is tuned on.

    Attributes:
        disagreement: share of the samples whose prediction is another one; None where classes are not told apart.
        error: root mean square of the outputs' differences, as a share of the root mean square of float32's outputs;
            of several outputs the largest.
        bytes: size of the file.
        milliseconds: median latency of one sample on this host, of a few: an indication, which decides nothing.
    """

    disagreement: Share | None
    error: NotNegative
    bytes: Count
    milliseconds: NotNegative

    @property
    def loss(self) -> float:
        """What the search makes smaller: the disagreement, where there are classes, else the error."""
        return self.error if self.disagreement is None else self.disagreement


class OperatorSensitivity(Record):
    """An operator of the base file, measured where it stands: with what all operators before it have done.

    Attributes:
        operator: kind and place.
        layer: that it belongs to; empty where the file does not tell.
        error: root mean square error of its output in quantization steps; None where that is not quantized.
        snr_db: signal-to-noise ratio of its output in decibels, of which each channel counts the same; None where
            nothing differs.
        added: share of its output's signal that is noise, less that of its noisiest input.
        in_float: the file with this operator alone in float32; None where that was not tried.
        around: the same with the operators that take its output, or give its inputs, in float32 too, whichever is
            better: what is lost in a tensor comes back only where all around it are lifted.
    """

    operator: str
    layer: str = ""
    error: NotNegative | None = None
    snr_db: Bound = None
    added: float = 0.0
    in_float: Tuned | None = None
    around: Tuned | None = None


class OperatorPrecision(Record):
    """An operator, by kind and place, with its layer; None where it is as in the base file."""

    operator: str
    layer: str = ""
    precision: Precision | None


class RecoveryStep(Record):
    """A change of some operators.

    Attributes:
        tried: how many files were made and measured for it.
        kept: whether what follows builds on it.
    """

    operators: tuple[OperatorPrecision, ...]
    before: Tuned
    after: Tuned
    tried: Count
    kept: bool


class Equalization(Record):
    """Channels of single tensors brought to like ranges, which changes nothing of what float32 computes.

    Attributes:
        pairs: of layers, between which that was done.
        difference: root mean square of what the outputs of the two float32 files differ by, as a share of theirs.
        before: the base file without it.
        file: the equalized float32 file.
    """

    pairs: Count
    difference: NotNegative
    before: Tuned
    file: FileRef


class BiasCorrection(Record):
    """Biases that take back what rounding does to channels on average.

    Attributes:
        layers: that have a bias.
        before: the file without it.
        file: the float32 file with these biases, which only quantized files are made from.
    """

    layers: Count
    before: Tuned
    file: FileRef


class Recovery(Record):
    """How the file `recovered` came to be.

    Attributes:
        range_samples, tuning_samples: how many of the calibration samples found ranges, and how many others tuned.
        equalization: of the float32 file that all files were made from; None where there is nothing to equalize, where
            it does not help, or where nobody asked for it.
        correction: of the biases; None where it does not help, where there was no time, or where nobody asked for it.
        before: the base file, equalized if it is.
        after: the file that was taken.
        met: whether its loss is within the limit.
        ended: why the search ended: nothing is left to gain, `max_steps`, the time, or nothing that could be tried
            helped. Only where it was the time may the same search come to another file.
        combinations: how many files were made and measured.
        precisions: the operators that are not as in the base file.
        ranking: the operators that add most noise, the worst first.
    """

    base: Base
    limit: NotNegative
    range_samples: Count
    tuning_samples: Count
    equalization: Equalization | None = None
    correction: BiasCorrection | None = None
    before: Tuned
    after: Tuned
    met: bool
    ended: Literal["done", "steps", "time", "nothing_helps"]
    combinations: Count
    precisions: tuple[OperatorPrecision, ...]
    ranking: tuple[OperatorSensitivity, ...]
    steps: tuple[RecoveryStep, ...]

    @property
    def made_from(self) -> FileRef | None:
        """The float32 file that the file was made from; None where that is the baseline."""
        found = self.correction or self.equalization
        return found.file if found else None

    @property
    def untouched(self) -> Tuned:
        """The base file as it would be made from the baseline."""
        return self.equalization.before if self.equalization else self.before
