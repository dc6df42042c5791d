"""What is installed on this host for the steps, as digests: by which it can be told whether two hosts have the same."""

from __future__ import annotations

from pathlib import Path

from litegate.digest import digest_file, digest_json
from litegate.errors import StackError
from litegate.execution.installed import installed
from litegate.records import AttestedEnvironment
from litegate.settings import settings

__all__ = ["attested_environments"]

_LOCKS = Path(__file__).parents[3] / "deploy" / "locks"


def attested_environments() -> dict[str, AttestedEnvironment]:
    """By name, those that this host has; none where it has not all that steps need."""
    try:
        pythons = settings().pythons
    except StackError:
        return {}
    return {name: _attested(name, python) for name, python in pythons.items()}


def _attested(name: str, python: Path) -> AttestedEnvironment:
    return AttestedEnvironment(distributions=digest_json(installed(python).everything), lock=_lock(name, python))


def _lock(name: str, python: Path) -> str | None:
    """SHA-256 of the lock file, where `deploy/setup.sh` has installed the environment from it, as its stamp says."""
    lock, stamp = _LOCKS / f"{name}.txt", python.parent.parent / ".litegate-lock"
    if not (lock.is_file() and stamp.is_file() and stamp.read_bytes().startswith(lock.read_bytes())):
        return None
    return digest_file(lock)
