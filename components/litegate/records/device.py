"""What a real device is given, and how fast it was."""

from __future__ import annotations

from typing import Annotated, Any, ClassVar

from pydantic import Field

from litegate.records.artifacts import NAMES, Artifact
from litegate.records.base import FileRef, Record
from litegate.records.fields import Count
from litegate.records.sources import DataRef, UserCode

__all__ = ["DeviceSamples", "DeviceSamplesRequest", "SampleChoice", "TimedOnDevice"]

Milliseconds = Annotated[float, Field(ge=0)]


class SampleChoice(Record):
    """Which samples of a dataset a file sees.

    Attributes:
        max_samples: at most so many; all if None.
        target_samples: at most so many of these on the target; all if None.
        in_random_order: whether its evaluation may end early, so that whole groups are visited at random.
    """

    max_samples: int | None
    target_samples: int | None
    seed: int
    in_random_order: bool


class DeviceSamplesRequest(Record):
    """The samples that a device is to run, of all files of a spec: those of each choice.

    Attributes:
        artifact: float32, whose inputs they are for.
    """

    unkeyed: ClassVar[dict[str, Any]] = {"artifact": NAMES}

    data: DataRef
    artifact: Artifact
    choices: tuple[SampleChoice, ...] = Field(min_length=1)
    preprocess: UserCode | None = None
    signature: str | None = None


class DeviceSamples(Record):
    """An npz for the device, as docs/how-to/device-evidence.md has it; `signature` is the one that it runs."""

    file: FileRef
    samples: Count
    signature: str


class TimedOnDevice(Record):
    """How long a device took for a sample, as its evidence says.

    Attributes:
        name: the device's runtime, `device:` and its name.
        runtime: what ran the file there, in the words of who recorded it.
        latency_ms, latency_p95_ms: median and 95th percentile.
        samples: how many were timed.
    """

    name: str
    runtime: str
    latency_ms: Milliseconds
    latency_p95_ms: Milliseconds
    samples: Count
