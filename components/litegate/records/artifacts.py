"""The .tflite files and what is measured on single samples of them."""

from __future__ import annotations

from pydantic import Field

from litegate.records.base import FileRef, Record
from litegate.records.fields import Count, Share, VariantName
from litegate.records.sources import DataRef, ModelRef, UserCode
from litegate.records.statistics import InputStatistics

__all__ = [
    "Artifact",
    "Benchmark",
    "BenchmarkRequest",
    "ConversionCheck",
    "ConversionCheckRequest",
    "ConvertRequest",
    "Converted",
    "QuantizeRequest",
    "SampleRequest",
    "SampleSet",
    "Signature",
    "TensorSpec",
]


class TensorSpec(Record):
    """A LiteRT input or output: `shape` with -1 for free dimensions, and its quantization if any."""

    shape: tuple[int, ...]
    dtype: str
    scale: float = 0.0
    zero_point: int = 0


class Signature(Record):
    inputs: dict[str, TensorSpec]
    outputs: dict[str, TensorSpec]


class Artifact(Record):
    """A .tflite file of one variant, with its signatures by key."""

    variant: VariantName
    file: FileRef
    signatures: dict[str, Signature]


class ConvertRequest(Record):
    model: ModelRef


class Converted(Record):
    """The float32 baseline, and the SavedModel that every variant is quantized from."""

    artifact: Artifact
    saved_model: tuple[FileRef, ...]
    tools: dict[str, str]


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


class ConversionCheckRequest(Record):
    model: ModelRef
    artifact: Artifact
    samples: SampleSet
    signature: str | None = None


class ConversionCheck(Record):
    """The float32 conversion against the source model, on the representative samples."""

    samples: Count
    max_abs_difference: float
    agreement: Share


class QuantizeRequest(Record):
    variant: VariantName
    saved_model: tuple[FileRef, ...]
    baseline: Artifact
    samples: SampleSet


class BenchmarkRequest(Record):
    artifact: Artifact
    samples: SampleSet
    signature: str | None = None


class Benchmark(Record):
    """Median and 95th percentile of single-threaded `invoke`, in milliseconds, on the named host."""

    variant: VariantName
    latency_ms: float
    latency_p95_ms: float
    runs: Count
    host: str
    kernels: str
