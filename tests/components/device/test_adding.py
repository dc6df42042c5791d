"""What a device gave is stored only if all of it is of this file, on these samples, in this order."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from litegate.device.adding import add
from litegate.errors import BadInput, SpecError
from litegate.storage.opening import open_storage
from tests.components.runtimes.recording import written

pytestmark = pytest.mark.e2e

Array = np.ndarray[Any, np.dtype[Any]]
Arrays = dict[str, Array]
Make = Callable[..., Any]


def without(arrays: Arrays, row: int) -> Arrays:
    return {name: value if value.ndim == 0 else np.delete(value, row, axis=0) for name, value in arrays.items()}


def doubled(arrays: Arrays) -> Arrays:
    return {name: value if value.ndim == 0 else np.concatenate([value, value[:1]]) for name, value in arrays.items()}


def swapped(arrays: Arrays) -> Arrays:
    order = [1, 0, *range(2, len(arrays["id"]))]
    return {name: value if value.ndim == 0 else value[order] for name, value in arrays.items()}


def foreign(arrays: Arrays) -> Arrays:
    more = doubled(arrays)
    more["id"] = np.concatenate([arrays["id"], [b"another"]])
    return more


def other_output(arrays: Arrays) -> Arrays:
    (name,) = (name for name in arrays if name.startswith("output/"))
    return {key: value for key, value in arrays.items() if key != name} | {"output/other": arrays[name]}


def changed_output(change: Callable[[Array], Array]) -> Callable[[Arrays], Arrays]:
    def changed(arrays: Arrays) -> Arrays:
        (name,) = (name for name in arrays if name.startswith("output/"))
        return arrays | {name: change(arrays[name])}

    return changed


def not_finite(value: float) -> Callable[[Array], Array]:
    def changed(values: Array) -> Array:
        values = values.astype(np.float32)
        values[3, 0] = value
        return values

    return changed


REFUSED = {
    "wrong digest": (lambda arrays: arrays | {"artifact": np.array("0" * 64)}, "artifact: expected the digest"),
    "another device": (lambda arrays: arrays | {"device": np.array("pi4")}, "device: expected pi5, .*, got pi4"),
    "a sample is missing": (lambda arrays: without(arrays, 7), "id: expected all 600 samples, got none of '7'"),
    "a sample is there twice": (doubled, "id: expected each sample once, got twice or more: '0'"),
    "a foreign sample": (foreign, "id: expected the 600 samples that were given out, got others: 'another'"),
    "another order": (swapped, "id: expected the samples in their order, '0' at 0, got '1'"),
    "other inputs": (lambda arrays: arrays | {"fed": arrays["fed"][::-1]}, r"fed: expected \w{32} for sample '0'"),
    "another output": (other_output, "outputs: expected .*, got other"),
    "another type": (changed_output(lambda values: values.astype(np.float64)), "expected type int8, .*, got float64"),
    "another shape": (changed_output(lambda values: values[:, :3]), r"expected shape \(600, 4\), got \(600, 3\)"),
    "NaN in an output": (changed_output(not_finite(np.nan)), "expected finite numbers, got NaN or infinity for '3'"),
    "infinity in an output": (changed_output(not_finite(np.inf)), "expected finite numbers, got NaN or infinity"),
    "a negative time": (lambda arrays: arrays | {"seconds": arrays["seconds"] - 1}, "expected times from 0 on, got -"),
    "a time that is none": (lambda arrays: arrays | {"seconds": arrays["seconds"] * np.nan}, "seconds: expected fin"),
}


def test_each_of_these_is_refused_and_nothing_is_stored(
    spec_with: Make, run_of: Make, given_out: Make, tmp_path: Path
) -> None:
    spec, file = spec_with(), tmp_path / "e.npz"
    honest = given_out(spec, "int8")
    for what, (change, says) in REFUSED.items():
        written(file, change(honest))
        with pytest.raises(BadInput, match=says):
            add(run_of(spec, "int8"), file)
        assert not (tmp_path / "kept").exists(), what
    written(file, honest)
    with pytest.raises(BadInput, match="artifact: expected the digest of the file"):
        add(run_of(spec, "dynamic_range"), file)
    assert add(run_of(spec, "int8"), file).new


@pytest.mark.parametrize("where", ["local", "s3"])
def test_evidence_is_written_once_unless_it_is_to_be_replaced(
    spec_with: Make, run_of: Make, given_out: Make, tmp_path: Path, s3_bucket: str, where: str
) -> None:
    spec = spec_with(str(tmp_path / "kept") if where == "local" else f"s3://{s3_bucket}/kept/")
    honest = given_out(spec, "int8")
    first, second = (
        written(tmp_path / f"{number}.npz", honest | {"seconds": honest["seconds"] * number}) for number in (1, 2)
    )
    added = add(run_of(spec, "int8"), first)
    assert (added.new, added.variant) == (True, "int8")
    assert added.uri.endswith(f"/kept/{honest['artifact']}/pi5.npz")
    assert not add(run_of(spec, "int8"), first).new
    with pytest.raises(BadInput, match=r"pi5\.npz: expected no evidence, or this one, got another one; --replace"):
        add(run_of(spec, "int8"), second)
    assert stored(added.uri) == first.read_bytes()
    assert add(run_of(spec, "int8"), second, replace=True).new
    assert stored(added.uri) == second.read_bytes()
    run = run_of(spec, "int8")
    (pinned,) = run.run().resolved().evidence.items()
    assert (pinned[0], pinned[1].digest) == (str(honest["artifact"]), hashlib.sha256(second.read_bytes()).hexdigest())


def stored(uri: str) -> bytes:
    return b"".join(open_storage(uri).read(""))


def test_a_file_that_is_not_there_is_told_before_anything_is_made(
    spec_with: Make, run_of: Make, tmp_path: Path
) -> None:
    with pytest.raises(BadInput, match=r"nothing\.npz: expected evidence of a device, got no such file"):
        add(run_of(spec_with(), "int8"), tmp_path / "nothing.npz")


def test_a_variant_is_one_of_the_specs_and_there_is_a_device(spec_with: Make, run_of: Make) -> None:
    with pytest.raises(
        SpecError, match="VARIANT: expected one of the spec's: float32, int8, dynamic_range, got 'int9'"
    ):
        run_of(spec_with(), "int9")
    with pytest.raises(SpecError, match=r"evaluation\.device: expected the device whose .*, got null"):
        run_of(spec_with(evaluation={"device": None}), "int8")
