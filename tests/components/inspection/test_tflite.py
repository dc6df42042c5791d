"""What a file says of itself is the same whether it is opened or only read."""

from __future__ import annotations

from pathlib import Path

import pytest

from litegate.inspection.tflite import describe, describe_unopened


def test_the_signatures_are_the_same_whether_native_code_opens_the_file_or_not(
    inspected: Path, tflite_files: dict[str, Path]
) -> None:
    files = [*inspected.glob("*.tflite"), *tflite_files.values()]
    assert len(files) > 10
    for file in files:
        assert describe_unopened(file.read_bytes()) == describe(file.read_bytes()), file.name


@pytest.mark.parametrize("damage", [lambda content: content[:200], lambda content: b"", lambda content: bytes(900)])
def test_damaged_bytes_are_an_error(tflite_files: dict[str, Path], damage) -> None:
    with pytest.raises(ValueError, match=r"no LiteRT model|damaged"):
        describe_unopened(damage(tflite_files["int8"].read_bytes()))
