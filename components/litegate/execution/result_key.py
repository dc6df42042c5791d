"""The key of a result: what it depends on beside its request."""

from __future__ import annotations

import platform
from functools import cache
from pathlib import Path

from litegate.digest import digest_file, digest_json
from litegate.records import Record

__all__ = ["result_key"]

# Of our own packages: who calls steps, and has no part in what they find.
_CALLERS = ("cli", "comparison", "first_spec", "pipeline", "stack")


def result_key(step: str, request: Record, python: Path) -> str:
    """Digest of request, code, tools, processor and host.

    Args:
        python: the interpreter that runs the step.
    """
    return digest_json(
        {
            "step": step,
            "request": request.to_json(),
            "code": _code_digest(),
            "tools": _installed(python),
            "host": _host(),
        }
    )


@cache
def _code_digest() -> str:
    """Digest of our own source, without the parts that no result depends on."""
    root = Path(__file__).parents[1]
    sources = sorted(path.relative_to(root) for path in root.rglob("*.py"))
    return digest_json(
        [[path.as_posix(), digest_file(root / path)] for path in sources if path.parts[0] not in _CALLERS]
    )


@cache
def _installed(python: Path) -> str:
    """Digest of the distributions that are installed beside an interpreter, with their versions."""
    folders = python.parent.parent.glob("lib/python*/site-packages/*.dist-info")
    return digest_json(sorted(folder.name for folder in folders))


@cache
def _host() -> list[str]:
    """The processor's features, which decide the converter's bytes and the kernels, and the host's name."""
    text = Path("/proc/cpuinfo").read_text(errors="replace")
    lines = {line for line in text.splitlines() if line.startswith(("model name", "flags", "Features"))}
    return [platform.machine(), platform.node(), digest_json(sorted(lines))]
