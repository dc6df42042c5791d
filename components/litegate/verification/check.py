"""What one check came to."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from litegate.exit_codes import ExitCode

__all__ = ["Check", "State", "bad", "exit_code", "good", "unknown"]

State = Literal["good", "bad", "unknown"]
"""`bad`: it is shown not to hold; `unknown`: it could not be shown, for something is not there."""


@dataclass(frozen=True)
class Check:
    """What was looked at, what it came to, and a sentence about it."""

    name: str
    state: State
    said: str

    def __str__(self) -> str:
        return f"{self.name}: {self.said}"


def good(name: str, said: str) -> Check:
    """It holds."""
    return Check(name, "good", said)


def bad(name: str, said: str) -> Check:
    """It does not hold."""
    return Check(name, "bad", said)


def unknown(name: str, said: str) -> Check:
    """It could not be shown."""
    return Check(name, "unknown", said)


def exit_code(checks: Sequence[Check]) -> ExitCode:
    """Of a command: nothing but good ones is done."""
    states = {check.state for check in checks}
    if "bad" in states:
        return ExitCode.REJECTED
    return ExitCode.DONE if states == {"good"} else ExitCode.UNDECIDED
