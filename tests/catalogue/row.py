"""One bad input: how it is made, which step meets it, and how that ends."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

BAD_INPUT = "exit 2"
"""The run ends with exit code 2; every other ending is the kind of a failed variant or step."""


@dataclass(frozen=True)
class Place:
    """Where a row finds what it is made from.

    Attributes:
        folder: the row's own, beside which user code is looked for.
        models: sound models and datasets, by the names that `make_models.py` gives them.
        hostile: what `make_hostile.py` wrote.
    """

    folder: Path
    models: Path
    hostile: Path


Make = Callable[[Place], Mapping[str, Any]]


@dataclass(frozen=True)
class Row:
    """A row of the catalogue.

    Attributes:
        id: short and unique.
        wrong: what is wrong, for the table.
        stage: the step that must refuse it; `spec` is the parser.
        says: what the message must hold, in order, where `...` is anything.
        make: makes it, and returns the keys of the spec that differ from a sound one.
        ending: `BAD_INPUT`, or the kinds of failure that there may be.
        variant: what is quantized, for the steps of a variant.
        environment: variables of the caller.
    """

    id: str
    wrong: str
    stage: str
    says: str
    make: Make
    ending: str = BAD_INPUT
    variant: str = ""
    environment: Mapping[str, str] = field(default_factory=dict)

    def is_said(self, message: str) -> bool:
        """Whether the message is the expected one."""
        pattern = ".*".join(re.escape(part.strip()) for part in self.says.split("..."))
        return re.search(pattern, message, re.DOTALL) is not None
