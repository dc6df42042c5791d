"""The representative samples."""

from __future__ import annotations

from pydantic import Field

from litegate.records.artifacts import Artifact
from litegate.records.base import FileRef, Record
from litegate.records.fields import Count
from litegate.records.sources import DataRef, UserCode
from litegate.records.statistics import InputStatistics

__all__ = ["Chosen", "SampleRequest", "SampleSet"]


class SampleRequest(Record):
    data: DataRef
    artifact: Artifact
    samples: Count
    seed: int
    preprocess: UserCode | None = None


class SampleSet(Record):
    """The representative samples after `preprocess`: an npz with one array per input, named `<signature>/<input>`.

    `labels` counts the samples of each label, and is empty where there are no labels. `inputs` says what the values
    look like, by the name of the array.
    """

    file: FileRef
    samples: Count
    available: Count
    labels: dict[str, Count]
    inputs: dict[str, InputStatistics] = Field(default_factory=dict)


class Chosen(Record):
    """Where representative samples were chosen from, to find out which of them one is."""

    data: DataRef
    seed: int
