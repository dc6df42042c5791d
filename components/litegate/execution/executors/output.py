"""What the process of a step says: a first line for its executor, noise, and what its reader wants to know."""

from __future__ import annotations

import json
import logging
import re

from litegate.execution.sandbox import REPORT

__all__ = ["StepOutput"]

log = logging.getLogger("litegate")

# TensorFlow says so at every start, whatever it is told.
_NOISE = re.compile(r"^I0000 |cuda_platform\.cc|cudart_stub|All log messages before absl|XNNPACK delegate for CPU")


class StepOutput:
    """The output of one process of a step.

    Attributes:
        namespaces: by which all that it started can be found.
        not_isolated: what it was not shut off from, in words.
    """

    def __init__(self, step: str) -> None:
        self._step, self._reported = step, False
        self.namespaces: tuple[str, ...] = ()
        self.not_isolated: tuple[str, ...] = ()

    def hears(self, line: str) -> bool:
        """Whether a line says something to its reader; the first report is for us, a later one is not believed."""
        if self._reported or not line.startswith(REPORT):
            return not _NOISE.search(line)
        report = json.loads(line.removeprefix(REPORT))
        self._reported = True
        self.namespaces, self.not_isolated = tuple(report["namespaces"]), tuple(report["missing"])
        if self.not_isolated:
            log.warning("%s: not isolated as it should be: %s", self._step, "; ".join(self.not_isolated))
        return False
