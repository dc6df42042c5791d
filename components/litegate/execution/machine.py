"""What of the machine results depend on: the type of its processor, or the machine itself."""

from __future__ import annotations

import platform
import re
from enum import Enum
from functools import cache
from pathlib import Path

from litegate.digest import digest_json

__all__ = ["Machine", "machine", "processor", "processor_type"]

_NAMES = ("model name", "CPU implementer", "CPU architecture", "CPU variant", "CPU part")
_FLAGS = ("flags", "Features")
_INSTRUCTIONS = re.compile(r"mmx\w*|s?sse\w*|avx\w*|fma\d?|f16c|amx\w*|bmi\d|popcnt|abm|gfni|v?pclmulqdq|v?aes|xop")
"""Among the flags of an x86 processor those of instructions that kernels are chosen by; others say what its kernel does
against attacks, and differ between hosts of one type."""


class Machine(Enum):
    """How much of the machine the result of a step depends on."""

    NOTHING = "nothing"
    """It counts, compares or reads bytes."""
    PROCESSOR = "processor"
    """The converter's bytes and the kernels that run them differ between types of processors."""
    HOST = "host"
    """It is about this very machine, as latency is."""


def machine(counts: Machine) -> list[str]:
    """As much of this machine as counts."""
    if counts is Machine.NOTHING:
        return []
    here = _here()
    return [*here, platform.node()] if counts is Machine.HOST else here


def processor(cpuinfo: str) -> list[str]:
    """The type of a processor: its names and its instructions, the same on every host that has it.

    Args:
        cpuinfo: the text of /proc/cpuinfo, with a paragraph for each core.
    """
    pairs = {(key.strip(), value.strip()) for key, _, value in (line.partition(":") for line in cpuinfo.splitlines())}
    names = sorted(f"{key}: {value}" for key, value in pairs if key in _NAMES)
    flags = {flag for key, value in pairs if key in _FLAGS for flag in value.split()}
    arm = any(key == "Features" for key, _ in pairs)
    return [*names, *sorted(flag for flag in flags if arm or _INSTRUCTIONS.fullmatch(flag))]


def processor_type() -> str:
    """The type of this machine's processor as one line: hosts on which the same bytes are made say the same."""
    architecture, *found = _here()
    named = [text.partition(": ")[2] for text in found if text.startswith("model name: ")]
    return f"{', '.join([architecture, *named])} ({digest_json([architecture, *found])[:12]})"


@cache
def _here() -> list[str]:
    return [platform.machine(), *processor(Path("/proc/cpuinfo").read_text(errors="replace"))]
