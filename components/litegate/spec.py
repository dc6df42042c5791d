"""The spec: one YAML file a model, parsed once into frozen records.

An unknown key, a wrong type or a value out of range is a `SpecError` that names the key, what it
may be and what it was. Nothing here touches the network or the file system beyond the spec itself.
"""

from __future__ import annotations

import re
from difflib import get_close_matches
from pathlib import Path
from typing import Any, Literal

import yaml
from croniter import CroniterError, croniter  # type: ignore[import-untyped]
from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator, model_validator
from pydantic_core import ErrorDetails, PydanticCustomError

from litegate.errors import SpecError
from litegate.variants import BASELINE, TARGETS, VARIANTS

__all__ = ["Calibration", "Evaluation", "Gate", "Model", "Registry", "Spec", "load_spec", "parse_spec"]

Uri = Field(min_length=1, description="s3://bucket/key, or a path: absolute, or relative to the spec file.")
Format = Literal["images", "npz"]
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


class Calibration(_Section):
    """The data set that the representative samples are chosen from."""

    uri: str = Uri
    format: Format
    samples: int = Field(200, ge=1, le=100_000, description="How many samples calibrate the integer variants.")
    seed: int = Field(17, ge=0, description="Seed of the choice.")


class Evaluation(_Section):
    """The data set that every variant is measured on."""

    uri: str = Uri
    format: Format
    metric: Literal["top1"] = "top1"
    max_samples: int | None = Field(None, ge=1, description="At most so many samples; all of them if null.")
    max_samples_by_variant: dict[str, int] = Field(default_factory=dict, description="The same, for one variant.")
    signature: str | None = Field(None, description="Which signature is evaluated, if the model has several.")

    @field_validator("max_samples_by_variant")
    @classmethod
    def _known_variants(cls, value: dict[str, int]) -> dict[str, int]:
        for name, samples in value.items():
            _check_variant(name)
            if samples < 1:
                raise ValueError(f"at least 1 sample for {name}, got {samples}")
        return value


class Gate(_Section):
    """What a variant must keep to be promoted."""

    max_drop: float = Field(0.01, ge=0, le=1, description="Largest allowed drop of the metric.")
    confidence: float = Field(0.95, gt=0.5, lt=1, description="Confidence that the drop is below `max_drop`.")
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
        return SpecError(where if path else f"{source}: variants", error["msg"], error["ctx"]["got"])
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
