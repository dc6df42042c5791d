"""What a run starts from, pinned by digests."""

from __future__ import annotations

from pydantic import Field

from litegate.records.base import FileRef, Record
from litegate.records.fields import Count, Digest, VariantName
from litegate.records.overrides import Overrides
from litegate.records.sources import DataRef, FilesRef, ModelRef, UserCode
from litegate.spec import Retrain, Spec
from litegate.spec.metric_facts import MetricFacts

__all__ = [
    "Announcement",
    "ProduceRequest",
    "Produced",
    "ResolveRequest",
    "Resolved",
    "TrainRequest",
]


class Announcement(Record):
    """An asset event: somebody says that there is a new model.

    Attributes:
        digest: which one, as in `ModelRef`; None if it was not said.
        source: who said so, for people.
        timestamp: when, ISO 8601.
    """

    digest: Digest | None = None
    source: str
    timestamp: str


class ResolveRequest(Record):
    """A spec whose inputs are to be pinned.

    Attributes:
        folder: where the user's code is searched.
        announced: the event that the run began with, and all later ones; none if it began otherwise.
        overrides: how the spec differs from its file, if it does.
        remeasure: names the run, if its latencies are to be measured anew; empty where stored ones will do.
    """

    spec: Spec
    folder: str
    announced: tuple[Announcement, ...] = ()
    overrides: Overrides | None = None
    remeasure: str = ""


class Resolved(Record):
    """The spec with every input pinned; all that follows is keyed by these digests.

    Attributes:
        candidates: finished files that were given, by the names that the spec has for them.
        evidence: what the spec's device has given, by the digest of the file that it ran.
        fine_tune_code: the user's training with quantization in the loop, where the spec names one.
        training: the data that it reads.
        recorded: outputs of the model from before it became a .tflite file, where the spec names some.
        trigger: the asset event that the run began with, if one did.
        remeasure: names the run, if its latencies are to be measured anew.
    """

    spec: Spec
    model: ModelRef
    calibration: DataRef
    evaluation: DataRef
    metric: MetricFacts
    metric_code: UserCode | None = None
    decoder: UserCode | None = None
    preprocess: UserCode | None = None
    fine_tune_code: UserCode | None = None
    training: FilesRef | None = None
    candidates: dict[VariantName, FileRef] = Field(default_factory=dict)
    evidence: dict[Digest, FileRef] = Field(default_factory=dict)
    recorded: FileRef | None = None
    trigger: Announcement | None = None
    overrides: Overrides | None = None
    remeasure: str = ""


class ProduceRequest(Record):
    """A call of the user's `package.module:function(folder, **arguments)`, whose file goes to `uri`."""

    entry_point: str
    folder: str
    arguments: dict[str, str | int | float]
    uri: str


class TrainRequest(Record):
    """The user's training as the spec has it.

    Attributes:
        uri: `model.uri` of the spec, where the model goes.
        folder: that of the spec file, in which the training runs.
    """

    retrain: Retrain
    uri: str
    folder: str


class Produced(Record):
    """What is now at `uri`; the digest of a model is that of `ModelRef`."""

    uri: str
    digest: Digest
    bytes: Count
