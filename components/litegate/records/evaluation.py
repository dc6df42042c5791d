"""What an artifact scores on the evaluation data."""

from __future__ import annotations

from typing import Any, ClassVar, Literal, Self

from pydantic import Field, model_validator

from litegate.records.artifacts import NAMES, Artifact, FileFailure
from litegate.records.base import FileRef, Record
from litegate.records.device import SampleChoice, TimedOnDevice
from litegate.records.fields import Count, Digest, VariantName
from litegate.records.shards import FileShard
from litegate.records.sources import DataRef, Judged, UserCode
from litegate.spec import Gate
from litegate.spec.metric_facts import MetricFacts

__all__ = [
    "ControlOutcomes",
    "EvaluateFilesRequest",
    "EvaluateRequest",
    "Evaluated",
    "FileEvaluation",
    "FileEvaluations",
    "HostOutcomes",
    "Reference",
    "ReferenceOutcomes",
    "Stopping",
]

Role = Literal["baseline", "champion"]


class Reference(Record):
    """A file that a variant is compared with while it is evaluated: both run on the same samples.

    Attributes:
        runtime: what runs it; None for what runs the variant.
        evidence: what a device gave of it, where that is one.
    """

    role: Role
    artifact: Artifact
    runtime: str | None = None
    evidence: FileRef | None = None


class Stopping(Record):
    """When the evaluation of a variant may end before all samples were seen.

    Attributes:
        policy: what must be decided.
        variants: how many are judged side by side, which share the error rate.
        first_samples: the first interim analysis, doubled from one to the next; None: sequential, after every batch.
    """

    policy: Gate
    variants: Count
    first_samples: int | None


class EvaluateRequest(Record):
    """`references` and `stopping` are for evaluations that may end early; without them all samples are seen.

    Attributes:
        metric: a name of `litegate.metrics`, or the user's reference, whose source is then `metric_code`.
        judged: which outputs the metric judges.
        max_samples: at most so many; all if None.
        seed: of the order in which samples are visited.
        where: the spec's key for the data, for messages.
        runtime: what runs the file, or `device:` and the name of a device that ran it elsewhere.
        evidence: what that device gave of it; None where it is no device, or none is there.
        host: what runs the same files beside it, on all samples; None where the host's word is the one that counts.
        control: what runs the file, and a champion beside it, on all samples as control variate; None where that is
            the host. A file that it cannot run has the host's.
        target_samples: at most so many samples are run by `runtime`; all if None.
        shards: what every shard of the samples gave, where it was evaluated in shards: they are merged, to the very
            result that it has otherwise.
    """

    unkeyed: ClassVar[dict[str, Any]] = {
        "artifact": NAMES,
        "where": True,
        "references": {"__all__": {"artifact": NAMES}},
        "shards": True,
    }

    artifact: Artifact
    runtime: str = "litert"
    evidence: FileRef | None = None
    host: str | None = None
    control: str | None = None
    target_samples: int | None = None
    data: DataRef
    where: str = "evaluation.uri"
    metric: str
    metric_code: UserCode | None = None
    judged: Judged = Judged()
    max_samples: int | None
    seed: int
    preprocess: UserCode | None = None
    signature: str | None = None
    references: tuple[Reference, ...] = ()
    stopping: Stopping | None = None
    shards: tuple[FileShard, ...] = ()

    @property
    def runtimes(self) -> tuple[str, ...]:
        """All that run its files, that of the target first."""
        of_references = (each.runtime or self.runtime for each in self.references)
        return tuple(dict.fromkeys(filter(None, (self.runtime, *of_references, self.host, self.control))))

    @property
    def choice(self) -> SampleChoice:
        """Which samples it sees."""
        return SampleChoice(
            max_samples=self.max_samples,
            target_samples=self.target_samples,
            seed=self.seed,
            in_random_order=self.stopping is not None,
        )


_OF_THE_PASS = (
    "host",
    "data",
    "where",
    "metric",
    "metric_code",
    "judged",
    "seed",
    "preprocess",
    "signature",
)


class EvaluateFilesRequest(Record):
    """Several files in one pass over the same data: each sample is read once, and every file sees it.

    What a file comes to depends on its own request alone, under which it is kept; see `Step.each`.
    """

    files: tuple[EvaluateRequest, ...] = Field(min_length=1)

    @property
    def runtime(self) -> str:
        """What runs all of them, but for what the host alone runs."""
        return next((file.runtime for file in self.files if file.runtime != file.host), self.files[0].runtime)

    @model_validator(mode="after")
    def _are_alike(self) -> Self:
        for name in _OF_THE_PASS:
            if any(getattr(file, name) != getattr(self.files[0], name) for file in self.files):
                raise ValueError(f"files of one pass have one {name}")
        if len({file.runtime for file in self.files} - {self.files[0].host}) > 1:
            raise ValueError("files of one pass have one runtime, or the host's")
        return self


class ReferenceOutcomes(Record):
    """Outcomes of a reference on the very samples that the variant saw.

    Attributes:
        host: on those that the host ran the variant on, by the host, where it did.
        control: the same by the control variate's runtime, where that is another one.
    """

    role: Role
    artifact_digest: Digest
    outcomes: FileRef
    host: FileRef | None = None
    control: FileRef | None = None


class HostOutcomes(Record):
    """What the host gives of the same file, on all samples, of which the target's runtime may have seen a part.

    Attributes:
        title: what people call its runtime.
        beside: what they call that of the target.
        kernels: what ran the operators.
        outcomes: as in `FileEvaluation`.
    """

    runtime: str
    title: str
    beside: str
    kernels: str
    samples: Count
    outcomes: FileRef


class ControlOutcomes(Record):
    """What is the control variate in place of the host's outcomes, on the same samples as these.

    Attributes:
        runtime, title, kernels: as in `HostOutcomes`; those of the host where `refused` says why it is the host.
        outcomes: as in `FileEvaluation`; None where it is the host.
        refused: why the file could not be run as was asked.
    """

    runtime: str
    title: str
    kernels: str
    outcomes: FileRef | None = None
    refused: str = ""


class FileEvaluation(Record):
    """The outcomes of an artifact, sample by sample; what they amount to is the gate's to say.

    `outcomes` is an npz with a row for each sample: `index` (its position in the dataset), `id` (its identity,
    UTF-8), and for a metric of single samples `score`, else `output` and `target`, from which the metric is
    computed for a whole set. Where the model is a classifier also `label` and `prediction`.

    Attributes:
        samples: how many were evaluated.
        available: how many there are, within the limit that the spec sets.
        class_samples: how many samples of each label are available, where the model is a classifier.
        slice_samples: how many samples of each value are available, by field of slices.
        predictions: how often each class was predicted, where the model is a classifier.
        classes: names of the labels, where the dataset has names for them.
        design: how it was decided when to end: all samples, at one of `analyses` interim analyses, or after any batch.
        analyses: how many interim analyses were planned; 1 unless `design` is `interim`.
        clusters: how many clusters the samples are in: groups, and exact duplicates; None where each sample is
            independent of the others.
        largest_group: samples in the largest group that is available; 1 where the spec names no groups.
        references: outcomes of the references, where there were any.
        kernels: what ran the operators.
        host: what the host gave beside it; None where it is the host that counts.
        control: the control variate, where another than the host was asked for.
        on_device: how fast it was on the device that ran it; None where none did.
    """

    artifact_digest: Digest
    metric: MetricFacts
    samples: Count
    available: Count
    outcomes: FileRef
    class_samples: dict[int, Count] = Field(default_factory=dict)
    slice_samples: dict[str, dict[str, Count]] = Field(default_factory=dict)
    predictions: dict[int, Count] = Field(default_factory=dict)
    classes: tuple[str, ...] = ()
    design: Literal["fixed", "interim", "sequential"] = "fixed"
    analyses: Count = 1
    clusters: Count | None = None
    largest_group: Count = 1
    references: tuple[ReferenceOutcomes, ...] = ()
    seconds: float
    kernels: str
    host: HostOutcomes | None = None
    control: ControlOutcomes | None = None
    on_device: TimedOnDevice | None = None


class Evaluated(FileEvaluation):
    """The same of a variant."""

    variant: VariantName


class FileEvaluations(Record):
    """What each of the request's files came to, in their order."""

    files: tuple[FileEvaluation | FileFailure, ...]
