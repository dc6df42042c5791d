"""A whole spec: its sections, and what must fit together between them."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import Field, field_validator, model_validator
from pydantic_core import PydanticCustomError

from litegate.spec.approval import OptionalApproval
from litegate.spec.choices import EngineName, TargetName
from litegate.spec.fine_tune import FineTune, fine_tune_defaults, fine_tune_problem
from litegate.spec.gate import Gate, Limits, gate_problem, limits_problem
from litegate.spec.inputs import Calibration, Evaluation, GivenFile, Model
from litegate.spec.metric_facts import built_in_facts
from litegate.spec.notify import Notification
from litegate.spec.recover import Recover, recover_defaults, recover_problem
from litegate.spec.registry import Registry
from litegate.spec.requalify import Requalify
from litegate.spec.retrain import Retrain, is_written_whole
from litegate.spec.section import Cron, EntryPoint, Section, check_variant
from litegate.variants import (
    BASELINE,
    CHAMPION,
    FINE_TUNED,
    FINE_TUNING,
    GIVEN,
    HOST,
    LITERT_QUANTIZER,
    MADE_BY,
    RECOVERED,
    RECOVERY,
    TARGETS,
    TF_CONVERTER,
    VARIANTS,
    makers,
    usual_engine,
    variant_of,
)

__all__ = ["Spec"]

_RESERVED = (CHAMPION, RECOVERED, FINE_TUNED)
_OF_AN_ETHOS_U = ("max_cpu_operators", "max_sram_bytes", "max_cycles")
"""Limits of the gate on what its compiler says."""


class Spec(Section):
    """One model: what is quantized, what is kept, where it goes, and who is told."""

    model: Model
    calibration: Calibration
    evaluation: Evaluation
    preprocess: EntryPoint | None = Field(
        None,
        description="`package.module:function`, imported from beside the spec file or from the TensorFlow environment, "
        "applied to calibration and evaluation alike.",
    )
    target: TargetName = Field(
        "cpu", description="Where the model will run. A variant that the target cannot run is never promoted."
    )
    variants: tuple[str, ...] = Field(
        (),
        description="The variants to build and judge: `all`, or a list; those that LiteRT's documentation names for "
        "the target if it is left out. `all` is all that the engines can make.",
    )
    engine: tuple[EngineName, ...] = Field(
        ("tf_converter",),
        description="What makes the variants: `tf_converter` (TensorFlow's), `litert_quantizer` (LiteRT's own, which "
        "begins with the float32 file), or a list of both, which races them: where both can make a variant, the file "
        "of the second goes by `<variant>.<engine>`. If left out it is `litert_quantizer` for a `.tflite` model, else "
        "`tf_converter`.",
    )
    candidates: tuple[GivenFile, ...] = Field(
        (),
        max_length=32,
        description="Finished `.tflite` files, of another tool or of quantization-aware training, or recipes of "
        "LiteRT's quantizer: what is made by them is inspected, measured and judged like the variants. Where there are "
        "some and `variants` is left out, no others are made.",
    )
    recover: Recover | None = Field(
        None,
        description="Where the variant `recover.base` does not pass the gate: searches, on the calibration samples, "
        "which operators need another precision, and makes one more file by it, which is judged like the variants "
        "under the name `recovered`.",
    )
    fine_tune: FineTune | None = Field(
        None,
        description="Where neither the variant `fine_tune.base` nor `recovered` passes the gate: trains the model on "
        "with 8 bits simulated in it (quantization-aware training), and makes one more file of it, which is judged "
        "like the variants under the name `fine_tuned`. For `.keras` and `.h5` models.",
    )
    gate: Gate = Gate.model_validate({})
    select: Literal["smallest", "fastest", "most_accurate"] = Field(
        "smallest", description="Which of the variants that pass is promoted."
    )
    registry: Registry
    approval: OptionalApproval = Field(
        None,
        description="`human`: a person must accept what passed before it is promoted; a mapping of the following keys "
        "means `human` too. `none`: nobody is asked.",
    )
    notify: list[Notification] = Field(default_factory=list, description="Who is told about what.")
    deadline_minutes: float | None = Field(
        None, gt=0, description="A run that takes longer is told of by the notifiers of `late`."
    )
    schedule: Cron | None = Field(
        None, description="A cron expression (UTC); when the model's asset changes, and by hand, if null."
    )
    retrain: Retrain | None = Field(
        None,
        description="Makes the DAG `retrain__<model.name>`, which trains the model anew. `model.uri` is then a "
        "`.keras` or `.h5` file, or has one `*` (`s3://bucket/m/*/saved_model.pb` for SavedModels).",
    )
    requalify: Requalify | None = Field(
        None, description="Makes the DAG `requalify__<model.name>`, which measures the champion again."
    )

    @model_validator(mode="before")
    @classmethod
    def _defaults_from_other_keys(cls, data: Any) -> Any:
        if not isinstance(data, dict):
            return data
        data = dict(data)
        _in_tuple(data, "engine")
        _in_tuple(data, "candidates")
        if data.get("engine") is None:
            model = data.get("model")
            data["engine"] = (usual_engine(str(model.get("uri")) if isinstance(model, dict) else ""),)
        _set_variants(data)
        if isinstance(data.get("model"), dict):
            registry = data.get("registry")
            if registry is None or isinstance(registry, dict):
                data["registry"] = {"name": data["model"].get("name")} | (registry or {})
        if isinstance(data.get("requalify"), dict) and isinstance(data.get("gate"), dict):
            limits = {name: value for name, value in data["gate"].items() if name in Limits.model_fields}
            data["requalify"] = limits | data["requalify"]
        if isinstance(data.get("recover"), dict):
            data["recover"] = recover_defaults(data.get("target")) | data["recover"]
        if isinstance(data.get("fine_tune"), dict):
            data["fine_tune"] = fine_tune_defaults(data.get("target")) | data["fine_tune"]
        return data

    @field_validator("variants")
    @classmethod
    def _variants_exist(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        for name in value:
            check_variant(name)
        return tuple(dict.fromkeys(value))

    @field_validator("engine")
    @classmethod
    def _each_engine_once(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        if not value or len(set(value)) != len(value):
            raise ValueError("one engine or both, none of them twice")
        return value

    @field_validator("candidates")
    @classmethod
    def _candidates_have_names_of_their_own(cls, value: tuple[GivenFile, ...]) -> tuple[GivenFile, ...]:
        names = [each.name for each in value]
        taken = [name for name in names if name in _RESERVED or variant_of(name).recipe is not None]
        if taken or len(set(names)) != len(names):
            got = taken[0] if taken else ", ".join(names)
            raise PydanticCustomError("named", "names of their own, none twice and none of a variant", {"got": got})
        return value

    @model_validator(mode="after")
    def _something_is_judged(self) -> Spec:
        if not set(self.variants) - {BASELINE} and not self.candidates:
            expected = "at least one variant besides the float32 baseline, or a file in `candidates`"
            raise PydanticCustomError("named", expected, {"got": "none", "key": "variants"})
        return self

    @model_validator(mode="after")
    def _engines_make_the_variants(self) -> Spec:
        able = frozenset().union(*(MADE_BY[engine] for engine in self.engine))
        for name in self.variants:
            if name != BASELINE and name not in able:
                known = ", ".join(each for each in VARIANTS if each in able)
                cure = ", ".join(f"`engine: {engine}`" for engine, makes in MADE_BY.items() if name in makes)
                found = {"got": f"{name}, which takes {cure}", "key": "variants", "known": known}
                found["engines"] = " and ".join(self.engine)
                raise PydanticCustomError("named", "one that {engines} can make ({known})", found)
        return self

    @model_validator(mode="after")
    def _something_can_run_on_the_target(self) -> Spec:
        runnable = TARGETS[self.target].runnable
        if not runnable & set(self.variants) and not self.candidates:
            raise PydanticCustomError(
                "named",
                "at least one that {target} can run ({runnable})",
                {"target": self.target, "runnable": ", ".join(sorted(runnable)), "got": ", ".join(self.variants)},
            )
        return self

    @model_validator(mode="after")
    def _recovery_fits_the_target(self) -> Spec:
        problem = self.recover and recover_problem(self.recover, self.target)
        if problem:
            key, expected, got = problem
            raise PydanticCustomError("named", "{expected}", {"expected": expected, "got": got, "key": key})
        return self

    @model_validator(mode="after")
    def _fine_tuning_fits_the_target(self) -> Spec:
        problem = self.fine_tune and fine_tune_problem(self.fine_tune, self.target)
        if problem:
            key, expected, got = problem
            raise PydanticCustomError("named", "{expected}", {"expected": expected, "got": got, "key": key})
        return self

    @model_validator(mode="after")
    def _limits_are_of_what_the_target_has(self) -> Spec:
        target = TARGETS[self.target]
        limits = (
            ("max_arena_bytes", target.arena, "whose files run without an arena of fixed size"),
            ("max_flash_bytes", target.firmware, "whose files are not part of a firmware"),
            *((name, bool(target.accelerator), "which is no Ethos-U") for name in _OF_AN_ETHOS_U),
        )
        for name, has, why in limits:
            found = getattr(self.gate, name)
            if found is not None and not has:
                expected = f"null for the target {self.target}, {why}"
                said = {"expected": expected, "got": f"{found}", "key": f"gate.{name}"}
                raise PydanticCustomError("named", "{expected}", said)
        return self

    @model_validator(mode="after")
    def _a_part_of_the_samples_is_for_another_runtime(self) -> Spec:
        asked = self.evaluation.target_samples
        if asked is not None and TARGETS[self.target].runtime == HOST and self.evaluation.device is None:
            expected = f"null for the target {self.target}, which is judged on the host's own kernels"
            found = {"expected": expected, "got": f"{asked}", "key": "evaluation.target_samples"}
            raise PydanticCustomError("named", "{expected}", found)
        return self

    @model_validator(mode="after")
    def _fresh_data_have_no_evidence(self) -> Spec:
        if self.requalify is not None and self.evaluation.device is not None:
            expected = "null with evaluation.device, which was never fed the fresh data"
            raise PydanticCustomError("named", expected, {"got": "a value", "key": "requalify"})
        return self

    @model_validator(mode="after")
    def _limits_fit_the_metric(self) -> Spec:
        facts = built_in_facts(self.evaluation.metric)
        problem = facts and gate_problem(self.evaluation, self.gate, facts)
        if facts and self.requalify and not problem:
            problem = limits_problem("requalify", self.requalify, facts)
        if problem:
            key, expected, got = problem
            raise PydanticCustomError("named", "{expected}", {"expected": expected, "got": got, "key": key})
        return self

    @model_validator(mode="after")
    def _slices_have_a_limit(self) -> Spec:
        if self.requalify is not None and self.requalify.slices and self.requalify.slice_limit is None:
            expected = "what a slice of requalify.slices may lose"
            raise PydanticCustomError("named", expected, {"got": "null", "key": "requalify.max_slice_drop"})
        return self

    @model_validator(mode="after")
    def _what_is_trained_has_a_place(self) -> Spec:
        if self.retrain is not None and not is_written_whole(self.model.uri):
            expected = "a .keras or .h5 file, or folder/*/saved_model.pb for SavedModels, where retrain writes"
            raise PydanticCustomError("named", expected, {"got": self.model.uri, "key": "model.uri"})
        return self

    @model_validator(mode="after")
    def _a_deadline_is_told_to_somebody(self) -> Spec:
        told = any("late" in notification.events for notification in self.notify)
        if told and self.deadline_minutes is None:
            found = {"got": "null", "key": "deadline_minutes"}
            raise PydanticCustomError("named", "a number of minutes, for notify has the event late", found)
        if self.deadline_minutes is not None and not told:
            found = {"got": "none", "key": "notify"}
            raise PydanticCustomError("named", "a notifier for the event late, for there is a deadline", found)
        return self

    @property
    def quantized_variants(self) -> tuple[str, ...]:
        """What is judged: the variants of each engine, in the order of the spec, what is recovered, given files."""
        given = (each.name for each in self.candidates)
        return (*makers(self.variants, self.engine), *self.recoveries, *given)

    @property
    def recoveries(self) -> tuple[str, ...]:
        """Those of `quantized_variants` that are made only where others did not pass, in the order of their turns."""
        return (*[RECOVERED] * (self.recover is not None), *[FINE_TUNED] * (self.fine_tune is not None))

    @property
    def first_variants(self) -> tuple[str, ...]:
        """The others."""
        return tuple(name for name in self.quantized_variants if name not in self.recoveries)

    def base_of(self, recovery: str) -> str:
        """The variant that one of `recoveries` begins with."""
        sections = {RECOVERED: self.recover, FINE_TUNED: self.fine_tune}
        section = sections[recovery]
        assert section is not None, recovery
        return section.base

    def engine_of(self, name: str) -> str:
        """What makes one of `quantized_variants`; `given` for a finished file, a word of its own for no engine's."""
        if name in (RECOVERED, FINE_TUNED):
            return RECOVERY if name == RECOVERED else FINE_TUNING
        for each in self.candidates:
            if name == each.name:
                return GIVEN if each.recipe is None else LITERT_QUANTIZER
        able = makers([variant_of(name).name], self.engine)
        return able.get(name) or next(iter(able.values()), TF_CONVERTER)


def _in_tuple(data: dict[str, Any], key: str) -> None:
    value = data.get(key)
    if isinstance(value, str):
        data[key] = (value,)
    elif isinstance(value, list):
        data[key] = tuple(value)


def _set_variants(data: dict[str, Any]) -> None:
    """Those that stand for `all`, or for nothing said."""
    target, variants = TARGETS.get(str(data.get("target", "cpu"))), data.get("variants")
    engines = data["engine"] if isinstance(data["engine"], tuple) else ()
    able = frozenset().union(*(MADE_BY.get(str(engine), frozenset()) for engine in engines))
    if variants is None and data.get("candidates"):
        data["variants"] = ()
    elif variants is None and target:
        data["variants"] = tuple(name for name in target.default if name in able)
    elif variants == "all":
        data["variants"] = tuple(name for name in VARIANTS if name == BASELINE or name in able)
    elif isinstance(variants, list):
        data["variants"] = tuple(variants)
