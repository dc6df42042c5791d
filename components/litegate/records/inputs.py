"""What a run starts from, pinned by digests."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from litegate.records.base import FileRef, Record
from litegate.records.fields import Count, Digest
from litegate.records.overrides import Overrides
from litegate.spec import Format, Retrain, Spec
from litegate.spec.metric_facts import MetricFacts

__all__ = [
    "Announcement",
    "DataRef",
    "ModelRef",
    "ProduceRequest",
    "Produced",
    "ResolveRequest",
    "Resolved",
    "TrainRequest",
    "UserCode",
]


class ModelRef(Record):
    """The source model, pinned.

    Attributes:
        uri: the file or folder itself, where the spec's address stands for many versions.
        digest: SHA-256 of a Keras file, or `litegate.digest.digest_tree` of a SavedModel's files.
        files: all of them.
    """

    uri: str
    format: Literal["saved_model", "keras", "h5"]
    digest: Digest
    files: tuple[FileRef, ...]


class DataRef(Record):
    """A dataset, pinned: `manifest` lists its objects with sizes and versions, `digest` covers it.

    Attributes:
        label: name of the field that holds the label.
        features: fields by input name, where the spec names them.
        group: name of the field that says which samples belong together; for images, what finds it in their paths.
        classes: the order of the class folders, where the spec names it.
    """

    uri: str
    format: Format
    digest: Digest
    manifest: FileRef
    label: str = "label"
    features: dict[str, str | list[str]] = Field(default_factory=dict)
    group: str | None = None
    classes: tuple[str, ...] = ()


class UserCode(Record):
    """The user's `package.module:function`, where it is searched, and the digest of its source."""

    reference: str
    folder: str
    digest: Digest


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
    """

    spec: Spec
    folder: str
    announced: tuple[Announcement, ...] = ()
    overrides: Overrides | None = None


class Resolved(Record):
    """The spec with every input pinned; all that follows is keyed by these digests.

    Attributes:
        trigger: the asset event that the run began with, if one did.
    """

    spec: Spec
    model: ModelRef
    calibration: DataRef
    evaluation: DataRef
    metric: MetricFacts
    metric_code: UserCode | None = None
    preprocess: UserCode | None = None
    trigger: Announcement | None = None
    overrides: Overrides | None = None


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
