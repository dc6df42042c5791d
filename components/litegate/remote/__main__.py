"""One part of a job on another host: `python -m litegate.remote PART JOB DIGEST`; see `litegate.remote`."""

from __future__ import annotations

import os
import sys

from litegate.diagnosis import kind_of, message_of
from litegate.failures import Retry
from litegate.remote.parts import PARTS

__all__ = ["main"]


def main(arguments: list[str]) -> int:
    """Run the part; the exit code says whether trying again can help, as `sysexits.h` has it."""
    part, number, digest = arguments
    try:
        PARTS[part](number, digest)
    except Exception as error:
        sys.stderr.write(f"{part}: {message_of(error)}\n")
        return os.EX_TEMPFAIL if kind_of(error).retry is Retry.LATER else os.EX_SOFTWARE
    return os.EX_OK


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
