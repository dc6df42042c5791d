"""Where what passed goes in MLflow."""

from __future__ import annotations

import re

from pydantic import Field, field_validator

from litegate.spec.section import Section, identifier

__all__ = ["Registry"]


class Registry(Section):
    """The registered model in MLflow and the alias that follows what was promoted."""

    name: str = identifier("The registered model in MLflow; `model.name` if it is left out.")
    alias: str = Field(
        "champion", pattern=r"^[A-Za-z0-9_-]+$", description="The alias that is moved to what is promoted."
    )

    @field_validator("alias")
    @classmethod
    def _not_reserved(cls, value: str) -> str:
        if value == "latest" or re.fullmatch(r"v\d+", value):
            raise ValueError("an alias that MLflow does not reserve (not 'latest', not 'v1')")
        if re.fullmatch(r"(.*-)?(previous|candidate)", value):
            raise ValueError("an alias that does not end in previous or candidate, which follow a champion")
        return value
