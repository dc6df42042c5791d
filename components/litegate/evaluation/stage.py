"""What is found on some samples, as it comes in from several processes in any order."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from litegate.evaluation.lockstep import BATCH
from litegate.evaluation.worker import ROW, Rows
from litegate.outcomes.columns import Outcomes

__all__ = ["Stage"]

Array = np.ndarray[Any, np.dtype[Any]]


class Stage:
    """Samples that are evaluated in one go.

    Args:
        samples: their indices.
        wanted: by file, which of them it is to see; None for all.

    Attributes:
        batches: how many there are.
        seen: how many samples have been read.
    """

    def __init__(self, samples: Array, wanted: Mapping[int, Array | None]) -> None:
        self.samples, self.wanted = samples, dict(wanted)
        self.batches = -(-len(samples) // BATCH)
        self.seen = 0
        self._found: dict[int, dict[int, Outcomes]] = {file: {} for file in wanted}

    def add(self, rows: Rows, files: set[int]) -> None:
        """What a process has handed back; of files that it was not to run nothing counts."""
        self.seen = min(self.seen + len(rows.identity["index"]), len(self.samples))
        for file in rows.files.keys() & files & self._found.keys():
            columns = dict(rows.files[file])
            place = columns.pop(ROW)
            identity = rows.identity
            if len(place) != len(identity["index"]):
                identity = {name: column[place] for name, column in identity.items()}
            self._found[file][rows.start] = Outcomes(**identity, **columns)

    def forget(self, file: int) -> None:
        """What was found of a file, which is run again."""
        self._found[file] = {}

    def outcomes(self, failed: Mapping[int, object]) -> dict[int, Outcomes]:
        """By file, in the order of the samples; files that have failed have none."""
        return {
            file: Outcomes.concatenate([parts[start] for start in sorted(parts)])
            for file, parts in self._found.items()
            if file not in failed and parts
        }
