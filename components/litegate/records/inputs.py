"""What a run starts from, pinned by digests."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from litegate.metrics.facts import MetricFacts
from litegate.records.base import FileRef, Record
from litegate.records.trial import Trial
from litegate.spec import Format, Spec

__all__ = ["DataRef", "ModelRef", "ProduceRequest", "Produced", "ResolveRequest", "Resolved", "UserCode"]


class ModelRef(Record):
    """The source model, pinned: `digest` covers all of `files`."""

    uri: str
    format: Literal["saved_model", "keras", "h5"]
    digest: str
    files: tuple[FileRef, ...]


class DataRef(Record):
    """A data set, pinned: `manifest` lists its objects with sizes and versions, `digest` covers it.

    Attributes:
        label: name of the field that holds the label.
        features: fields by input name, where the spec names them.
    """

    uri: str
    format: Format
    digest: str
    manifest: FileRef
    label: str = "label"
    features: dict[str, str | list[str]] = Field(default_factory=dict)


class UserCode(Record):
    """The user's `package.module:function`, where it is searched, and the digest of its source."""

    reference: str
    folder: str
    digest: str


class ResolveRequest(Record):
    """What a run is to be made by; `trial` says how that differs from the spec file, if it does."""

    spec: Spec
    folder: str
    trial: Trial | None = None


class Resolved(Record):
    """The spec with every input pinned; all that follows is keyed by these digests."""

    spec: Spec
    model: ModelRef
    calibration: DataRef
    evaluation: DataRef
    metric: MetricFacts
    metric_code: UserCode | None = None
    preprocess: UserCode | None = None
    trial: Trial | None = None


class ProduceRequest(Record):
    """A call of the user's `package.module:function(folder, **arguments)`, whose file goes to `uri`."""

    entry_point: str
    folder: str
    arguments: dict[str, str | int | float]
    uri: str


class Produced(Record):
    """The object that the call left at `uri`."""

    uri: str
    digest: str
    bytes: int
