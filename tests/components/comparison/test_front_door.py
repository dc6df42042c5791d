"""`litegate.compare` from Python: addresses, arrays or a spec in, a typed result out."""

from __future__ import annotations

import ast
import doctest
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import litegate
from litegate.comparison.front_door import _in_files
from litegate.runtimes.litert import LiteRTModel

HEAVY = ("tensorflow", "mlflow", "airflow", "boto3", "keras")


def test_the_front_door_is_complete_and_light() -> None:
    code = (
        "import sys, litegate\n"
        "names = [getattr(litegate, name) for name in litegate.__all__]\n"
        f"print([name for name in {HEAVY} if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_every_public_name_is_documented_and_listed() -> None:
    tree = ast.parse(Path(str(litegate.__file__)).read_text())
    imported = {
        alias.name
        for node in ast.walk(tree)
        if isinstance(node, ast.ImportFrom) and str(node.module).startswith("litegate.")
        for alias in node.names
    }
    assert imported == set(litegate.__all__)
    assert all(getattr(litegate, name).__doc__ for name in litegate.__all__)
    with pytest.raises(AttributeError, match="no attribute 'nothing'"):
        litegate.nothing  # noqa: B018


BOTH = {"spec": "s.yaml", "model": "m.keras", "calibration": "c"}


@pytest.mark.parametrize("given", [{}, {"model": "m.keras"}, BOTH])
def test_either_a_spec_or_a_model_with_data_is_given(given: dict[str, str]) -> None:
    with pytest.raises(litegate.SpecError, match="expected a spec, or a model and calibration data"):
        litegate.compare(**given)  # type: ignore[arg-type]


def test_equal_arrays_leave_their_file_alone_for_its_results_to_be_found(tmp_path: Path) -> None:
    arrays = {"x": np.arange(6.0, dtype=np.float32).reshape(3, 2), "label": np.array([0, 1, 0])}
    path = Path(_in_files(arrays, tmp_path, "calibration"))
    before = path.stat()
    assert _in_files({**arrays}, tmp_path, "calibration") == str(path)
    assert (path.stat().st_mtime_ns, path.stat().st_ino) == (before.st_mtime_ns, before.st_ino)
    _in_files(arrays | {"label": np.array([1, 1, 0])}, tmp_path, "calibration")
    assert path.stat().st_ino != before.st_ino
    assert _in_files("s3://bucket/data.npz", tmp_path, "evaluation") == "s3://bucket/data.npz"


@pytest.mark.e2e
def test_arrays_and_a_model_are_compared(models: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    arrays = {name: dict(np.load(models / f"{name}.npz")) for name in ("calibration", "test")}
    given = {"model": models / "keras3.keras", "calibration": arrays["calibration"], "evaluation": arrays["test"]}
    result = litegate.compare(
        **given,
        variants=["dynamic_range", "float16"],
        max_drop=0.05,
        policy={"max_bytes": 10_000},
        out=tmp_path / "out",
        home=tmp_path / "home",
    )
    assert (result.outcome, result.selected) == ("passed", "dynamic_range")
    assert {row.variant: row.verdict for row in result.variants}["float16"] == "failed"
    assert Path(str(result.file)).read_bytes()[4:8] == b"TFL3"
    assert "dynamic_range: quantize success" in capfd.readouterr().err
    html = result._repr_html_()
    assert "keras3: ship dynamic_range" in html
    assert Path(result.report).as_uri() in html
    again = litegate.compare(
        **given, variants="dynamic_range", max_drop=0.05, out=tmp_path / "out", home=tmp_path / "home", quiet=True
    )
    assert again.passed
    assert capfd.readouterr().err == ""


SPEC = """
model: {name: model, uri: model.keras}
calibration: {uri: calibration.npz, format: npz, samples: 100}
evaluation: {uri: test.npz, format: npz}
variants: [dynamic_range, int8]
gate: {max_drop: 0.05}
"""


@pytest.mark.e2e
@pytest.mark.usefixtures("warm_steps")
def test_the_examples_of_the_documentation_do_what_they_say(
    models: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In a folder with the files that they name."""
    for name, source in {"model.keras": "keras3.keras", "calibration.npz": "", "test.npz": ""}.items():
        shutil.copy(models / (source or name), tmp_path / name)
    (tmp_path / "spec.yaml").write_text(SPEC)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("LITEGATE_HOME", str(tmp_path / "home"))
    names = {"litegate": litegate, "Path": Path}
    finder = doctest.DocTestFinder(recurse=False)
    found = {name: finder.find(getattr(litegate, name), name, globs=names)[0] for name in ("compare", "load_spec")}
    said: list[str] = []
    for test in found.values():
        assert test.examples
        doctest.DocTestRunner(optionflags=doctest.NORMALIZE_WHITESPACE).run(test, out=said.append)
    assert "".join(said) == ""


@pytest.mark.e2e
@pytest.mark.usefixtures("warm_steps")
def test_finished_files_are_compared_with_a_float_one(
    models: Path, tflite_files: dict[str, Path], tmp_path: Path
) -> None:
    """Any two files: what they are is read from their bytes, whatever they are called."""
    model = LiteRTModel(tflite_files["float32"].read_bytes())
    ((name, tensor),) = model.inputs.items()
    values = np.random.default_rng(17).random((90, *tensor.shape[1:]), np.float32)
    (outputs,) = model.predict({name: values}).values()
    labels = outputs.argmax(axis=1)
    result = litegate.compare(
        model=tflite_files["float32"],
        calibration={name: values[:30], "label": labels[:30]},
        evaluation={name: values[30:], "label": labels[30:]},
        candidates={"small": tflite_files["int8"], "same": tflite_files["float32"]},
        max_drop=0.5,
        policy={"max_prediction_shift": None},
        out=tmp_path / "out",
        home=tmp_path / "home",
        quiet=True,
    )
    rows = {row.variant: row for row in result.variants}
    assert list(rows) == ["float32", "small", "same"]
    assert (rows["small"].scheme, rows["same"].scheme) == ("int8", "float32")
    assert rows["same"].agreement == 1.0
    assert "nothing is known of what its source gave" in result.warnings[0]
