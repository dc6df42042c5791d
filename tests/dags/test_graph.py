"""Which tasks run, fail or are skipped, with Airflow's own scheduling and steps that only pretend."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from litegate.errors import BadInput, LitegateError, StepFailed
from litegate.records import (
    Artifact,
    BaselineSummary,
    Champion,
    ChampionFile,
    Converted,
    DataRef,
    Evaluated,
    FileRef,
    Inspection,
    Lint,
    MetricFacts,
    ModelRef,
    Parity,
    Profile,
    Promotion,
    Record,
    Resolved,
    RunResult,
    SampleSet,
    SmokeRun,
    VariantRow,
    Verdict,
    Verdicts,
)
from tests.operators.test_run_records import inspection, smoke

SPEC = """
model: {{name: m, uri: m.keras}}
calibration: {{uri: c.npz, format: npz}}
evaluation: {{uri: e.npz, format: npz, max_samples: 50, max_samples_by_variant: {{int8: 20}}}}
variants: {variants}
gate: {{on_reject: {on_reject}, max_drop_from_champion: {from_champion}}}
"""

FILE = FileRef(name="f", digest="0" * 64, bytes=10)
METRIC = MetricFacts(name="top1")
DATA = DataRef(uri="d.npz", format="npz", digest="1", manifest=FILE)


def artifact(variant: str) -> Artifact:
    return Artifact(variant=variant, file=FileRef(name=f"{variant}.tflite", digest=variant, bytes=10), signatures={})


@dataclass
class Steps:
    """Stands in for `StepRun`: keeps the requests, fails where it is told to, else gives a plausible result.

    `known` are the steps and variants whose results an earlier run has left; `("*", "*")` are all.
    """

    failing: dict[tuple[str, str], LitegateError] = field(default_factory=dict)
    passing: bool = True
    promoted_before: bool = True
    known: set[tuple[str, str]] = field(default_factory=set)
    requests: dict[tuple[str, str], Any] = field(default_factory=dict)
    looked_up: dict[tuple[str, str], Any] = field(default_factory=dict)
    step: str = ""
    variant: str = ""
    request: Any = None

    def __call__(self, step: str, request: Any, settings: Any) -> Steps:
        artifact = getattr(request, "artifact", None)
        variant = getattr(request, "variant", artifact.variant if artifact and step != "sample" else "")
        self.step, self.variant, self.request = step, variant, request
        return self

    def find(self) -> Record | None:
        self.looked_up[self.step, self.variant] = self.request
        known = (self.step, self.variant) in self.known or ("*", "*") in self.known
        return getattr(self, self.step)(self.request) if known else None

    def run(self) -> Record:
        self.requests[self.step, self.variant] = self.request
        if error := self.failing.get((self.step, self.variant)):
            raise error
        return getattr(self, self.step)(self.request)

    def resolve(self, request: Any) -> Resolved:
        model = ModelRef(uri="m.keras", format="keras", digest="2", files=(FILE,))
        return Resolved(
            spec=request.spec,
            model=model,
            calibration=DATA,
            evaluation=DATA,
            metric=METRIC,
            trial=request.trial,
        )

    def convert(self, request: Any) -> Converted:
        return Converted(artifact=artifact("float32"), saved_model=(FILE,), tools={})

    def sample(self, request: Any) -> SampleSet:
        return SampleSet(file=FILE, samples=3, available=5, labels={})

    def lint(self, request: Any) -> Lint:
        return Lint(findings=(), samples=3, compared=3, searched=3)

    def parity(self, request: Any) -> Parity:
        return Parity(samples=3, max_abs_difference=0.0, agreement=1.0)

    def quantize(self, request: Any) -> Artifact:
        return artifact(request.variant)

    def inspect(self, request: Any) -> Inspection:
        return inspection(request.artifact.variant)

    def smoke(self, request: Any) -> SmokeRun:
        return smoke(request.artifact.variant)

    def champion(self, request: Any) -> ChampionFile:
        if not self.promoted_before:
            return ChampionFile(version=None, artifact=None)
        return ChampionFile(version=7, artifact=artifact("champion"))

    def evaluate(self, request: Any) -> Evaluated:
        return Evaluated(
            variant=self.variant,
            artifact_digest=self.variant,
            metric=METRIC,
            samples=9,
            available=9,
            outcomes=FILE,
            seconds=0.1,
            kernels="x",
        )

    def profile(self, request: Any) -> Profile:
        return Profile(variant=self.variant, latency_ms=1.0, latency_p95_ms=2.0, runs=9, host="h", kernels="x")

    def judge(self, request: Any) -> Verdicts:
        measured = {item.artifact.variant for item in request.candidates if item.profile}
        passed = measured if self.passing else set()
        return Verdicts(
            verdicts=tuple(
                Verdict(variant=name, state="passed" if name in passed else "failed", digest=name)
                for name in request.variants
            )
        )

    def register(self, request: Any) -> RunResult:
        trial = request.resolved.trial is not None
        chosen = None if trial else request.selection.variant
        row = {"bytes": None, "value": None, "drop": None, "drop_low": None, "drop_high": None, "samples": 0}
        row |= {"reasons": (), "latency_ms": None, "digest": None, "uri": None}
        return RunResult(
            model="m",
            outcome="trial" if trial else "selected" if chosen else "rejected",
            selected=Champion(variant=chosen, version=1, digest=chosen) if chosen else None,
            baseline=BaselineSummary(bytes=10, metric="top1", value=0.9, samples=9),
            variants=tuple(
                VariantRow(
                    variant=v.variant,
                    verdict=v.state,
                    mlflow_run_id=f"run-{v.variant}",
                    mlflow_model_id=f"m-{v.variant}",
                    **row,
                )
                for v in request.verdicts
            ),
            experiment_id="1",
            mlflow_run_id="run-1",
            report="http://mlflow/report",
        )

    def promote(self, request: Any) -> Promotion:
        return Promotion(selected=request.selected, champion=request.selected, previous=None, moved=True)


@dataclass
class Outcome:
    steps: Steps
    tasks: dict[str, Any]

    def state(self, task_id: str) -> str:
        return str(self.tasks[task_id].state)

    def pull(self, task_id: str, key: str = "return_value") -> Any:
        instance = self.tasks[task_id]
        return instance.xcom_pull(task_ids=instance.task_id, key=key, map_indexes=instance.map_index)


@pytest.fixture
def run(
    load_dags: Callable[..., Any], run_dag: Callable[..., Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Callable[..., Outcome]:
    def run(steps: Steps, conf: dict[str, Any] | None = None, **keys: str) -> Outcome:
        defaults = {"variants": "[dynamic_range, int8]", "on_reject": "fail", "from_champion": "null"}
        (tmp_path / "m.yaml").write_text(SPEC.format(**(defaults | keys)))
        monkeypatch.setattr("litegate_airflow.step.StepRun", steps)
        dag_run = run_dag(load_dags(tmp_path)["quantize__m"], run_conf=conf)
        instances = dag_run.get_task_instances()
        return Outcome(steps, {f"{i.task_id}/{i.rendered_map_index or ''}".rstrip("/"): i for i in instances})

    return run


Run = Callable[..., Outcome]
CRASH = StepFailed("quantize", "segfault", "SIGSEGV")


def test_every_task_succeeds_and_the_best_variant_is_promoted(run: Run) -> None:
    outcome = run(Steps())
    assert {str(instance.state) for instance in outcome.tasks.values()} == {"success"}
    assert outcome.pull("resolve") == ["dynamic_range", "int8"]
    assert outcome.pull("promote")["champion"]["variant"] == "dynamic_range"


def test_the_baseline_and_each_variant_are_measured_on_their_own_terms(run: Run) -> None:
    requests = run(Steps()).steps.requests
    limits = {variant: request.max_samples for (step, variant), request in requests.items() if step == "evaluate"}
    assert limits == {"float32": 50, "dynamic_range": 50, "int8": 20}
    assert requests["profile", "int8"].artifact.variant == "int8"
    assert requests["register", ""].run_key.startswith("quantize__m/")


def test_a_single_variant_reaches_the_gate(run: Run) -> None:
    outcome = run(Steps(), variants="[int8]")
    assert [item.artifact.variant for item in outcome.steps.requests["judge", ""].candidates] == ["int8"]
    assert outcome.pull("promote")["champion"]["variant"] == "int8"


@pytest.mark.parametrize(
    ("step", "task"),
    [(name, name) for name in ("quantize", "inspect", "evaluate", "profile")] + [("smoke", "inspect")],
)
def test_a_variant_that_fails_is_judged_and_does_not_stop_the_others(run: Run, step: str, task: str) -> None:
    outcome = run(Steps({(step, "dynamic_range"): CRASH}))
    (failure,) = outcome.steps.requests["judge", ""].failures
    assert (failure.step, failure.kind, failure.variant) == (step, "segfault", "dynamic_range")
    assert outcome.state(f"variant.{task}/dynamic_range") == "failed"
    assert outcome.state("variant.profile/int8") == "success"
    assert outcome.pull("promote")["champion"]["variant"] == "int8"


def test_a_single_variant_that_fails_is_rejected_on_record(run: Run) -> None:
    outcome = run(Steps({("quantize", "int8"): CRASH}), variants="[int8]")
    assert outcome.state("register") == "success"
    assert outcome.state("promote") == "failed"


def test_bad_input_stops_the_run_before_the_gate(run: Run) -> None:
    outcome = run(Steps({("resolve", ""): BadInput("model.uri", "a model", "nothing")}))
    assert outcome.state("resolve") == outcome.state("gate") == "failed"
    assert outcome.state("promote") == "upstream_failed"
    assert outcome.pull("resolve", "failure")["kind"] == "bad_input"
    assert "evaluate_baseline did not succeed (upstream_failed)" in outcome.pull("gate", "failure")["message"]


def test_a_broken_spec_fails_with_its_problem(
    load_dags: Callable[..., Any], run_dag: Callable[..., Any], tmp_path: Path
) -> None:
    (tmp_path / "broken.yaml").write_text("modle: {}")
    (instance,) = run_dag(load_dags(tmp_path)["quantize__broken"]).get_task_instances()
    assert str(instance.state) == "failed"
    failure = instance.xcom_pull(task_ids="resolve", key="failure")
    assert failure["kind"] == "bad_input"
    assert "broken.yaml: model: expected a value, the key is required, got nothing" in failure["message"]


@pytest.mark.parametrize("step", ["convert", "parity"])
def test_nothing_is_judged_when_the_conversion_is_wrong(run: Run, step: str) -> None:
    outcome = run(Steps({(step, "float32" if step == "parity" else ""): CRASH}))
    assert (outcome.state("gate"), outcome.state("promote")) == ("failed", "upstream_failed")
    assert ("judge", "") not in outcome.steps.requests


@pytest.mark.parametrize("step", ["inspect", "smoke"])
def test_nothing_is_quantized_from_a_baseline_that_is_none(run: Run, step: str) -> None:
    refused = BadInput("model.uri m.keras", "a float32 model", "one with 3 quantized weights")
    outcome = run(Steps({(step, "float32"): refused}))
    assert outcome.state("inspect_baseline") == "failed"
    assert outcome.pull("inspect_baseline", "failure")["kind"] == "bad_input"
    assert (outcome.state("gate"), outcome.state("promote")) == ("failed", "upstream_failed")
    assert not {"judge", "evaluate", "quantize"} & {name for name, _ in outcome.steps.requests}


def test_each_file_is_inspected_and_run_beside_the_baseline(run: Run) -> None:
    requests = run(Steps()).steps.requests
    for step in ("inspect", "smoke"):
        assert requests[step, "float32"].baseline is None
        assert requests[step, "int8"].artifact == artifact("int8")
        assert requests[step, "int8"].baseline == artifact("float32")
    candidates = requests["judge", ""].candidates
    assert [(item.inspection, item.smoke) for item in candidates] == [
        (inspection(name), smoke(name)) for name in ("dynamic_range", "int8")
    ]
    assert requests["judge", ""].baseline.inspection == inspection("float32")


def test_the_gate_fails_without_a_baseline(run: Run) -> None:
    outcome = run(Steps({("evaluate", "float32"): CRASH}))
    assert outcome.state("gate") == "failed"
    assert outcome.state("promote") == "upstream_failed"
    assert "evaluate_baseline" in outcome.pull("gate", "failure")["message"]


@dataclass(frozen=True)
class Rejection:
    on_reject: str
    state: str


@pytest.mark.parametrize("row", [Rejection("fail", "failed"), Rejection("skip", "skipped")], ids=str)
def test_a_rejected_run_is_recorded_and_ends_as_the_spec_says(run: Run, row: Rejection) -> None:
    outcome = run(Steps(passing=False), on_reject=row.on_reject)
    assert outcome.state("register") == "success"
    assert outcome.state("promote") == row.state
    failure = outcome.pull("promote", "failure")
    if row.on_reject == "fail":
        assert failure["kind"] == "rejected"
        assert "dynamic_range failed, int8 failed; recorded in MLflow run run-1" in failure["message"]
    else:
        assert failure is None


def test_the_champion_of_today_is_measured_for_the_gate(run: Run) -> None:
    outcome = run(Steps(), from_champion="0.01")
    requests = outcome.steps.requests
    assert (requests["champion", ""].registry, requests["champion", ""].alias) == ("m", "champion")
    assert requests["evaluate", "champion"].artifact == artifact("champion")
    assert requests["judge", ""].champion.evaluated.variant == "champion"
    assert [item.artifact.variant for item in requests["judge", ""].candidates] == ["dynamic_range", "int8"]
    assert outcome.pull("promote")["champion"]["variant"] == "dynamic_range"


def test_before_the_first_promotion_there_is_no_champion_to_compare_with(run: Run) -> None:
    outcome = run(Steps(promoted_before=False), from_champion="0.01")
    assert outcome.state("evaluate_champion") == "skipped"
    assert outcome.steps.requests["judge", ""].champion is None
    assert outcome.state("promote") == "success"


def test_no_champion_is_looked_for_unless_the_policy_compares_with_it(run: Run) -> None:
    outcome = run(Steps())
    assert ("champion", "") not in outcome.steps.requests
    assert outcome.steps.requests["judge", ""].champion is None


def test_nothing_is_measured_when_the_champion_cannot_be_fetched(run: Run) -> None:
    outcome = run(Steps({("champion", ""): StepFailed("champion", "python_error", "gone")}), from_champion="0.01")
    assert outcome.pull("fetch_champion", "failure")["message"] == "gone"
    assert outcome.state("gate") == "failed"
    assert outcome.state("promote") == "upstream_failed"
    assert not {"judge", "evaluate", "quantize"} & {step for step, _ in outcome.steps.requests}


def test_nothing_is_judged_when_the_champion_cannot_be_measured(run: Run) -> None:
    outcome = run(Steps({("evaluate", "champion"): CRASH}), from_champion="0.01")
    assert outcome.state("gate") == "failed"
    assert outcome.state("promote") == "upstream_failed"
    assert "evaluate_champion" in outcome.pull("gate", "failure")["message"]
    assert ("judge", "") not in outcome.steps.requests


@pytest.mark.parametrize(("step", "variant"), [("convert", ""), ("parity", "float32"), ("evaluate", "float32")])
def test_a_skipped_champion_lets_nothing_pass_that_was_not_measured(run: Run, step: str, variant: str) -> None:
    outcome = run(Steps({(step, variant): CRASH}, promoted_before=False), from_champion="0.01")
    assert outcome.state("gate") == "failed"
    assert outcome.state("promote") == "upstream_failed"
    assert ("judge", "") not in outcome.steps.requests


EVERYTHING = ("*", "*")
FLOW = ("convert", "sample", "lint", "check_parity", "inspect_baseline", "evaluate_baseline", "profile_baseline")
COMPUTED = {"convert", "sample", "lint", "parity", "quantize", "inspect", "smoke", "evaluate", "profile"}


def test_a_run_whose_results_are_all_there_skips_to_the_gate(run: Run) -> None:
    computed, recalled = run(Steps()), run(Steps(known={EVERYTHING}))
    assert not COMPUTED & {step for step, _ in recalled.steps.requests}
    assert {recalled.state(task) for task in FLOW} == {"skipped"}
    assert {str(i.state) for name, i in recalled.tasks.items() if name.startswith("variant.")} == {"skipped"}
    assert {recalled.state(task) for task in ("recall", "gate", "select", "register", "promote")} == {"success"}
    assert recalled.pull("recall") == []
    for step in ("judge", "register"):
        before, after = (each.steps.requests[step, ""] for each in (computed, recalled))
        assert after.model_copy(update=_of_this_run(before)) == before


def _of_this_run(request: Any) -> dict[str, Any]:
    return {name: getattr(request, name) for name in ("run_key", "links") if hasattr(request, name)}


def test_only_the_variants_that_something_is_missing_of_are_computed(run: Run) -> None:
    shared = {("convert", ""), ("sample", ""), ("lint", "float32"), ("parity", "float32")}
    steps = {"quantize", "inspect", "smoke", "evaluate", "profile"}
    known = shared | {(step, name) for step in steps for name in ("float32", "dynamic_range")} - {("profile", "int8")}
    outcome = run(Steps(known=known | {(step, "int8") for step in steps - {"profile"}}))
    assert outcome.pull("recall") == ["int8"]
    assert {name for name in outcome.tasks if "dynamic_range" in name} == set()
    assert outcome.state("variant.profile/int8") == "success"
    judged = outcome.steps.requests["judge", ""]
    assert {item.artifact.variant for item in judged.candidates} == {"dynamic_range", "int8"}
    assert all(item.profile and item.smoke for item in judged.candidates)


def test_a_variant_that_failed_before_is_tried_again_and_judged_beside_the_recalled(run: Run) -> None:
    refused = StepFailed("quantize", "unsupported", "the converter refused int8")
    known = {(step, name) for step in COMPUTED for name in ("", "float32", "dynamic_range")}
    outcome = run(Steps({("quantize", "int8"): refused}, known=known))
    assert outcome.state("variant.quantize/int8") == "failed"
    judged = outcome.steps.requests["judge", ""]
    assert [item.artifact.variant for item in judged.candidates] == ["dynamic_range"]
    assert [(failure.variant, failure.kind) for failure in judged.failures] == [("int8", "unsupported")]
    assert outcome.pull("promote")["champion"]["variant"] == "dynamic_range"


def test_a_failing_check_lets_no_recalled_variant_pass(run: Run) -> None:
    known = {(step, name) for step in COMPUTED - {"lint"} for name in ("", "float32", "dynamic_range", "int8")}
    outcome = run(Steps({("lint", "float32"): BadInput("calibration.uri", "samples", "others")}, known=known))
    assert outcome.pull("recall") == []
    assert (outcome.state("lint"), outcome.state("gate")) == ("failed", "failed")
    assert outcome.state("promote") == "upstream_failed"
    assert ("judge", "") not in outcome.steps.requests


@pytest.mark.parametrize("promoted_before", [True, False])
def test_the_champion_is_asked_for_anew_when_everything_is_recalled(run: Run, promoted_before: bool) -> None:
    outcome = run(Steps(known={EVERYTHING}, promoted_before=promoted_before), from_champion="0.01")
    assert outcome.state("fetch_champion") == "success"
    assert outcome.state("evaluate_champion") == "skipped"
    assert ("evaluate", "champion") not in outcome.steps.requests
    assert (("evaluate", "champion") in outcome.steps.looked_up) == promoted_before
    assert (outcome.steps.requests["judge", ""].champion is not None) == promoted_before
    assert outcome.state("promote") == "success"


TRIED = {"gate.max_drop": 0.5, "variants": ["int8"]}


def test_a_trial_is_made_by_the_changed_values_and_ends_with_register(run: Run) -> None:
    outcome = run(Steps(), TRIED)
    requests = outcome.steps.requests
    assert outcome.pull("recall") == ["int8"]
    assert requests["judge", ""].policy.max_drop == 0.5
    assert str(requests["register", ""].resolved.trial) == "variants int8 (spec: dynamic_range int8), " + (
        "gate.max_drop 0.5 (spec: 0.01)"
    )
    assert outcome.state("register") == "success"
    assert outcome.state("promote") == "skipped"
    assert ("promote", "") not in requests


def test_every_task_links_to_mlflow_once_the_run_is_registered(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LITEGATE_MLFLOW_URL", "https://mlflow.example/")
    outcome = run(Steps(), from_champion="0.01")
    mode = "?workflowType=machine_learning"
    runs = "https://mlflow.example/#/experiments/1/runs"
    for name, instance in outcome.tasks.items():
        task, variant = instance.task_id, instance.rendered_map_index
        own = variant or {"evaluate_champion": None}.get(task, "")
        if task.endswith("_baseline") or own is None:
            continue  # the pretended results have no row for these
        assert outcome.pull(name, "_link_RunLink") == f"{runs}/run-{own or 1}{mode}", name
        assert outcome.pull(name, "_link_ReportLink") == f"{runs}/run-1/artifacts/report.html{mode}", name
        artifact = outcome.pull(name, "_link_ArtifactLink")
        assert artifact == (f"https://mlflow.example/#/experiments/1/models/m-{own}/artifacts{mode}" if own else None)
    version = f"https://mlflow.example/#/models/m/versions/1{mode}"
    assert outcome.pull("register", "_link_VersionLink") == outcome.pull("promote", "_link_VersionLink") == version
