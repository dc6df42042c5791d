"""The inputs of a spec: the model and the datasets."""

from __future__ import annotations

import re
from typing import Literal, Self

from pydantic import Field, field_validator, model_validator
from pydantic.config import JsonDict
from pydantic_core import PydanticCustomError

from litegate.spec.choices import MIN_SAMPLES, EvaluationCode, Format, LintCode
from litegate.spec.device import Device
from litegate.spec.metric_facts import BUILT_IN, DECODED, DETECTIONS, built_in_facts, is_user_metric
from litegate.spec.section import EntryPoint, Section, address, check_variant, identifier, slice_field
from litegate.variants import VARIANTS

__all__ = [
    "Calibration",
    "Data",
    "Detection",
    "Evaluation",
    "GivenFile",
    "GroupedData",
    "Model",
]

_AT_LEAST_ONE: JsonDict = {"type": "integer", "minimum": 1}


class Model(Section):
    """The trained source model: a SavedModel directory, a `.keras` or a `.h5` file, or a float32 `.tflite` file.

    With a wildcard the URI stands for many versions, and the newest one is the model.
    """

    name: str = identifier("Names the DAG `quantize__<name>`, the MLflow experiment `quantize/<name>` and the files.")
    uri: str = address(
        "The trained model: a SavedModel directory, a `.keras` or a `.h5` file, written by Keras 3 or Keras 2, or a "
        "float32 `.tflite` file, of PyTorch, JAX or another converter, which is the baseline as it is. With "
        "`*`, `?` or `**/` it stands for versions, and the newest match is the model."
    )
    recorded_outputs: str | None = Field(
        None,
        min_length=1,
        description="What the model gave before it became a `.tflite` file, which the baseline is then checked "
        "against: an npz of a few samples, with an array for each input and one for each output to be compared, by "
        "their names. Not for other models, which are run themselves.",
    )
    watch: int | None = Field(
        None,
        ge=1,
        description="Seconds between two looks for a new model, which then starts the DAG; nobody looks if null.",
    )


class GivenFile(Section):
    """A file that is judged beside the variants: finished, whoever made it, or made by a recipe of one's own."""

    name: str = identifier("Names it in tables, files and MLflow; no variant's name.")
    uri: str | None = address("A finished `.tflite` file, with the inputs and outputs that float32 has.", None)
    recipe: str | None = address(
        "In place of `uri`: a recipe of LiteRT's quantizer, as the JSON file that its recipe manager writes, by which "
        "the file is made from float32 and the calibration samples.",
        None,
    )

    @model_validator(mode="after")
    def _is_finished_or_made(self) -> GivenFile:
        if (self.uri is None) == (self.recipe is None):
            got = "neither" if self.uri is None else "both"
            raise PydanticCustomError("named", "either a finished file (`uri`) or a `recipe`", {"got": got})
        return self

    @property
    def location(self) -> str:
        """The address of the file, or of the recipe."""
        found = self.uri or self.recipe
        assert found is not None
        return found


class Data(Section):
    """Where a dataset is, and which of its fields are what."""

    uri: str = address("A file, a folder or prefix, or a name with `*`, `?` and `**/` for many files.")
    format: Format = Field(description="How the samples are stored.")
    label: str = Field(
        "label",
        min_length=1,
        description="Name of the field, column or array that holds the label. Not for `images`, whose class is their "
        "folder.",
    )
    features: dict[str, str | list[str]] = Field(
        default_factory=dict,
        description="Fields by input name, where they have other names: `{image: image/encoded}`; several single "
        "numbers are stacked: `{x: [age, weight]}`, but for `npz` and `npy`. Not for `images`.",
    )

    classes: list[str] = Field(
        default_factory=list,
        description="The class folders of `images` in the order of the model's outputs, from class 0 on. If empty, "
        "folders that are all whole numbers are ordered as numbers, and all others as text.",
    )

    @model_validator(mode="after")
    def _keys_fit_the_format(self) -> Self:
        if self.format == "images" and self.label != "label":
            found = {"got": repr(self.label), "key": "label"}
            raise PydanticCustomError("named", "no label for images, whose class is their folder", found)
        if self.classes and self.format != "images":
            found = {"got": self.format, "key": "classes"}
            raise PydanticCustomError("named", "classes only for images; other formats hold numbers", found)
        if self.features and self.format == "images":
            found = {"got": repr(self.features), "key": "features"}
            raise PydanticCustomError("named", "no features for images, which feed the only input", found)
        stacked = [name for name, source in self.features.items() if not isinstance(source, str)]
        if stacked and self.format in ("npy", "npz"):
            found = {"got": repr(self.features[stacked[0]]), "key": f"features.{stacked[0]}"}
            raise PydanticCustomError("named", "the name of one array, which may have several columns", found)
        return self

    @field_validator("classes")
    @classmethod
    def _each_class_once(cls, value: list[str]) -> list[str]:
        if not all(value) or len(set(value)) != len(value):
            raise ValueError("the name of a folder for each class, none of them twice")
        return value

    @field_validator("features")
    @classmethod
    def _fields_have_names(cls, value: dict[str, str | list[str]]) -> dict[str, str | list[str]]:
        if not all(source and all(source) for source in value.values()):
            raise ValueError("the name of a field, or a list of names, for each input")
        return value


class Calibration(Data):
    """The dataset that the representative samples are chosen from, which calibrate the integer variants."""

    samples: int = Field(200, ge=1, le=100_000, description="How many are chosen; 100 to 500 is usual.")
    seed: int = Field(
        17,
        ge=0,
        description="Seed of the choice. It is stratified by label, does not depend on the order of the data, and a "
        "smaller choice is part of a larger one.",
    )
    allow: list[LintCode] = Field(
        default_factory=list,
        description="Errors of the calibration lint that are only warnings here, such as `leakage`.",
    )


class GroupedData(Data):
    """A dataset that the gate judges by, and which of its samples belong together."""

    group: str | None = Field(
        None,
        min_length=1,
        description="Name of the field, column or array, text or integers, that says which samples belong together: "
        "frames of one video, utterances of one speaker, crops of one image. The gate counts such groups in place of "
        "samples. For `images` a regular expression that finds it in each path: `(video\\d+)_`. Every sample by itself "
        "if null; exact duplicates always belong together.",
    )
    slices: list[str] = Field(
        default_factory=list,
        max_length=10,
        description="Names of fields, columns or arrays, text or integers of at most 100 different values: `site`, "
        "`lighting`. No slice, which is all samples with one value of one of them, may lose more than "
        "`max_slice_drop`. For `images` regular expressions with one named part each, which find the value in each "
        "path: `(?P<site>[a-z]+)_`.",
    )

    @model_validator(mode="after")
    def _group_fits_the_format(self) -> Self:
        if self.group is None:
            return self
        if self.format == "images":
            try:
                re.compile(self.group)
            except re.error as error:
                found = {"got": f"{self.group!r}: {error}", "key": "group"}
                raise PydanticCustomError("named", "a regular expression for images", found) from None
        elif self.group == self.label:
            found = {"got": repr(self.group), "key": "group"}
            raise PydanticCustomError("named", "another field than the label", found)
        return self

    @model_validator(mode="after")
    def _slices_are_fields(self) -> Self:
        names = [self._slice(entry) for entry in self.slices]
        twice = [name for name in names if names.count(name) > 1]
        if twice:
            found = {"got": f"{twice[0]!r} twice", "key": "slices"}
            raise PydanticCustomError("named", "each field once", found)
        if self.group is not None and self.group in names:
            expected = "other fields than `group`: a slice that is one group says nothing of the next"
            raise PydanticCustomError("named", expected, {"got": repr(self.group), "key": "slices"})
        return self

    @property
    def slice_fields(self) -> tuple[str, ...]:
        """The names of the fields of slices."""
        return tuple(slice_field(entry, self.format) for entry in self.slices)

    def _slice(self, entry: str) -> str:
        """The name of a field of slices, checked."""
        if self.format != "images":
            if not entry or "=" in entry:
                expected = "names of fields, which have no `=`"
                raise PydanticCustomError("named", expected, {"got": repr(entry), "key": "slices"})
            return entry
        try:
            parts = [*re.compile(entry).groupindex]
        except re.error as error:
            found = {"got": f"{entry!r}: {error}", "key": "slices"}
            raise PydanticCustomError("named", "regular expressions for images", found) from None
        if len(parts) != 1:
            expected = "regular expressions for images with one named part, such as (?P<site>[a-z]+)_"
            raise PydanticCustomError("named", expected, {"got": repr(entry), "key": "slices"})
        return parts[0]


class Detection(Section):
    """The outputs of a detector, by name, for `map50` and `map50_95`."""

    boxes: str = Field(min_length=1, description="For `map50` and `map50_95`: output of shape (batch, detections, 4).")
    scores: str = Field(
        min_length=1,
        description="For these: output of shape (batch, detections); without `classes` (batch, detections, classes), "
        "of which the largest names the class. What has no score above 0 is no detection.",
    )
    classes: str | None = Field(
        None, min_length=1, description="Output of shape (batch, detections): the number of the class of each."
    )
    count: str | None = Field(
        None, min_length=1, description="Output of shape (batch,): how many of the detections count; all if null."
    )
    box_format: Literal["yxyx", "xyxy", "xywh", "cxcywh"] = Field(
        "yxyx",
        description="What the four numbers of a box are, in the output and in the labels: two corners, one corner and "
        "the size, or the centre and the size.",
    )


class Evaluation(GroupedData):
    """The dataset that every variant is measured on. It must have labels."""

    metric: str = Field(
        "top1",
        description="What is compared: a metric by name, or your own `package.module:Class`.",
        json_schema_extra={"examples": ["top5", *BUILT_IN, "metrics:MyMetric"]},
    )
    output: str | None = Field(
        None,
        min_length=1,
        description="Name of the output that the metric judges; the only one if null. Not for `map50` and `map50_95`.",
    )
    detection: Detection | None = Field(
        None, description="For `map50` and `map50_95`: which outputs are boxes, classes and scores."
    )
    decoder: EntryPoint | None = Field(
        None,
        description="For `wer` and `cer`: `package.module:function`, called with output and label of one sample, which "
        "returns two texts, the model's and the right one.",
    )
    first_samples: int | None = Field(
        None,
        ge=MIN_SAMPLES,
        description="Begin with so many, and double them while the verdict is open, up to what there is or the caps "
        "below; all at once if null. The interim analyses are planned before the first and paid for. Not with "
        "`sequential`, and not for metrics of a whole set.",
    )
    sequential: bool = Field(
        False,
        description="Visit the samples in a seeded random order, and stop as soon as the verdict is certain, with the "
        "same error rate. For metrics of single samples with a range: the cost then does not grow with the data.",
    )
    allow: list[EvaluationCode] = Field(
        default_factory=list,
        description="Errors of the evaluation lint that are only warnings here, such as `chance`.",
    )
    max_samples: int | None = Field(
        None, ge=1, description="At most so many samples, chosen by the calibration's seed; all of them if null."
    )
    max_samples_by_variant: dict[str, int] = Field(
        default_factory=dict,
        description="The same for single variants, such as the 16x8 ones, which run on slow reference kernels on a "
        "CPU. They are paired with the baseline on the samples that both saw.",
        json_schema_extra={"propertyNames": {"enum": list(VARIANTS)}, "additionalProperties": _AT_LEAST_ONE},
    )
    target_samples: int | None = Field(
        None,
        ge=MIN_SAMPLES,
        description="How many samples run on the target's own runtime, chosen by the calibration's seed; all if null. "
        "The host runs all of them beside it, which makes the bounds narrower where the two agree. Only for a device, "
        "and for targets that are not judged on the host's own kernels.",
    )
    device: Device | None = Field(
        None,
        description="A real device whose outputs are judged; null where the target's runtime on this host is.",
    )
    signature: str | None = Field(
        None,
        description="Which signature is evaluated, if the model has several: `serving_default`, or the only one, if "
        "null.",
    )

    @field_validator("metric")
    @classmethod
    def _known_metric(cls, value: str) -> str:
        if not (built_in_facts(value) or is_user_metric(value)):
            known = ", ".join(("top1", "topK", *(name for name in BUILT_IN if name != "top1")))
            raise PydanticCustomError(
                "named", "one of {known}, or package.module:Class", {"known": known, "got": repr(value)}
            )
        return value

    @model_validator(mode="after")
    def _the_metric_gets_what_it_needs(self) -> Evaluation:
        for key, metrics in (("detection", DETECTIONS), ("decoder", DECODED)):
            needed, found = self.metric in metrics, getattr(self, key)
            if needed != (found is not None):
                expected = f"{key} for {self.metric}" if needed else f"null for {self.metric}, which needs no {key}"
                got = "null" if found is None else "a value"
                raise PydanticCustomError("named", "{expected}", {"expected": expected, "got": got, "key": key})
        if self.output is not None and self.metric in DETECTIONS:
            expected = f"null for {self.metric}, whose outputs are in evaluation.detection"
            raise PydanticCustomError(
                "named", "{expected}", {"expected": expected, "got": repr(self.output), "key": "output"}
            )
        return self

    @model_validator(mode="after")
    def _one_way_to_take_more(self) -> Evaluation:
        if self.sequential and self.first_samples is not None:
            raise PydanticCustomError(
                "named", "first_samples or sequential, which tests after every batch", {"got": "both"}
            )
        return self

    @field_validator("max_samples_by_variant")
    @classmethod
    def _known_variants(cls, value: dict[str, int]) -> dict[str, int]:
        for name, samples in value.items():
            check_variant(name)
            if samples < 1:
                raise ValueError(f"at least 1 sample for {name}, got {samples}")
        return value
