"""What is found on some samples, as it comes in from several processes in any order."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from litegate.evaluation.kept import Kept
from litegate.evaluation.lockstep import BATCH
from litegate.evaluation.worker import ROW, Rows

__all__ = ["Stage"]

Array = np.ndarray[Any, np.dtype[Any]]


class Stage:
    """Samples that are evaluated in one go.

    Args:
        samples: their indices.
        wanted: by file, which of them it is to see; None for all.
        kept: where what is found goes.

    Attributes:
        batches: how many there are.
        seen: how many samples have been read.
    """

    def __init__(self, samples: Array | range, wanted: Mapping[int, Array | None], kept: Kept) -> None:
        self.samples, self.wanted, self._kept = samples, dict(wanted), kept
        self.batches = -(-len(samples) // BATCH)
        self.seen = 0

    def add(self, rows: Rows, files: set[int]) -> None:
        """What a process has handed back; of files that it was not to run nothing counts."""
        self.seen = min(self.seen + len(rows.identity["index"]), len(self.samples))
        self._kept.add_names(rows.identity["index"], rows.identity["id"])
        for file in rows.files.keys() & files & self.wanted.keys():
            columns = dict(rows.files[file])
            place, index, fed = columns.pop(ROW), rows.identity["index"], rows.identity["fed"]
            if len(place) != len(index):
                index, fed = index[place], fed[place]
            # Each file has its own `fed`: `preprocess` may give something else the next time.
            self._kept.add(file, index, columns | {"fed": fed})

    def forget(self, file: int) -> None:
        """What was found of a file, which is run again."""
        rows = self.wanted[file]
        samples = np.asarray(self.samples, np.int64)
        self._kept.forget(file, samples if rows is None else samples[rows])
