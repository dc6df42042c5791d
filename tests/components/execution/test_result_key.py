"""What changes the key of a result: a change of what it depends on, and no other."""

from __future__ import annotations

import os
import platform
import re
import shutil
import time
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import pytest

import litegate
from litegate.execution import result_key as result_keys
from litegate.execution.result_key import result_key
from litegate.execution.source_closure import SourceTree
from litegate.execution.step import parts
from litegate.records import Artifact, EvaluateRequest, Record
from litegate.settings import settings
from litegate.steps import STEPS
from tests.components.execution.returned.honest import HONEST, World

SOURCE = Path(litegate.__file__).parent
CACHED = [step.each or step for step in STEPS.values() if step.cached]
"""As which results are kept: those of several files by the file."""
LINE = "\nA_LINE_MORE = True\n"
# A conversion is preceded by a look at the data, and what fails on a sample names it.
READ_DATA = {"convert", "conversion_check", "smoke", "sample", "device_samples", "lint", "evaluate", "evaluate_shard"}
READ_DATA |= {"drift"}


def asked(step: str, world: World) -> Any:
    """The request under which a result is kept."""
    return parts(STEPS[step], HONEST[step](world).request)[0]


@pytest.fixture
def requests(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, Record]:
    """A request of every step whose results are kept; the evaluation is of all samples."""
    monkeypatch.setattr(os, "fsync", lambda descriptor: None)
    world = World(tmp_path / "world", settings().pythons)
    made = {step.name: asked(step.name, world) for step in CACHED}
    return made | {"evaluate": made["evaluate"].model_copy(update={"stopping": None, "references": ()})}


@pytest.fixture
def source(tmp_path: Path) -> Callable[..., Path]:
    """Makes a copy of litegate's source in which some modules have a line more."""

    def copy(*changed: str) -> Path:
        root = tmp_path / f"source-{len(list(tmp_path.iterdir()))}" / "litegate"
        shutil.copytree(SOURCE, root, ignore=shutil.ignore_patterns("__pycache__"), copy_function=os.link)
        for name in changed:
            found = list(root.glob(name))
            assert found, f"{name}: there is no such module"
            for path in found:
                text = path.read_text() + LINE
                path.unlink()  # it is the real one under another name
                path.write_text(text)
        return root

    return copy


def keys(requests: dict[str, Record], root: Path = SOURCE) -> dict[str, str]:
    """The key of each step."""
    pythons = settings().pythons
    return {
        step.name: result_key(step, requests[step.name], step.python(requests[step.name], pythons), root)
        for step in CACHED
    }


def computed_anew(requests: dict[str, Record], source: Callable[..., Path], changed: Iterable[str]) -> set[str]:
    """The steps whose results are not found again after a change of modules."""
    before, after = keys(requests), keys(requests, source(*changed))
    return {name for name in before if before[name] != after[name]}


def test_the_place_of_the_source_says_nothing(requests: dict[str, Record], source: Callable[..., Path]) -> None:
    assert computed_anew(requests, source, ()) == set()


def test_what_shows_results_or_runs_steps_computes_nothing_anew(
    requests: dict[str, Record], source: Callable[..., Path]
) -> None:
    changed = ["report/**/*.py", "cli/**/*.py", "comparison/*.py", "pipeline/*.py", "stack/**/*.py", "flavor/*.py"]
    carriers = ["execution/**/*.py", "storage/**/*.py", "work/*.py", "steps/__init__.py", "steps/child.py"]
    gathers = [f"{name}/__init__.py" for name in ("records", "spec", "gate", "inspection", "promotion")]
    assert computed_anew(requests, source, [*changed, *carriers, *gathers]) == set()


@pytest.mark.parametrize(
    ("changed", "steps"),
    [
        ("tracking/*.py", {"read_ledger"}),
        ("presentation/*.py", {"gate", "read_ledger"}),  # a verdict is a sentence too
        ("gate/*.py", {"gate"}),
        ("steps/quantize.py", {"quantize"}),
        ("evaluation/shards.py", {"evaluate", "evaluate_shard"}),  # what shards are merged to depends on both halves
        ("engines/tf_calibration.py", {"calibrate", "quantize"}),
        ("recovery/*.py", set()),  # here nothing is searched for
        ("fine_tuning/*.py", set()),  # and nothing trained
        ("engines/mixed_precision.py", set()),
        ("inspection/weights.py", {"inspect"}),
        ("runtimes/reference.py", {"smoke"}),
        (
            "runtimes/tflite_micro.py",
            {"smoke", "evaluate", "evaluate_shard"},
        ),  # here for firmware, with the host beside it
        ("runtimes/vela.py", {"smoke"}),  # here for an Ethos-U
        ("runtimes/recorded.py", set()),  # here no device has judged
        ("runtimes/gpu.py", set()),  # another target's
        ("runtimes/xnnpack.py", {"evaluate", "evaluate_shard", "benchmark"}),
        ("source/*.py", {"convert", "conversion_check", "inspect", "lint"}),  # which names layers
        ("datasets/tfrecord.py", READ_DATA),  # by name of the format
        ("metrics/of_sets.py", {"convert", "lint", "evaluate", "evaluate_shard", "gate"}),
        ("records/verdicts.py", {"gate", "drift", "read_ledger"}),
        ("spec/notify.py", {"drift", "read_ledger"}),
        ("errors.py", {step.name for step in CACHED}),
    ],
)
def test_a_changed_module_computes_anew_what_runs_it(
    requests: dict[str, Record], source: Callable[..., Path], changed: str, steps: set[str]
) -> None:
    assert computed_anew(requests, source, [changed]) == steps


def test_a_changed_line_of_the_converter_quantizes_anew(
    requests: dict[str, Record], source: Callable[..., Path]
) -> None:
    converts = re.compile(r"\.representative_dataset = ")
    modules = [path for path in SOURCE.rglob("*.py") if converts.search(path.read_text())]
    assert modules
    changed = [str(path.relative_to(SOURCE)) for path in modules]
    assert computed_anew(requests, source, changed) == {"calibrate", "quantize"}


def test_an_evaluation_that_may_end_early_depends_on_the_gate(
    requests: dict[str, Record], source: Callable[..., Path], tmp_path: Path
) -> None:
    early = asked("evaluate", World(tmp_path / "other", settings().pythons))
    assert isinstance(early, EvaluateRequest)
    assert early.stopping is not None
    assert "evaluate" in computed_anew(requests | {"evaluate": early}, source, ["gate/betting.py"])


def test_only_what_is_about_the_host_depends_on_its_name(
    requests: dict[str, Record], monkeypatch: pytest.MonkeyPatch
) -> None:
    before = keys(requests)
    monkeypatch.setattr(platform, "node", lambda: "another-host")
    after = keys(requests)
    assert {name for name in before if before[name] != after[name]} == {"benchmark"}


def test_what_makes_or_runs_bytes_depends_on_the_processor(
    requests: dict[str, Record], monkeypatch: pytest.MonkeyPatch
) -> None:
    before = keys(requests)
    monkeypatch.setattr("litegate.execution.machine._here", lambda: ["x86_64", "model name: another"])
    after = keys(requests)
    same = {name for name in before if before[name] == after[name]}
    assert same == {"inspect", "gate", "read_ledger"}


@pytest.fixture
def upgraded(tmp_path: Path) -> Callable[[str], Path]:
    """Makes an environment like the one with TensorFlow, with one distribution in another version."""

    def make(name: str) -> Path:
        real = settings().pythons["tensorflow"].parent.parent
        prefix = tmp_path / "upgraded" / name
        (packages := prefix / "lib/python3.11/site-packages").mkdir(parents=True)
        shutil.copy(real / "pyvenv.cfg", prefix)
        for path in real.glob("lib/python3*/site-packages/*"):
            other = path.name.startswith(f"{name}-") and path.suffix == ".dist-info"
            (packages / (f"{name}-99.dist-info" if other else path.name)).symlink_to(path)
        return prefix / "bin" / "python"

    return make


@pytest.mark.parametrize(
    ("package", "steps"),
    [
        ("tensorflow", {"convert", "conversion_check", "calibrate", "quantize"}),
        ("keras", {"convert", "conversion_check", "calibrate", "quantize"}),  # which TensorFlow requires
        ("boto3", set()),
        ("litegate", set()),
        ("pyarrow", READ_DATA - {"sample", "device_samples"}),  # which run users' code
    ],
)
def test_another_version_computes_anew_what_imports_it(
    requests: dict[str, Record], upgraded: Callable[[str], Path], package: str, steps: set[str]
) -> None:
    python = upgraded(package)
    real = settings().pythons["tensorflow"]
    steps_here = [
        step
        for step in CACHED
        if step.python(requests[step.name], settings().pythons) == real and "theirs" not in str(requests[step.name])
    ]
    before = {step.name: result_key(step, requests[step.name], real) for step in steps_here}
    after = {step.name: result_key(step, requests[step.name], python) for step in steps_here}
    assert {name for name in before if before[name] != after[name]} == steps


def test_where_users_code_runs_every_package_counts(
    requests: dict[str, Record], upgraded: Callable[[str], Path], tmp_path: Path
) -> None:
    code = World(tmp_path / "other", settings().pythons).code
    python, real, step = upgraded("boto3"), settings().pythons["tensorflow"], STEPS["evaluate"].each
    request = requests["evaluate"]
    assert result_key(step, request, real) == result_key(step, request, python)
    with_code = request.model_copy(update={"preprocess": code})
    assert result_key(step, with_code, real) != result_key(step, with_code, python)


def test_users_code_is_known_by_its_source_and_not_by_its_folder(requests: dict[str, Record], tmp_path: Path) -> None:
    code = World(tmp_path / "other", settings().pythons).code
    places = [code, code.model_copy(update={"folder": "/of/another/worker"})]
    changed = code.model_copy(update={"digest": "e" * 64})
    for step in ("evaluate", "lint", "sample"):
        here, there, other = (
            keys(requests | {step: requests[step].model_copy(update={"preprocess": each})})[step]
            for each in (*places, changed)
        )
        assert here == there != other


def renamed(artifact: Artifact) -> Artifact:
    file = artifact.file.model_copy(update={"name": "int16x8_float_fallback.tflite"})
    return artifact.model_copy(update={"variant": "int16x8_float_fallback", "file": file})


@pytest.mark.parametrize(("step", "same"), [("smoke", True), ("evaluate", True), ("inspect", False)])
def test_what_is_measured_of_a_file_does_not_depend_on_its_name(
    requests: dict[str, Record], step: str, same: bool
) -> None:
    request: Any = requests[step]
    other = requests | {step: request.model_copy(update={"artifact": renamed(request.artifact)})}
    assert (keys(other)[step] == keys(requests)[step]) is same


def test_latencies_depend_on_the_files_that_are_timed_together_and_not_on_their_names(
    requests: dict[str, Record],
) -> None:
    request: Any = requests["benchmark"]
    first, second = request.files
    named = request.model_copy(update={"files": (first, renamed(second))})
    assert keys(requests | {"benchmark": named})["benchmark"] == keys(requests)["benchmark"]
    asked = request.model_copy(update={"remeasure": "run 7"})
    assert keys(requests | {"benchmark": asked})["benchmark"] == keys(requests)["benchmark"], (
        "it replaces what is there"
    )
    alone = request.model_copy(update={"files": (first,)})
    assert keys(requests | {"benchmark": alone})["benchmark"] != keys(requests)["benchmark"]


def test_names_of_references_and_addresses_in_messages_say_nothing(requests: dict[str, Record], tmp_path: Path) -> None:
    request: Any = asked("evaluate", World(tmp_path / "other", settings().pythons))
    (reference,) = request.references
    other = reference.model_copy(update={"artifact": renamed(reference.artifact)})
    changed = request.model_copy(update={"references": (other,), "where": "requalify.uri"})
    assert keys(requests | {"evaluate": changed})["evaluate"] == keys(requests | {"evaluate": request})["evaluate"]
    smoke: Any = requests["smoke"]
    moved = smoke.model_copy(update={"source": "s3://elsewhere/m.keras", "baseline": renamed(smoke.baseline)})
    assert keys(requests | {"smoke": moved})["smoke"] == keys(requests)["smoke"]


@pytest.mark.parametrize(
    ("step", "change"),
    [
        ("evaluate", {"max_samples": 10}),
        ("evaluate", {"seed": 2}),
        ("evaluate", {"references": ()}),
        ("evaluate", {"stopping": None}),
        ("smoke", {"in_float": True}),
        ("smoke", {"baseline": None}),
        ("benchmark", {"signature": "other"}),
    ],
)
def test_what_a_measurement_depends_on_counts(
    requests: dict[str, Record], tmp_path: Path, step: str, change: dict[str, Any]
) -> None:
    request = asked(step, World(tmp_path / "other", settings().pythons))
    changed = request.model_copy(update=change)
    assert keys(requests | {step: changed})[step] != keys(requests | {step: request})[step]


def test_the_number_of_variants_judged_together_counts(requests: dict[str, Record], tmp_path: Path) -> None:
    request: Any = asked("evaluate", World(tmp_path / "other", settings().pythons))
    more = request.stopping.model_copy(update={"variants": request.stopping.variants + 1})
    other = requests | {"evaluate": request.model_copy(update={"stopping": more})}
    assert keys(other)["evaluate"] != keys(requests | {"evaluate": request})["evaluate"]


@pytest.mark.parametrize("step", ["smoke", "evaluate"])
def test_a_request_is_keyed_by_all_that_does_not_name_its_file(requests: dict[str, Record], step: str) -> None:
    request: Any = requests[step]
    artifact = request.artifact
    of_file = {"digest": artifact.file.digest, "bytes": artifact.file.bytes}
    expected = {"file": of_file, "signatures": artifact.to_json()["signatures"]}
    assert request.keyed()["artifact"] == expected
    others = set(request.to_json()) - {"artifact", "baseline", "source", "where", "chosen", "shards"}
    assert {name: request.keyed()[name] for name in others} == {name: request.to_json()[name] for name in others}


def test_another_digest_is_another_file(requests: dict[str, Record]) -> None:
    for step in ("smoke", "evaluate"):
        request: Any = requests[step]
        file = request.artifact.file.model_copy(update={"digest": "e" * 64})
        other = request.model_copy(update={"artifact": request.artifact.model_copy(update={"file": file})})
        assert keys(requests | {step: other})[step] != keys(requests)[step]


def test_a_forked_process_reads_the_source_again_where_it_has_changed(
    requests: dict[str, Record], source: Callable[..., Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    later, trees = time.time_ns() + 3_000_000_000, []
    monkeypatch.setattr(time, "time_ns", lambda: later)
    monkeypatch.setattr(result_keys, "SourceTree", lambda root: trees.append(root) or SourceTree(root))
    root, processes = source(), iter(range(-9, 0))

    def key() -> str:
        process = next(processes)
        monkeypatch.setattr(os, "getpid", lambda: process)
        step = STEPS["convert"]
        return result_key(step, requests["convert"], settings().pythons["tensorflow"], root)

    result_keys.read_source(["convert"], settings().pythons.values(), root)
    before = key()
    assert (trees, key()) == ([root], before), "what was read before is still good"
    path = root / "steps" / "convert.py"
    text = path.read_text() + LINE
    path.unlink()  # it is the real one under another name
    path.write_text(text)
    assert key() != before
    assert trees == [root, root]
