"""Evidence of a device: what is not complete and sound is refused, with what, where, expected and got."""

from __future__ import annotations

import io
import pickle
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from litegate.errors import BadInput
from litegate.runtimes.device_evidence import Evidence, fed_digests, read_evidence
from litegate.runtimes.evidence_checks import check_file, check_outputs, check_samples
from litegate.runtimes.litert import Tensor
from tests.components.runtimes.recording import written

Array = np.ndarray[Any, np.dtype[Any]]
DIGEST = "a" * 64
N = 5
TENSORS = {
    "scores": Tensor((-1, 4), np.dtype(np.int8), 0.5, 3),
    "mask": Tensor((1, -1, 2), np.dtype(np.float32), 0.0, 0),
}


def good() -> dict[str, Array]:
    return {
        "format": np.array(1),
        "artifact": np.array(DIGEST),
        "device": np.array("pi5"),
        "runtime": np.array("LiteRT 9, one thread"),
        "id": np.array([b"a", b"b", b"c", b"d", b"e"]),
        "fed": fed_digests({"x": np.arange(N, dtype=np.float32)[:, np.newaxis]}),
        "seconds": np.array([0.001, 0.002, 0.003, 0.004, 0.101]),
        "output/scores": np.arange(4 * N, dtype=np.int8).reshape(N, 4),
        "output/mask": np.ones((N, 3, 2), np.float32),
    }


def nan_in(values: Array, row: int, value: float = np.nan) -> Array:
    values = values.copy()
    values.reshape(len(values), -1)[row, 0] = value
    return values


def test_what_is_good_is_read_as_it_is(tmp_path: Path) -> None:
    arrays = good()
    found = read_evidence(written(tmp_path / "e.npz", arrays))
    assert (found.artifact, found.device, found.runtime) == (DIGEST, "pi5", "LiteRT 9, one thread")
    assert found.id.tolist() == arrays["id"].tolist()
    assert found.fed.tolist() == arrays["fed"].tolist()
    for name in TENSORS:
        assert found.outputs[name].dtype == arrays[f"output/{name}"].dtype
        assert found.outputs[name].tolist() == arrays[f"output/{name}"].tolist()
    assert found.milliseconds == pytest.approx((3.0, 81.6))
    check_file(found, DIGEST, "pi5")
    check_outputs(found, TENSORS)
    check_samples(found, arrays["id"], arrays["fed"])


def test_other_ways_to_write_the_same_are_taken(tmp_path: Path) -> None:
    arrays = good()
    with (tmp_path / "e.npz").open("wb") as file:
        np.savez_compressed(
            file,
            **arrays
            | {
                "id": np.array(["a", "b", "c", "d", "e"]),
                "artifact": np.array(DIGEST.encode()),
                "seconds": np.arange(N),
                "output/mask": np.asfortranarray(arrays["output/mask"]),
            },
        )
    found = read_evidence(tmp_path / "e.npz")
    assert (found.artifact, found.id.tolist()) == (DIGEST, arrays["id"].tolist())
    assert found.seconds.tolist() == [0, 1, 2, 3, 4]
    check_outputs(found, TENSORS)


@pytest.mark.parametrize(
    ("name", "value", "says"),
    [
        ("format", 2, r"format: expected 1, got array\(2\)"),
        ("format", None, "expected the arrays format, got none of them"),
        ("format", [1], "format: expected 1, got"),
        ("seconds", None, "expected the arrays seconds, got none of them"),
        ("notes", "x", "expected the arrays artifact, device, .*, got others: notes"),
        ("artifact", 5, "artifact: expected one line of text"),
        ("device", "pi5\nx", "device: expected one line of text"),
        ("runtime", "", "runtime: expected one line of text"),
        ("runtime", "x" * 1001, "runtime: expected one line of text, at most 1,000 characters"),
        ("id", [1, 2, 3, 4, 5], "id: expected a text for each sample, got shape .5,. and type int64"),
        ("id", [[b"a"]], "id: expected a text for each sample"),
        ("id", np.array([], "S1"), "id: expected at least one sample, got none"),
        ("id", [b"a", b"b", b"c", b"d"], r"fed: expected a row for each of 4 samples, got shape \(5,\)"),
        ("id", [b"a", b"b", b"c", b"b", b"c"], "id: expected each sample once, got twice or more: 'b', 'c'"),
        ("fed", [b"x"], "fed: expected a row for each of 5 samples"),
        ("seconds", ["1"] * N, "seconds: expected a number for each sample"),
        ("seconds", 1.0, "seconds: expected a number for each sample"),
        ("seconds", np.ones(4), r"seconds: expected a row for each of 5 samples, got shape \(4,\)"),
        ("seconds", nan_in(np.ones(N), 2), "seconds: expected finite numbers, got NaN or infinity for 'c'"),
        ("seconds", nan_in(np.ones(N), 1, np.inf), "seconds: expected finite numbers, got NaN or infinity for 'b'"),
        ("seconds", nan_in(np.ones(N), 3, -0.5), "seconds: expected times from 0 on, got -0.5 for 'd'"),
        ("output/scores", np.zeros((4, 4), np.int8), r"output/scores: expected a row for each of 5 samples"),
        ("output/scores", np.int8(1), "output/scores: expected a row for each of 5 samples"),
        ("output/scores", ["x"] * N, "output/scores: expected numbers, got type <U1"),
        ("output/mask", nan_in(np.ones((N, 3, 2), np.float32), 4), "output/mask: expected finite numbers, .* for 'e'"),
    ],
)
def test_what_is_not_sound_is_refused(tmp_path: Path, name: str, value: Any, says: str) -> None:
    arrays = good() | {name: None if value is None else np.asarray(value)}
    with pytest.raises(BadInput, match=f"e.npz.*{says}"):
        read_evidence(written(tmp_path / "e.npz", arrays))


def test_without_outputs_there_is_no_evidence(tmp_path: Path) -> None:
    arrays = {name: value for name, value in good().items() if not name.startswith("output/")}
    with pytest.raises(BadInput, match="expected the arrays output/<name>, got none of them"):
        read_evidence(written(tmp_path / "e.npz", arrays))


def zipped(**members: bytes) -> bytes:
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as archive:
        for name, data in members.items():
            archive.writestr(f"{name}.npy", data)
    return content.getvalue()


def npy(values: Any, **header: Any) -> bytes:
    """An array in numpy's format, with another header if one is given."""
    content, array = io.BytesIO(), np.asarray(values)
    known = {"descr": array.dtype.str, "fortran_order": False, "shape": array.shape}
    np.lib.format.write_array_header_1_0(content, known | header)
    return content.getvalue() + array.tobytes()


def twice() -> bytes:
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as archive:
        archive.writestr("id.npy", npy([b"a"]))
        with pytest.warns(UserWarning, match="Duplicate name"):
            archive.writestr("id.npy", npy([b"b"]))
    return content.getvalue()


def objects() -> bytes:
    content = io.BytesIO()
    np.lib.format.write_array_header_1_0(content, {"descr": "|O", "fortran_order": False, "shape": (1,)})
    return content.getvalue() + pickle.dumps(["no"])


def cut() -> bytes:
    whole = zipped(id=npy([b"a" * 1000] * 50))
    return whole[: len(whole) // 2] + whole[len(whole) // 2 + 7 :]


@pytest.mark.parametrize(
    ("made", "says"),
    [
        (lambda: b"no archive", "expected an npz file"),
        (lambda: b"", "expected an npz file"),
        (cut, "expected an npz file"),
        (lambda: zipped(id=b"no array"), "expected an npz file"),
        (lambda: zipped(id=objects()), "id: expected numbers or text, got an array of object"),
        (lambda: zipped(id=npy([1 + 2j])), "id: expected numbers or text, got an array of complex128"),
        (lambda: zipped(id=npy([1.0, 2.0], shape=(10**12,))), "id: expected the bytes of an array of shape"),
        (lambda: zipped(id=npy([1.0, 2.0], shape=(-1, -2))), "id: expected the bytes of an array of shape"),
        (twice, "expected each array once, got id twice"),
    ],
)
def test_what_is_no_npz_of_numbers_is_refused(tmp_path: Path, made: Callable[[], bytes], says: str) -> None:
    (tmp_path / "e.npz").write_bytes(made())
    with pytest.raises(BadInput, match=says):
        read_evidence(tmp_path / "e.npz")


def test_what_would_not_fit_into_memory_is_not_unpacked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("litegate.runtimes.npz_from_outside._MOST_BYTES", 10_000)
    with (tmp_path / "e.npz").open("wb") as file:
        np.savez_compressed(file, **good() | {"output/scores": np.zeros((N, 4000), np.int8)})
    assert (tmp_path / "e.npz").stat().st_size < 10_000
    with pytest.raises(BadInput, match="expected at most 10,000 bytes when unpacked, got 2"):
        read_evidence(tmp_path / "e.npz")


@pytest.mark.parametrize(
    ("name", "value", "says"),
    [
        ("artifact", "b" * 64, f"artifact: expected the digest of the file, {DIGEST}, got {'b' * 64}"),
        ("device", "pi4", "device: expected pi5, as the spec has it, got pi4"),
        ("output/mask", None, "outputs: expected mask, scores, got scores"),
        ("output/other", np.zeros(N), "outputs: expected mask, scores, got mask, other, scores"),
        ("output/scores", np.zeros((N, 4), np.uint8), "output/scores: expected type int8, .*, got uint8"),
        ("output/scores", np.zeros((N, 4), np.float32), "output/scores: expected type int8, .*, got float32"),
        ("output/scores", np.zeros((N, 3), np.int8), r"output/scores: expected shape \(5, 4\), got \(5, 3\)"),
        ("output/scores", np.zeros((N, 1, 4), np.int8), r"output/scores: expected shape \(5, 4\), got \(5, 1, 4\)"),
        ("output/mask", np.zeros((N, 7, 3), np.float32), r"output/mask: expected shape \(5, -1, 2\), got \(5, 7, 3\)"),
    ],
)
def test_evidence_of_something_else_is_refused(tmp_path: Path, name: str, value: Any, says: str) -> None:
    arrays = good() | {name: None if value is None else np.asarray(value)}
    evidence = read_evidence(written(tmp_path / "e.npz", arrays))
    with pytest.raises(BadInput, match=says):
        _check(evidence)


def _check(evidence: Evidence) -> None:
    check_file(evidence, DIGEST, "pi5")
    check_outputs(evidence, TENSORS)


def rows(*order: int) -> dict[str, Array]:
    return {name: value if value.shape == () else value[list(order)] for name, value in good().items()}


@pytest.mark.parametrize(
    ("arrays", "says"),
    [
        (rows(0, 1, 2, 3), "id: expected all 5 samples, got none of 'e'"),
        (rows(1), "id: expected all 5 samples, got none of 'a', 'c', 'd' and 1 more"),
        (rows(1, 0, 2, 3, 4), "id: expected the samples in their order, 'a' at 0, got 'b'"),
        (rows(0, 1, 2, 4, 3), "id: expected the samples in their order, 'd' at 3, got 'e'"),
        (good() | {"fed": good()["fed"][[0, 2, 1, 3, 4]]}, r"fed: expected \w{32} for sample 'b', .* got \w{32} \(2 "),
    ],
)
def test_other_samples_are_refused(tmp_path: Path, arrays: dict[str, Array], says: str) -> None:
    evidence = read_evidence(written(tmp_path / "e.npz", arrays))
    with pytest.raises(BadInput, match=says):
        check_samples(evidence, good()["id"], good()["fed"])


def test_foreign_samples_are_refused(tmp_path: Path) -> None:
    evidence = read_evidence(written(tmp_path / "e.npz", good()))
    asked = good()
    with pytest.raises(BadInput, match="id: expected the 4 samples that were given out, got others: 'e'"):
        check_samples(evidence, asked["id"][:4], asked["fed"][:4])


def test_a_digest_tells_names_types_shapes_and_values() -> None:
    x = np.arange(6, dtype=np.float32).reshape(1, 6)
    features = [
        {"x": x},
        {"y": x},
        {"x": x.astype(np.float64)},
        {"x": x.reshape(1, 2, 3)},
        {"x": x + 1},
        {"x": x, "y": x},
        {"x": x[:, :3], "y": x[:, 3:]},
    ]
    found = [fed_digests(each)[0] for each in features]
    assert len(set(found)) == len(found)
    both = {"a": np.concatenate([x, x + 1]), "b": np.zeros((2, 1), np.int8)}
    each = [fed_digests({name: value[row : row + 1] for name, value in both.items()})[0] for row in range(2)]
    assert fed_digests(both).tolist() == each
