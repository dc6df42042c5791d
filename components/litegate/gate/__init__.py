"""The gate: paired outcomes, facts about the artifact and a policy in; a verdict out. Pure, and it fails closed.

`verdicts` has its front door. Nothing is imported here, so that who asks for a name of an outcome loads no statistics.
"""

from __future__ import annotations

__all__: list[str] = []
