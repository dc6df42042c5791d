"""What holds for every record, whoever wrote it."""

from __future__ import annotations

import pytest
from pydantic import ValidationError

from litegate.records import Decision, FileRef, LedgerEntry, unreadable

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


def why(record: type[FileRef] | type[Decision], **fields: object) -> str:
    with pytest.raises(ValidationError) as caught:
        record.model_validate(fields)
    return unreadable(caught.value)


def test_what_a_newer_release_has_written_is_told_from_what_is_damaged() -> None:
    newer = "a newer litegate has written it, for this one does not know "
    assert why(FileRef, **REF.to_json(), colour=1) == f"{newer}colour: upgrade this one to read it"
    asked = {"channel": {"registry": "m", "since": 1}, "action": "retired", "key": "k", "actor": "ann", "why": "so"}
    assert why(Decision, **asked) == f"{newer}channel.since, action 'retired': upgrade this one to read it"
    assert "greater than or equal" in why(FileRef, **REF.to_json() | {"bytes": -1}), "damage is not called newer"
    assert not why(FileRef, **REF.to_json() | {"bytes": -1, "colour": 1}).startswith("a newer")
    assert len(why(FileRef, **REF.to_json(), **{"x" * 1000: 1})) < 300


def test_what_is_kept_for_ever_is_written_as_it_was_read() -> None:
    """Its digest covers what it was written with, and not what later releases have added."""
    decision = {
        "channel": {"registry": "m", "alias": "champion"},
        "action": "pinned",
        "key": "k",
        "actor": "a",
        "why": "",
    }
    entry = {"number": 0, "time": "2026-01-01T00:00:00.000000+00:00", "decision": decision}
    entry |= {"before": None, "after": 1, "previous": ""}
    assert LedgerEntry.model_validate(entry).to_json() == entry
    assert LedgerEntry.model_validate(entry).decision.begun is None
