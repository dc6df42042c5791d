"""Which operators of a quantized file need another precision: how sensitive each is, and the search for the fewest.

All of it works on the calibration samples: a part of them finds ranges, the others tune. What comes out is a file like
any other, and whether it may ship is not said here.
"""

from __future__ import annotations

from litegate.recovery.recovering import recovered

__all__ = ["recovered"]
