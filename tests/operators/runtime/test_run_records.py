"""Records out of XCom: by name where tasks are mapped, and never None."""

from __future__ import annotations

from typing import Any

import pytest

from litegate.digest import digest_json
from litegate.errors import StepFailed
from litegate.pipeline.tasks import Job
from litegate.records import (
    Artifact,
    Benchmark,
    Benchmarks,
    ChampionFile,
    Converted,
    Evaluated,
    Failure,
    FileBenchmark,
    FileFailure,
    FileRef,
    FileShard,
    Inspection,
    MetricFacts,
    SmokeRun,
)
from litegate_airflow.runtime.run_records import RunRecords
from litegate_airflow.runtime.xcom import push

FILE = FileRef(name="f", digest="0" * 64, bytes=1)


def artifact(variant: str) -> Artifact:
    file = FILE.model_copy(update={"digest": digest_json(variant)})
    return Artifact(variant=variant, file=file, signatures={})


def evaluated(variant: str, digest: str | None = None) -> Evaluated:
    return Evaluated(
        variant=variant,
        artifact_digest=digest or digest_json(variant),
        metric=MetricFacts(name="top1"),
        samples=1,
        available=1,
        outcomes=FILE,
        seconds=0.1,
        kernels="x",
    )


def benchmark(variant: str) -> Benchmark:
    digest = digest_json(variant)
    return Benchmark(
        variant=variant, artifact_digest=digest, latency_ms=1.0, latency_p95_ms=1.0, runs=1, host="h", kernels="x"
    )


def benchmarks(*variants: str, failed: tuple[str, ...] = ()) -> Benchmarks:
    files = [FileBenchmark.model_validate(benchmark(name).model_dump(exclude={"variant"})) for name in variants]
    failures = [FileFailure(artifact_digest=digest_json(name), kind="segfault", message="died") for name in failed]
    return Benchmarks(files=tuple(files), failures=tuple(failures))


def inspection(variant: str) -> Inspection:
    """What is there of a file without anything in it."""
    lists = ("operators", "float_names", "island_examples", "buffers", "largest", "findings", "blocking")
    numbers = ("kinds", "operator_count", "float_operators", "macs", "float_macs", "islands", "per_axis", "per_tensor")
    fields = dict.fromkeys(lists, ()) | dict.fromkeys((*numbers, "weights_compared"), 0)
    fields |= {"variant": variant, "artifact_digest": "0" * 64, "scheme": "int8", "weight_error": None}
    return Inspection.model_validate(fields | {"inputs": {}, "outputs": {}})


def smoke(variant: str) -> SmokeRun:
    return SmokeRun(
        variant=variant,
        artifact_digest="0" * 64,
        samples=9,
        constant=False,
        reference_samples=9,
        kernel_difference=0.0,
        kernel_agreement=1.0,
    )


def leave(ti: Any, task_id: str, record: Any, map_index: int = -1, key: str = "return_value") -> None:
    """As a task of one step."""
    ti.values[task_id, map_index, key] = record.to_json()


def leave_all(ti: Any, task_id: str, map_index: int = -1, **records: Any) -> None:
    """As a task of several steps: results by step, about what they say or about the run."""
    ti.values[task_id, map_index, "return_value"] = {
        str(Job(step, getattr(record, "variant", ""))): record.to_json() for step, record in records.items()
    }


def leave_evaluated(ti: Any, *evaluations: Evaluated, failures: tuple[Failure, ...] = ()) -> None:
    """As the task that evaluates all files."""
    found = {str(Job("evaluate", each.variant)): each.to_json() for each in evaluations}
    ti.values["evaluate", -1, "return_value"] = {**found, "failures": [failure.to_json() for failure in failures]}


def test_records_come_back_as_they_were_pushed(ti: Any) -> None:
    failure = Failure(step="quantize", kind="segfault", message="died", variant="int8")
    push(ti, "failure", failure)
    assert Failure.model_validate(ti.pushed("failure")) == failure


def test_a_missing_record_names_the_task_that_should_have_left_it(ti: Any) -> None:
    with pytest.raises(StepFailed, match=r"convert.*left no Converted"):
        RunRecords(ti).converted()


def test_measurements_are_matched_by_variant_and_not_by_map_index(ti: Any) -> None:
    leave_all(ti, "quantize", 0, quantize=artifact("int8"))
    leave_all(ti, "quantize", 1, quantize=artifact("float16"))
    leave_all(ti, "quantize", 2, quantize=artifact("uint8"), inspect=inspection("uint8"), smoke=smoke("uint8"))
    leave_evaluated(ti, *map(evaluated, ["uint8", "int8"]))
    leave(ti, "benchmark", benchmarks("int8"))
    int8, uint8 = RunRecords(ti).candidates()
    assert (int8.inspection, int8.smoke) == (None, None)
    assert (uint8.inspection, uint8.smoke) == (inspection("uint8"), smoke("uint8"))
    assert (int8.artifact.variant, int8.evaluated.variant, int8.benchmark) == ("int8", "int8", benchmark("int8"))
    assert (uint8.artifact.variant, uint8.evaluated.variant, uint8.benchmark) == ("uint8", "uint8", None)


def test_a_file_that_could_not_be_timed_failed_for_its_own_variant_alone(ti: Any) -> None:
    for index, name in enumerate(("int8", "uint8")):
        leave_all(ti, "quantize", index, quantize=artifact(name))
    leave_evaluated(ti, evaluated("int8"), evaluated("uint8"))
    leave(ti, "benchmark", benchmarks("float32", "int8", failed=("uint8",)))
    (failure,) = RunRecords(ti).benchmark_failures()
    assert (failure.step, failure.kind, failure.variant) == ("benchmark", "segfault", "uint8")
    int8, uint8 = RunRecords(ti).candidates()
    assert (int8.benchmark, uint8.benchmark) == (benchmark("int8"), None)


def test_a_benchmark_that_failed_as_a_whole_failed_for_every_variant(ti: Any) -> None:
    for index, name in enumerate(("int8", "uint8")):
        leave_all(ti, "quantize", index, quantize=artifact(name))
    leave_evaluated(ti, evaluated("int8"), evaluated("uint8"))
    leave(ti, "benchmark", Failure(step="benchmark", kind="timeout", message="too long"), key="failure")
    found = [(failure.kind, failure.variant) for failure in RunRecords(ti).benchmark_failures()]
    assert found == [("timeout", "int8"), ("timeout", "uint8")]


def test_no_variant_at_all_gives_no_candidates(ti: Any) -> None:
    assert RunRecords(ti).candidates() == ()
    assert RunRecords(ti).failures() == ()


def test_an_artifact_is_the_baseline_or_that_of_the_variant(ti: Any) -> None:
    leave(ti, "convert", Converted(artifact=artifact("float32"), saved_model=(), tools={}))
    for index, name in enumerate(["int8", "float16"]):
        leave_all(ti, "quantize", index, quantize=artifact(name))
    assert RunRecords(ti).artifact("float32").variant == "float32"
    assert RunRecords(ti).artifact("float16").variant == "float16"


def test_what_a_task_has_found_itself_goes_before_all_else(ti: Any) -> None:
    leave_all(ti, "quantize", 0, quantize=artifact("int8"))
    records = RunRecords(ti)
    own = artifact("int8").model_copy(update={"file": FILE.model_copy(update={"bytes": 2})})
    records.keep(Job("quantize", "int8"), own)
    assert records.artifact("int8") == own
    assert records.all(Artifact, "quantize") == (own,)


def test_each_value_is_asked_for_once(ti: Any) -> None:
    leave(ti, "convert", Converted(artifact=artifact("float32"), saved_model=(), tools={}))
    records = RunRecords(ti)
    records.converted()
    ti.xcom_pull = None
    assert records.converted().artifact == artifact("float32")


def test_a_baseline_is_inspected_and_run_but_needs_no_benchmark(ti: Any) -> None:
    leave(ti, "convert", Converted(artifact=artifact("float32"), saved_model=(), tools={}))
    leave_evaluated(ti, evaluated("float32"))
    with pytest.raises(StepFailed, match=r"check left no Inspection"):
        RunRecords(ti).baseline()
    leave_all(ti, "check", inspect=inspection("float32"))
    with pytest.raises(StepFailed, match=r"check left no SmokeRun"):
        RunRecords(ti).baseline()
    leave_all(ti, "check", inspect=inspection("float32"), smoke=smoke("float32"))
    assert RunRecords(ti).baseline().benchmark is None
    leave(ti, "benchmark", benchmarks("float32"))
    assert RunRecords(ti).baseline().benchmark == benchmark("float32")


def test_a_champion_is_its_file_and_what_it_scored(ti: Any) -> None:
    leave(ti, "fetch_champion", ChampionFile(version=3, artifact=artifact("champion")))
    leave_evaluated(ti, evaluated("champion"))
    found = RunRecords(ti).champion()
    assert found is not None
    assert (found.artifact, found.evaluated) == (artifact("champion"), evaluated("champion"))
    assert RunRecords(ti).artifact("champion") == artifact("champion")


def test_nothing_promoted_yet_is_no_champion(ti: Any) -> None:
    leave(ti, "fetch_champion", ChampionFile(version=None, artifact=None))
    assert RunRecords(ti).champion() is None


def test_a_champion_that_nobody_looked_for_is_not_taken_for_none(ti: Any) -> None:
    with pytest.raises(StepFailed, match=r"fetch_champion left no ChampionFile"):
        RunRecords(ti).champion()


def test_a_champion_that_was_not_measured_is_not_taken_for_none(ti: Any) -> None:
    leave(ti, "fetch_champion", ChampionFile(version=3, artifact=artifact("champion")))
    with pytest.raises(StepFailed, match=r"evaluate left no Evaluated"):
        RunRecords(ti).champion()


def test_a_champion_that_was_fetched_anew_must_be_measured_anew(ti: Any) -> None:
    leave(ti, "fetch_champion", ChampionFile(version=4, artifact=artifact("champion")))
    leave_evaluated(ti, evaluated("champion", digest="1" * 64))
    with pytest.raises(StepFailed, match=r"clear it with all that follows"):
        RunRecords(ti).champion()


def lookup_cache(ti: Any, **found: Any) -> None:
    """What the task `lookup_cache` leaves: records by job."""
    values = {job.replace("__", "/"): record.to_json() for job, record in found.items()}
    ti.values["lookup_cache", -1, "cached"] = values


def test_what_was_cached_goes_before_what_an_earlier_try_has_left(ti: Any) -> None:
    leave_all(ti, "quantize", 0, quantize=artifact("uint8"))
    leave_all(ti, "quantize", 1, quantize=artifact("int8"))
    died = Failure(step="smoke", kind="abort", message="died", variant="int8")
    leave(ti, "quantize", died, 1, "failure")
    evaluations = (evaluated("float32", digest="1" * 64), evaluated("uint8"), evaluated("int8", digest="1" * 64))
    leave_evaluated(ti, *evaluations)
    lookup_cache(
        ti,
        convert=Converted(artifact=artifact("float32"), saved_model=(), tools={}),
        quantize__int8=artifact("int8"),
        smoke__int8=smoke("int8"),
        evaluate__int8=evaluated("int8"),
        benchmark=benchmarks("int8"),
    )
    records = RunRecords(ti)
    assert records.converted().artifact == artifact("float32")
    int8, uint8 = records.candidates()
    assert (int8.evaluated, int8.benchmark) == (evaluated("int8"), benchmark("int8"))
    assert (uint8.evaluated, uint8.benchmark) == (evaluated("uint8"), None)
    assert records.failures() == ()


def test_variants_fail_by_themselves_or_in_the_evaluation_of_all(ti: Any) -> None:
    crashed, ended = (
        Failure(step=step, kind="segfault", message="died", variant=variant)
        for step, variant in (("inspect", "int8"), ("evaluate", "uint8"))
    )
    leave(ti, "quantize", crashed, 0, "failure")
    leave_all(ti, "quantize", 1, quantize=artifact("uint8"))
    leave_evaluated(ti, evaluated("float32"), failures=(ended,))
    assert RunRecords(ti).failures() == (crashed, ended)
    lookup_cache(ti, quantize__uint8=artifact("uint8"))
    assert RunRecords(ti).failures() == (crashed, ended), "its file was there, its evaluation was not"


@pytest.mark.parametrize("state", ["failed", "upstream_failed", "skipped", "running"])
@pytest.mark.parametrize("task", ["check", "evaluate"])
def test_nothing_is_judged_by_what_an_earlier_try_has_measured(ti: Any, task: str, state: str) -> None:
    leave_evaluated(ti, evaluated("float32"))
    ti.states = {"check": "success", "evaluate": "success"}
    RunRecords(ti).check_measured()
    ti.states[task] = state
    with pytest.raises(StepFailed, match=rf"{task} did not succeed \({state}\)"):
        RunRecords(ti).check_measured()
    lookup_cache(ti, evaluate__float32=evaluated("float32"))
    RunRecords(ti).check_measured()


@pytest.mark.parametrize("state", ["failed", "upstream_failed"])
def test_shards_are_merged_only_if_all_were_evaluated(ti: Any, state: str) -> None:
    ti.states = {"evaluate_shard_0": "success", "evaluate_shard_1": "skipped", "evaluate_shards": "failed"}
    assert RunRecords(ti).unsharded() == ""
    ti.states["evaluate_shard_11"] = state
    assert RunRecords(ti).unsharded() == f"the task evaluate_shard_11 did not succeed ({state})"


def test_a_file_failed_where_its_first_shard_says_so(ti: Any) -> None:
    done = FileShard(artifact_digest=digest_json("int8"), samples=1, runs=(FILE,), seconds=0.1)
    for shard, message in enumerate(("", "the first", "the second")):
        failed = FileFailure(artifact_digest=digest_json("int8"), kind="segfault", message=message)
        result = (failed if message else done).to_json()
        ti.values["evaluate_shard", shard, "return_value"] = {"evaluate_shard/int8": result}
    assert {name: each.message for name, each in RunRecords(ti).failed_in_shards().items()} == {"int8": "the first"}
