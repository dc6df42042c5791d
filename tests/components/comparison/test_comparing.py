"""From a spec to a folder: what passed lies apart from what did not, and nothing of an earlier comparison stays."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from litegate.cli.conclusion import reasons
from litegate.comparison.comparing import Comparing
from litegate.digest import digest_bytes, digest_file
from litegate.errors import BadInput, SpecError
from litegate.records import Comparison
from litegate.runtimes import RUNTIMES
from litegate.settings import Settings
from litegate.spec import parse_spec
from litegate.storage.s3 import s3_client

pytestmark = pytest.mark.e2e

Make = Callable[..., Comparing]


@pytest.fixture
def make(models: Path, places: Settings, tmp_path: Path) -> Make:
    def comparing(*required: str, **keys: Any) -> Comparing:
        given = {
            "model": {"name": "test", "uri": str(models / "keras3.keras")},
            "calibration": {"uri": str(models / "calibration.npz"), "format": "npz", "samples": 100},
            "evaluation": {"uri": str(models / "test.npz"), "format": "npz"},
            "variants": ["int8", "dynamic_range"],
            "gate": {"max_drop": 0.05},
        }
        return Comparing(parse_spec(given | keys), models, tmp_path / "out", places, required)

    return comparing


def files(folder: Path) -> set[str]:
    return {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}


def test_the_folder_has_the_files_the_report_and_the_result(make: Make, tmp_path: Path) -> None:
    found = make().run()
    assert found.passed
    assert set(found.may_ship) == {"dynamic_range", "int8"}
    names = {f"test-{variant}.tflite" for variant in ("float32", "dynamic_range", "int8")}
    assert files(tmp_path / "out") == names | {"report.html", "result.json"}
    for row in found.variants:
        assert digest_file(Path(str(row.uri))) == row.digest
    assert found.file == str(tmp_path / "out" / f"test-{found.selected}.tflite")
    assert Comparison.model_validate_json((tmp_path / "out" / "result.json").read_text()) == found
    page = (tmp_path / "out" / "report.html").read_text()
    assert f"Ship {found.selected}" in page
    assert "registered" not in page.partition("</header>")[0]


def test_what_does_not_pass_lies_apart_and_the_earlier_result_is_gone(make: Make, tmp_path: Path) -> None:
    make().run()
    (tmp_path / "out" / "notes.txt").write_text("mine")
    found = make(gate={"max_drop": 0.0}).run()
    assert (found.outcome, found.selected, found.file) == ("undecided", None, None)
    assert {row.verdict for row in found.variants} == {"baseline", "inconclusive"}
    assert files(tmp_path / "out") == {
        *("test-float32.tflite", "not_passed/test-int8.tflite", "not_passed/test-dynamic_range.tflite"),
        *("report.html", "result.json", "notes.txt"),
    }
    assert "stays where it is" not in (tmp_path / "out" / "report.html").read_text(), "there is no alias"


def test_nothing_of_an_earlier_comparison_is_left_where_one_fails(make: Make, models: Path, tmp_path: Path) -> None:
    make().run()
    with pytest.raises(BadInput, match=r"evaluation\.uri"):
        make(evaluation={"uri": str(models / "nothing.npz"), "format": "npz"}).run()
    assert files(tmp_path / "out") == set()


def test_a_required_variant_decides(make: Make) -> None:
    gates = {"max_drop": 0.05, "max_bytes": 9500}  # between both files
    assert make("dynamic_range", gate=gates).run().passed
    found = make("int8", gate=gates).run()
    assert (found.passed, found.answer) == (False, "int8 must pass and was rejected")
    assert " int8 must pass and was rejected</h1>" in Path(found.report).read_text()


def test_a_required_variant_is_one_of_the_specs(make: Make) -> None:
    with pytest.raises(SpecError, match="required: expected one of the variants int8, dynamic_range, got 'uint8'"):
        make("uint8")


def test_what_needs_the_registry_is_left_out_with_a_warning(make: Make) -> None:
    found = make(gate={"max_drop": 0.05, "max_drop_from_champion": 0.01}).run()
    assert found.not_tested[0].startswith("gate.max_drop_from_champion was not tested")
    assert found.not_tested[0] in Path(found.report).read_text().replace("&#39;", "'")


@pytest.mark.skipif(not RUNTIMES["tflite_micro"].installed, reason="tflite-micro has no wheel for this machine")
def test_a_microcontroller_is_judged_by_its_own_runtime(make: Make, tmp_path: Path) -> None:
    wanted = {"target": "microcontroller", "variants": ["int8", "int16x8", "float16"]}
    found = make("int16x8", **wanted, gate={"max_drop": 0.05, "max_arena_bytes": 20_000}).run()
    reasons = {row.variant: row.reasons for row in found.variants}
    assert found.may_ship == ("int8", "int16x8")
    assert reasons["float16"][0].startswith("smoke failed: float16: TensorFlow Lite Micro cannot run it")
    assert "Node DEQUANTIZE (number 0) failed to prepare" in reasons["float16"][0]
    page = (tmp_path / "out" / "report.html").read_text()
    assert "tflite-micro reference" in page
    device = page.partition('<h2 id="footprints">')[2].partition("</section>")[0]
    arenas = [int(size.replace(",", "")) for size in re.findall(r"<td class=.number.>([\d,]+)</td>", device)][1::3]
    assert len(arenas) == 3
    firmware = tmp_path / "out" / "firmware"
    assert {path.name for path in firmware.iterdir()} == {f"test_{found.selected}.h", f"test_{found.selected}.c"}
    assert f"_ARENA_BYTES {arenas[1]}" in (firmware / "test_int8.h").read_text()
    small = make(**wanted, gate={"max_drop": 0.05, "max_arena_bytes": min(arenas) - 1}).run()
    assert small.may_ship == ()
    assert list(firmware.iterdir()) == []
    assert all("an arena of" in row.reasons[0] for row in small.variants if row.variant.startswith("int"))


@pytest.mark.skipif(not RUNTIMES["tflite_micro"].installed, reason="tflite-micro has no wheel for this machine")
def test_a_part_of_the_samples_on_a_microcontroller_has_a_control_variate_with_its_arithmetic(
    make: Make, models: Path, tmp_path: Path
) -> None:
    evaluation = {"uri": str(models / "test.npz"), "format": "npz", "target_samples": 200}
    found = make(target="microcontroller", variants=["int8"], evaluation=evaluation).run()
    rows = {row.variant: row for row in found.variants}
    assert rows["int8"].samples == 200
    page = (tmp_path / "out" / "report.html").read_text()
    assert "200 samples of the target and 600 of the host" in page
    assert "the control variate of int8 is vectorized reference arithmetic" in page


@pytest.mark.skipif(not RUNTIMES["ethos_u"].installed, reason="tflite-micro has no wheel for this machine")
def test_for_an_ethos_u_the_compiler_says_what_runs_there_and_its_file_is_shipped(make: Make, tmp_path: Path) -> None:
    wanted = {"target": "ethos-u55-128", "variants": ["int8", "int16x8"]}
    found = make(**wanted, gate={"max_drop": 0.05, "max_cpu_operators": 0, "max_cycles": 10_000}).run()
    rows = {row.variant: row for row in found.variants}
    assert found.may_ship == ("int8",)
    kept, left = rows["int8"].footprint, rows["int16x8"].footprint
    assert kept
    assert left
    assert (kept.operators, kept.cpu_operators) == (("ETHOS_U",), 0)
    assert {"DEQUANTIZE", "QUANTIZE"} <= set(left.operators)
    assert "2 operators stay on the CPU, at most 0 allowed: QUANTIZE (Operation has" in rows["int16x8"].reasons[0]
    assert any(warning.startswith("left on the CPU: 2 of ") for warning in rows["int16x8"].warnings)
    firmware = tmp_path / "out" / "firmware"
    compiled = (firmware / "test-int8_vela.tflite").read_bytes()
    assert (len(compiled), digest_bytes(compiled)[:12] in (firmware / "test_int8.h").read_text()) == (
        kept.flash_bytes,
        True,
    )
    page = (tmp_path / "out" / "report.html").read_text()
    device = page.partition('<h2 id="footprints">')[2].partition("</section>")[0]
    assert "Cycles, estimated" in device
    assert "SRAM and cycles are estimates of ethos-u-vela 5.2.0" in device
    assert "int16x8: 2 on the CPU: QUANTIZE (Operation has tensor" in device


def ruined_by_8_bits(collapsing: Path) -> dict[str, Any]:
    """The model and its data, as a spec has them."""
    data = {name: {"uri": str(collapsing / f"{name}.npz"), "format": "npz"} for name in ("calibration", "test")}
    return {
        "model": {"name": "test", "uri": str(collapsing / "collapsing.keras")},
        "calibration": data["calibration"] | {"samples": 200},
        "evaluation": data["test"],
    }


def test_a_model_that_8_bits_ruin_is_recovered_and_judged_on_other_samples(
    make: Make, collapsing: Path, tmp_path: Path
) -> None:
    found = make(
        **ruined_by_8_bits(collapsing),
        variants=["int8_float_fallback"],
        gate={"max_drop": 0.02},
        recover={"budget_minutes": 5, "equalize": False, "correct_bias": False},
    ).run()
    rows = {row.variant: row for row in found.variants}
    ruined, recovered = rows["int8_float_fallback"], rows["recovered"]
    assert ruined.drop is not None
    assert recovered.drop is not None
    assert ruined.drop > 0.1
    assert recovered.drop < 0.01
    assert found.may_ship == ("recovered",)
    assert "on 100 tuning samples" in recovered.recovered
    assert ruined.recovered == ""
    assert (tmp_path / "out" / "test-recovered.tflite").stat().st_size == recovered.bytes
    page = (tmp_path / "out" / "report.html").read_text()
    assert "How it was recovered" in page
    assert "The verdict is on the evaluation data" in page.replace("\n", " ")
    assert f"recovered: {recovered.recovered}" in reasons(found)


TUNING = """
def tune(model, folder, epochs):
    import keras, numpy as np
    with np.load(folder / "train.npz") as arrays:
        images, labels = arrays["image"], arrays["label"]
    model.compile(keras.optimizers.Adam(0.001), "sparse_categorical_crossentropy")
    model.fit(images, labels, epochs=epochs, verbose=0)


def peek(model, folder, at):
    from pathlib import Path
    raise RuntimeError(f"reads {sorted(path.name for path in folder.iterdir())}, sees {Path(at).exists()}")


def break_it(model, folder):
    model.get_layer("hidden").layer.kernel.assign(model.get_layer("hidden").layer.kernel * float("nan"))
"""


@pytest.fixture
def tuning(models: Path) -> str:
    """The module with the users' training, beside the spec."""
    (models / "tuning.py").write_text(TUNING)
    return "tuning"


def test_a_model_that_8_bits_ruin_is_trained_with_8_bits_simulated(
    make: Make, collapsing: Path, tuning: str, tmp_path: Path
) -> None:
    train = {"entry_point": f"{tuning}:tune", "data": str(collapsing / "train.npz"), "arguments": {"epochs": 20}}
    found = make(
        **ruined_by_8_bits(collapsing), variants=["int8_float_fallback"], gate={"max_drop": 0.02}, fine_tune=train
    ).run()
    rows = {row.variant: row for row in found.variants}
    ruined, trained = rows["int8_float_fallback"], rows["fine_tuned"]
    assert ruined.drop is not None
    assert trained.drop is not None
    assert ruined.drop > 0.1
    assert trained.drop < 0.01
    assert found.may_ship == ("fine_tuned",), trained.reasons
    assert trained.bytes == ruined.bytes
    assert "8 bits simulated in 5 layers" in trained.fine_tuned
    assert not any("weight" in warning for warning in trained.warnings), "against what it was made from"
    assert f"fine_tuned: {trained.fine_tuned}" in reasons(found)
    assert "How it was fine-tuned" in (tmp_path / "out" / "report.html").read_text()


def test_training_data_on_s3_are_fetched_for_a_training_that_has_no_network(
    make: Make, collapsing: Path, tuning: str, s3_bucket: str
) -> None:
    s3_client().upload_file(str(collapsing / "train.npz"), s3_bucket, "data/train/train.npz")
    train = {"entry_point": f"{tuning}:tune", "data": f"s3://{s3_bucket}/data/train/", "arguments": {"epochs": 1}}
    found = make(**ruined_by_8_bits(collapsing), variants=["int8_float_fallback", "float16"], fine_tune=train).run()
    rows = {row.variant: row for row in found.variants}
    assert rows["fine_tuned"].fine_tuned.startswith("trained for"), rows["fine_tuned"].reasons


@pytest.mark.parametrize(
    ("function", "arguments", "says"),
    [
        ("peek", {"at": "TEST"}, "RuntimeError: reads ['train.npz'], sees False"),
        ("break_it", {}, "expected finite weights after training, got NaN or infinity in hidden/kernel"),
        ("tune", {"epoch": 1}, "called with a model, a folder, epoch: expected the arguments that it takes"),
    ],
)
def test_what_goes_wrong_in_the_training_is_the_trained_files_alone(
    make: Make, collapsing: Path, tuning: str, function: str, arguments: dict[str, Any], says: str
) -> None:
    arguments = {key: str(collapsing / "test.npz") if value == "TEST" else value for key, value in arguments.items()}
    train = {"entry_point": f"{tuning}:{function}", "data": str(collapsing / "train.npz"), "arguments": arguments}
    found = make(**ruined_by_8_bits(collapsing), variants=["int8_float_fallback", "float16"], fine_tune=train).run()
    rows = {row.variant: row for row in found.variants}
    assert rows["float16"].outcome == "passed"
    assert says in rows["fine_tuned"].reasons[0]


@pytest.mark.parametrize(
    ("model", "data", "says"),
    [
        ("collapsing.keras", "test.npz", "fine_tune.data: expected other data than those of evaluation.uri"),
        ("collapsing", "train.npz", "fine_tune: expected null for a model that is no .keras or .h5 file"),
        ("collapsing.keras", "none.npz", "fine_tune.data: expected an existing file"),
    ],
)
def test_what_cannot_be_trained_or_trained_on_ends_the_run(
    make: Make, collapsing: Path, tuning: str, model: str, data: str, says: str
) -> None:
    given = ruined_by_8_bits(collapsing) | {"model": {"name": "test", "uri": str(collapsing / model)}}
    with pytest.raises(BadInput, match=re.escape(says)):
        make(**given, fine_tune={"entry_point": f"{tuning}:tune", "data": str(collapsing / data)}).run()


@pytest.mark.skipif(not RUNTIMES["ethos_u"].installed, reason="tflite-micro has no wheel for this machine")
def test_equalized_channels_recover_it_without_a_byte_more(make: Make, collapsing: Path, tmp_path: Path) -> None:
    found = make(
        **ruined_by_8_bits(collapsing),
        target="ethos-u55-128",  # for which a weight that is far from where it came from is an error
        variants=["int8"],
        gate={"max_drop": 0.02},
        recover={},
    ).run()
    rows = {row.variant: row for row in found.variants}
    assert found.may_ship == ("recovered",)
    assert rows["recovered"].recovered.startswith("channels equalized between 3 pairs of layers, which took the loss")
    assert not any("weight" in warning for warning in rows["recovered"].warnings), "against what it was made from"
    assert "channels equalized" in (tmp_path / "out" / "report.html").read_text().lower()


@pytest.mark.skipif(not RUNTIMES["ethos_u"].installed, reason="tflite-micro has no wheel for this machine")
def test_for_an_ethos_u_it_is_recovered_by_integers_alone(make: Make, collapsing: Path) -> None:
    found = make(
        **ruined_by_8_bits(collapsing),
        target="ethos-u55-128",
        variants=["int8"],
        gate={"max_drop": 0.05},
        recover={"equalize": False, "correct_bias": False},
    ).run()
    rows = {row.variant: row for row in found.variants}
    assert rows["int8"].outcome in ("rejected", "failed")
    row = rows["recovered"]
    assert row.value is not None, row.reasons
    assert row.float_share == 0
    assert "int16x8 for" in row.recovered
    assert not any("runs files that are" in reason for reason in row.reasons)
