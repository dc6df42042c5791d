"""The gate: paired outcomes, facts about the artifact and a policy in; a verdict out. Pure, and it fails closed."""

from __future__ import annotations

from litegate.gate.contrasts import Design
from litegate.gate.verdicts import Measured, judge

__all__ = ["Design", "Measured", "judge"]
