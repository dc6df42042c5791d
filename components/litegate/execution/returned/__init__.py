"""What a step's child hands back is input from an enemy: it may have run what users bring.

`reading` takes nothing but a bounded, valid record; `claims` compares it with its request, and `pins` with what the
parent has seen itself; `files` takes the files that it names, by their digests. Whatever does not hold is a
`StepFailed` of the kind `forged_result`: nothing of it is published, and trying again is pointless.
"""

from __future__ import annotations

__all__: list[str] = []
