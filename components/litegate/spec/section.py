"""What all sections of a spec share: frozen, no unknown keys, and types that several of them have."""

from __future__ import annotations

import re
from typing import Annotated, Any, get_args

from croniter import CroniterError, croniter  # type: ignore[import-untyped]
from pydantic import AfterValidator, BaseModel, ConfigDict, Field, field_validator
from pydantic.config import JsonDict
from pydantic_core import PydanticCustomError

from litegate.addresses import ADDRESS, FORMS
from litegate.variants import VARIANTS

__all__ = ["Cron", "EntryPoint", "Section", "address", "check_variant", "identifier", "section_in", "slice_field"]


def address(description: str, default: Any = ...) -> Any:
    """A field for `s3://bucket/key` or a local path, and for nothing else that looks like an address.

    Args:
        default: None for one that may be left out.
    """
    forms = ", ".join(f"`{form}`" for form in FORMS.values())
    text = f"{description} {forms}, or a path: absolute, or relative to the spec file."
    pattern: JsonDict = {"pattern": rf"^({ADDRESS}|(?!.*://))"}  # what `_local_or_s3` says, for editors
    return Field(default, min_length=1, description=text, json_schema_extra=pattern)


def identifier(description: str) -> Any:
    """A field for what names DAGs, experiments and files."""
    text = f"{description} Letters, digits, `_`, `-` and `.`."
    return Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9_.-]*$", max_length=120, description=text)


EntryPoint = Annotated[str, Field(pattern=r"^[A-Za-z_][\w.]*:[A-Za-z_]\w*$")]
"""`package.module:name`."""


class Section(BaseModel):
    """A mapping of the spec: frozen, strictly typed, and an unknown key is an error."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    @field_validator("uri", "recipe", "evidence", "data", check_fields=False)
    @classmethod
    def _local_or_s3(cls, value: str | None) -> str | None:
        if value is not None and "://" in value and not re.match(ADDRESS, value):
            raise ValueError(f"{', '.join(FORMS.values())}, or a local path")
        return value


def section_in(annotation: Any) -> type[Section] | None:
    """The section that a key of this type holds: always, if it is not null, or as the elements of a list."""
    if isinstance(annotation, type) and issubclass(annotation, Section):
        return annotation
    return next(filter(None, map(section_in, get_args(annotation))), None)


def _has_a_next_time(value: str) -> str:
    try:
        croniter(value).get_next()
    except (CroniterError, ValueError):
        raise ValueError("a cron expression that has a next time, a preset such as @daily, or null") from None
    return value


Cron = Annotated[str, AfterValidator(_has_a_next_time)]
"""A cron expression, or a preset such as `@daily`; times are UTC."""


def slice_field(entry: str, form: str) -> str:
    """The name of a field of slices: for images that of the one named part of a regular expression."""
    return next(iter(re.compile(entry).groupindex)) if form == "images" else entry


def check_variant(name: Any) -> None:
    """Raise pydantic's error, naming the variants that there are, if `name` is none of them."""
    if name not in VARIANTS:
        raise PydanticCustomError("named", "one of {known}", {"known": ", ".join(VARIANTS), "got": repr(name)})
