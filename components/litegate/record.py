"""The base of all records, apart from them: who needs no more than this does not load them all."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from pydantic import BaseModel, ConfigDict, model_validator

__all__ = ["KEYED", "Record"]

KEYED: Mapping[str, bool] = {"keyed": True}
"""As context of pydantic: records leave out what is another on each host, at whatever depth of a request they are."""
_LONGEST_TEXT, _MOST_ITEMS, _LARGEST_NUMBER = 1 << 16, 1 << 20, 1 << 63


class Record(BaseModel):
    """Base of all records: frozen, no unknown keys, JSON both ways.

    Texts, lists and numbers have bounds, and a number is never NaN or infinite: a record that was read may have
    been written by anybody.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False, str_max_length=_LONGEST_TEXT)

    unkeyed: ClassVar[dict[str, Any]] = {}
    """What of a request its result does not depend on: how things are called in messages; as `exclude` of pydantic."""

    @model_validator(mode="before")
    @classmethod
    def _has_bounds(cls, data: Any) -> Any:
        _check_bounds(data)
        return data

    def to_json(self) -> dict[str, Any]:
        """The record as plain JSON values; `model_validate` is the way back."""
        return self.model_dump(mode="json")

    def keyed(self) -> dict[str, Any]:
        """What of a request its result depends on."""
        return self.model_dump(mode="json", exclude=self.unkeyed, context=KEYED)


def _check_bounds(value: Any) -> None:
    """Of whole numbers and of what holds several values, at any depth; of texts pydantic checks them."""
    if value is None or isinstance(value, str | float):  # most are, and to ask whether they are mappings takes longer
        return
    if isinstance(value, int):
        if not -_LARGEST_NUMBER <= value < _LARGEST_NUMBER:
            raise ValueError("a whole number of at most 64 bits")
    elif isinstance(value, Mapping | list | tuple):
        if len(value) > _MOST_ITEMS:
            raise ValueError(f"at most {_MOST_ITEMS:,} values")
        for item in value.values() if isinstance(value, Mapping) else value:
            _check_bounds(item)
