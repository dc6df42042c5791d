"""What holds for every record, whoever wrote it."""

from __future__ import annotations

import pytest
from pydantic import ValidationError

from litegate.records import FileRef

REF = FileRef(name="model.tflite", digest="0" * 64, bytes=12)


def test_a_record_is_the_same_after_json_and_back() -> None:
    assert FileRef.model_validate(REF.to_json()) == REF


def test_a_record_cannot_be_changed() -> None:
    with pytest.raises(ValidationError, match="frozen"):
        REF.bytes = 13  # type: ignore[misc]


@pytest.mark.parametrize(
    "change",
    [
        {"unknown": 1},
        {"bytes": -1},
        {"bytes": 1 << 70},
        {"digest": "0" * 63},
        {"name": "../model.tflite"},
        {"name": "/model.tflite"},
        {"name": "model\n.tflite"},
        {"name": "n" * 2000},
    ],
)
def test_what_has_no_form_is_refused(change: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        FileRef.model_validate(REF.to_json() | change)


def test_names_that_leave_their_folder_are_refused() -> None:
    for name in ("../x", "/etc/passwd", "a/../../x", "", "x" * 2000):
        with pytest.raises(ValueError, match="relative path"):
            FileRef(name=name, digest="0" * 64, bytes=0)
    for name in ("a\0b", "a\nb", "a\x1b[31m"):
        with pytest.raises(ValueError, match="control characters"):
            FileRef(name=name, digest="0" * 64, bytes=0)
