"""The spec: one YAML file a model, parsed once into frozen records.

An unknown key, a wrong type or a value out of range is a `SpecError` that names the key, what it
may be and what it was. Nothing here touches the network or the file system beyond the spec itself.
"""

from __future__ import annotations

import re
from difflib import get_close_matches
from pathlib import Path
from typing import Any, Literal, Self

import yaml
from croniter import CroniterError, croniter  # type: ignore[import-untyped]
from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator, model_validator
from pydantic_core import ErrorDetails, PydanticCustomError

from litegate.errors import SpecError
from litegate.metrics.facts import BUILT_IN, MetricFacts, built_in_facts, is_user_metric
from litegate.variants import BASELINE, TARGETS, VARIANTS

__all__ = [
    "MIN_SAMPLES",
    "Calibration",
    "Evaluation",
    "Format",
    "Gate",
    "LintCode",
    "Model",
    "Registry",
    "Spec",
    "gate_problem",
    "load_spec",
    "parse_spec",
]

MIN_SAMPLES = 30
"""So few samples say nothing about a mean whose distribution is not known."""

Uri = Field(min_length=1, description="s3://bucket/key, or a path: absolute, or relative to the spec file.")
Format = Literal["csv", "images", "npy", "npz", "parquet", "tfrecord", "webdataset"]
LintCode = Literal["clipped", "constant", "leakage", "outliers", "scale", "shift", "too_few"]
"""Errors of the calibration lint that a spec may allow."""
Name = Field(
    pattern=r"^[A-Za-z0-9][A-Za-z0-9_.-]*$",
    max_length=120,
    description="Letters, digits, '_', '-' and '.': it names the DAG, the experiment and the files.",
)


class _Section(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    @field_validator("uri", check_fields=False)
    @classmethod
    def _local_or_s3(cls, value: str) -> str:
        if "://" in value and not re.match(r"s3://[^/]+/.", value):
            raise ValueError("s3://bucket/key, or a local path")
        return value


class _Loader(yaml.SafeLoader):
    """Refuses a key that is there twice: one of the two would be lost without a word."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        keys = [key.value for key, _ in node.value]
        for key in keys:
            if keys.count(key) > 1:
                raise yaml.constructor.ConstructorError(None, None, f"the key {key!r} is there twice", node.start_mark)
        return super().construct_mapping(node, deep)


class Model(_Section):
    """The trained source model: a SavedModel directory, a `.keras` or a `.h5` file."""

    name: str = Name
    uri: str = Uri


class _Data(_Section):
    """Where a data set is, and which of its fields are what."""

    uri: str = Uri
    format: Format
    label: str = Field("label", min_length=1, description="Name of the field, column or array that holds the label.")
    features: dict[str, str | list[str]] = Field(
        default_factory=dict, description="Fields by input name, where they have other names; several are stacked."
    )

    @model_validator(mode="after")
    def _keys_fit_the_format(self) -> Self:
        if self.format == "images" and self.label != "label":
            found = {"got": repr(self.label), "key": "label"}
            raise PydanticCustomError("named", "no label for images, whose class is their folder", found)
        if self.features and self.format in ("images", "npy", "npz"):
            known = "csv, parquet, tfrecord or webdataset; arrays are named like the inputs"
            raise PydanticCustomError(
                "named", "features only for {known}", {"known": known, "got": self.format, "key": "features"}
            )
        return self

    @field_validator("features")
    @classmethod
    def _fields_have_names(cls, value: dict[str, str | list[str]]) -> dict[str, str | list[str]]:
        if not all(source and all(source) for source in value.values()):
            raise ValueError("the name of a field, or a list of names, for each input")
        return value


class Calibration(_Data):
    """The data set that the representative samples are chosen from."""

    samples: int = Field(200, ge=1, le=100_000, description="How many samples calibrate the integer variants.")
    seed: int = Field(17, ge=0, description="Seed of the choice.")
    allow: list[LintCode] = Field(
        default_factory=list, description="Errors of the calibration lint that are only warnings here."
    )


class Evaluation(_Data):
    """The data set that every variant is measured on."""

    metric: str = Field("top1", description="What is compared: a metric by name, or the user's package.module:Class.")
    first_samples: int | None = Field(
        None,
        ge=MIN_SAMPLES,
        description="Begin with so many and take more while a verdict is open; all at once if null.",
    )
    sequential: bool = Field(False, description="Visit samples in a seeded random order and stop once it is decided.")
    max_samples: int | None = Field(None, ge=1, description="At most so many samples; all of them if null.")
    max_samples_by_variant: dict[str, int] = Field(default_factory=dict, description="The same, for one variant.")
    signature: str | None = Field(None, description="Which signature is evaluated, if the model has several.")

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
    def _one_way_to_take_more(self) -> Evaluation:
        if self.sequential and self.first_samples is not None:
            raise PydanticCustomError(
                "named", "first_samples or sequential, which looks after every batch", {"got": "both"}
            )
        return self

    @field_validator("max_samples_by_variant")
    @classmethod
    def _known_variants(cls, value: dict[str, int]) -> dict[str, int]:
        for name, samples in value.items():
            _check_variant(name)
            if samples < 1:
                raise ValueError(f"at least 1 sample for {name}, got {samples}")
        return value


class Gate(_Section):
    """What a variant must keep to be promoted; what is null is not asked for.

    Every clause must hold: a variant passes when each is proved at `confidence`, which holds for the variant
    that is picked in the end, however many were judged side by side.
    """

    max_drop: float = Field(0.01, ge=0, description="Largest allowed loss of the metric against float32.")
    drop: Literal["absolute", "relative"] = Field(
        "absolute", description="Whether `max_drop` is in the metric's own unit or a share of the baseline's value."
    )
    confidence: float = Field(0.95, gt=0.5, lt=1, description="Confidence that the picked variant keeps every limit.")
    max_class_drop: float | None = Field(None, ge=0, le=1, description="Largest allowed loss of any single class.")
    min_class_samples: int = Field(50, ge=1, description="Classes with fewer samples are not judged by themselves.")
    max_prediction_shift: float | None = Field(
        0.2, gt=0, le=1, description="By how much the share of one class in the predictions may grow (collapse)."
    )
    max_drop_from_champion: float | None = Field(
        None, ge=0, description="Largest allowed loss against the version that is champion today, in the metric's unit."
    )
    min_value: float | None = Field(
        None, description="What the float32 baseline itself must reach (at most, where lower is better)."
    )
    max_bytes: int | None = Field(None, ge=1, description="Largest file that may ship.")
    min_size_ratio: float | None = Field(None, gt=0, description="How many times smaller than float32 it must be.")
    max_latency_ratio: float | None = Field(None, gt=0, description="Largest latency as a share of float32's.")
    latency_host: str | None = Field(None, description="The host whose latency counts; any one host if null.")
    integer_only: bool = Field(False, description="Whether no operator, input or output may be float.")
    on_reject: Literal["fail", "skip"] = Field("fail", description="How a run ends in which nothing passes.")


class Registry(_Section):
    """The registered model in MLflow and the alias that follows what was promoted."""

    name: str = Name
    alias: str = Field("champion", pattern=r"^[A-Za-z0-9_-]+$", description="MLflow's alias for what was promoted.")

    @field_validator("alias")
    @classmethod
    def _not_reserved(cls, value: str) -> str:
        if value == "latest" or re.fullmatch(r"v\d+", value):
            raise ValueError("an alias that MLflow does not reserve (not 'latest', not 'v1')")
        return value


class Spec(_Section):
    """A whole spec; see `docs/spec.md` for each key."""

    model: Model
    calibration: Calibration
    evaluation: Evaluation
    preprocess: str | None = Field(None, pattern=r"^[A-Za-z_][\w.]*:[A-Za-z_]\w*$")
    target: Literal["cpu", "gpu", "edgetpu", "microcontroller", "high_precision_integer"] = "cpu"
    variants: tuple[str, ...] = ()
    gate: Gate = Gate.model_validate({})
    select: Literal["smallest", "fastest", "most_accurate"] = "smallest"
    registry: Registry
    schedule: str | None = Field(None, description="A cron expression, or null: by the model's asset and by hand.")

    @model_validator(mode="before")
    @classmethod
    def _defaults_from_other_keys(cls, data: Any) -> Any:
        if not isinstance(data, dict):
            return data
        data = dict(data)
        target = TARGETS.get(str(data.get("target", "cpu")))
        variants = data.get("variants")
        if variants is None and target:
            data["variants"] = target.default
        elif variants == "all":
            data["variants"] = tuple(VARIANTS)
        elif isinstance(variants, list):
            data["variants"] = tuple(variants)
        if isinstance(data.get("model"), dict):
            registry = data.get("registry")
            if registry is None or isinstance(registry, dict):
                data["registry"] = {"name": data["model"].get("name")} | (registry or {})
        return data

    @field_validator("variants")
    @classmethod
    def _variants_exist(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        for name in value:
            _check_variant(name)
        if not set(value) - {BASELINE}:
            raise ValueError("at least one variant besides the float32 baseline")
        return tuple(dict.fromkeys(value))

    @model_validator(mode="after")
    def _something_can_run_on_the_target(self) -> Spec:
        runnable = TARGETS[self.target].runnable
        if not runnable & set(self.variants):
            raise PydanticCustomError(
                "named",
                "at least one that {target} can run ({runnable})",
                {"target": self.target, "runnable": ", ".join(sorted(runnable)), "got": ", ".join(self.variants)},
            )
        return self

    @model_validator(mode="after")
    def _gate_fits_the_metric(self) -> Spec:
        facts = built_in_facts(self.evaluation.metric)
        problem = facts and gate_problem(self.evaluation, self.gate, facts)
        if problem:
            key, expected, got = problem
            raise PydanticCustomError("named", "{expected}", {"expected": expected, "got": got, "key": key})
        return self

    @field_validator("schedule")
    @classmethod
    def _cron_has_a_next_time(cls, value: str | None) -> str | None:
        if value is None:
            return None
        try:
            croniter(value).get_next()
        except (CroniterError, ValueError):
            raise ValueError("a cron expression that has a next time, a preset such as @daily, or null") from None
        return value

    @property
    def quantized_variants(self) -> tuple[str, ...]:
        """The variants to build besides the baseline, in the order of the spec."""
        return tuple(name for name in self.variants if name != BASELINE)


def gate_problem(evaluation: Evaluation, gate: Gate, facts: MetricFacts) -> tuple[str, str, str] | None:
    """What of a policy has no meaning for a metric: the key, what was expected and what was found; None if all fits."""
    limits = (("max_drop", gate.max_drop), ("max_drop_from_champion", gate.max_drop_from_champion))
    width = 1.0 if gate.drop == "relative" else facts.width
    for key, limit in limits:
        bound = facts.width if key == "max_drop_from_champion" else width
        if limit is not None and bound is not None and limit > bound:
            return f"gate.{key}", f"at most {bound:g} for {facts.name} (0.01 is one point)", f"{limit:g}"
    if gate.drop == "relative" and (facts.low is None or facts.low < 0):
        return "gate.drop", f"absolute for {facts.name}, whose values may be negative", "relative"
    if evaluation.sequential and not (facts.per_sample and facts.width is not None):
        return "evaluation.sequential", f"false for {facts.name}, which is not a bounded value of each sample", "true"
    if evaluation.first_samples is not None and not facts.per_sample:
        return "evaluation.first_samples", f"null for {facts.name}, which only a whole set has", "a number"
    return None


def parse_spec(data: Any, source: str = "spec") -> Spec:
    """Check `data`, the parsed YAML, and freeze it.

    Raises:
        SpecError: with the first thing that is wrong.
    """
    if not isinstance(data, dict):
        raise SpecError(source, "a mapping of spec keys", type(data).__name__)
    try:
        return Spec.model_validate(data)
    except ValidationError as error:
        raise _spec_error(error.errors()[0], source) from None


def load_spec(path: Path) -> Spec:
    """Read a spec file; local URIs in it become absolute, relative to the file's real folder.

    Raises:
        SpecError: if the file cannot be read or parsed, or with the first thing that is wrong in it.
    """
    try:
        data = yaml.load(path.read_text(encoding="utf-8"), _Loader)  # noqa: S506  a safe loader, but stricter
    except OSError as error:
        raise SpecError(str(path), "a readable spec file", error.strerror or str(error)) from None
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise SpecError(str(path), "valid YAML", " ".join(str(error).split())) from None
    spec = parse_spec(data, str(path))
    return _with_absolute_uris(spec, path.resolve().parent)


def _with_absolute_uris(spec: Spec, folder: Path) -> Spec:
    def absolute(section: Any) -> Any:
        uri = section.uri
        return section if "://" in uri else section.model_copy(update={"uri": str(folder / uri)})

    sections = ("model", "calibration", "evaluation")
    return spec.model_copy(update={name: absolute(getattr(spec, name)) for name in sections})


def _check_variant(name: Any) -> None:
    if name not in VARIANTS:
        raise PydanticCustomError("named", "one of {known}", {"known": ", ".join(VARIANTS), "got": repr(name)})


def _spec_error(error: ErrorDetails, source: str) -> SpecError:
    path = [str(part) for part in error["loc"]]
    where = f"{source}: {'.'.join(path)}" if path else source
    if error["type"] == "extra_forbidden":
        known = _known_keys(path[:-1])
        close = get_close_matches(path[-1], known, n=1)
        hint = f" (did you mean {close[0]}?)" if close else ""
        return SpecError(where, f"one of the known keys {', '.join(known)}", f"the unknown key {path[-1]!r}{hint}")
    if error["type"] == "missing":
        return SpecError(where, "a value, the key is required", "nothing")
    if error["type"] == "named":
        key = error["ctx"].get("key", "" if path else "variants")
        inner = ".".join(part for part in (*path, key) if part)
        return SpecError(f"{source}: {inner}", error["msg"], error["ctx"]["got"])
    if error["type"] == "tuple_type":
        return SpecError(where, "'all' or a list of variants", _bounded(error["input"]))
    expected = error["msg"].removeprefix("Value error, ").removeprefix("Input should be ")
    return SpecError(where, expected, _bounded(error["input"]))


def _bounded(value: Any, limit: int = 120) -> str:
    text = repr(value)
    return text if len(text) <= limit else text[: limit - 3] + "..."


def _known_keys(path: list[str]) -> list[str]:
    section: type[BaseModel] = Spec
    for part in path:
        annotation = section.model_fields[part].annotation
        if not (isinstance(annotation, type) and issubclass(annotation, BaseModel)):
            return []
        section = annotation
    return list(section.model_fields)
