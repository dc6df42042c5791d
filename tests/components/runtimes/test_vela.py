"""Arm's compiler: what it places on an Ethos-U, what it leaves on the CPU and why, and files it cannot compile."""

from __future__ import annotations

from pathlib import Path

import pytest

from litegate.runtimes import RUNTIMES, Placed, load_compiler, load_runtime
from litegate.variants import ETHOS_U

if not RUNTIMES["ethos_u"].installed:
    pytest.skip("tflite-micro has no wheel for this machine", allow_module_level=True)

from litegate.runtimes import vela


def placed(content: bytes, folder: Path, accelerator: str = "ethos-u55-128") -> Placed:
    return load_compiler("ethos_u").place(content, accelerator, folder)


def test_an_integer_file_runs_on_the_accelerator_alone(tflite_files: dict[str, Path], tmp_path: Path) -> None:
    found = placed(tflite_files["int8"].read_bytes(), tmp_path)
    assert (found.on_cpu, found.accelerated) == ((), 1)
    assert found.operators > 1, "of the file, not of what became of it"
    assert found.cycles
    assert found.cycles > 100
    assert found.milliseconds == pytest.approx(1000 * found.cycles / 500e6), "at the clock of Arm's default system"
    assert 0 < found.sram_bytes < 10_000
    assert 0 < found.flash_bytes < found.compiled.stat().st_size
    assert found.compiler == "ethos-u-vela 5.2.0"
    assert found.system == "Ethos_U55_High_End_Embedded, Shared_Sram"


@pytest.mark.parametrize("variant", ["float32", "dynamic_range"])
def test_of_a_float_file_everything_stays_on_the_cpu_and_nothing_is_estimated(
    tflite_files: dict[str, Path], tmp_path: Path, variant: str
) -> None:
    found = placed(tflite_files[variant].read_bytes(), tmp_path)
    assert found.accelerated == 0
    assert len(found.on_cpu) == found.operators
    assert (found.cycles, found.milliseconds) == (None, None), "Vela's own answer is 0"
    reasons = {each.operator: each.reason for each in found.on_cpu}
    assert "unsupported DataType Float32" in reasons["FULLY_CONNECTED"]


@pytest.mark.parametrize("accelerator", ETHOS_U)
def test_every_configuration_is_one_of_velas(accelerator: str, tflite_files: dict[str, Path], tmp_path: Path) -> None:
    assert placed(tflite_files["int8"].read_bytes(), tmp_path, accelerator).accelerated == 1


def test_there_is_no_configuration_more_in_vela(tmp_path: Path) -> None:
    with pytest.raises(RuntimeError, match="invalid choice: 'ethos-u1'") as refused:
        placed(b"", tmp_path, "ethos-u1")
    assert "Vela wrote no file" in str(refused.value)
    from ethosu.vela.architecture_features import Accelerator

    assert set(ETHOS_U) == set(Accelerator.member_list())


def test_what_is_no_model_is_refused_in_velas_words_and_others_are_heard_again(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(RuntimeError, match="Vela wrote no file: Compilation failed"):
        placed(b"no model", tmp_path)
    print("still heard", flush=True)
    assert capfd.readouterr().out == "still heard\n"


@pytest.mark.parametrize(("on_cpu", "target"), [((), "CPU"), ((vela._Operator("ADD", "sum"),), "NPU")])
def test_a_table_that_contradicts_the_file_is_not_believed(on_cpu: tuple[vela._Operator, ...], target: str) -> None:
    with pytest.raises(RuntimeError, match="Vela's table leaves"):
        vela._check(list(on_cpu), [{"Name": "sum", "Target": target}])


def test_its_kernels_are_those_of_a_microcontroller_and_its_arena_is_not(tflite_files: dict[str, Path]) -> None:
    content = tflite_files["int8"].read_bytes()
    micro, ethos_u = (load_runtime(name) for name in ("tflite_micro", "ethos_u"))
    assert ethos_u.load(content).kernels == micro.load(content).kernels
    assert micro.facts(content).arena is not None
    assert ethos_u.facts(content).arena is None
