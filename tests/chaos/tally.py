"""What came of it all, in one line."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

from tests.chaos.checks import Finding, Wrong
from tests.chaos.kills import Killed

__all__ = ["Tally"]


@dataclass
class Tally:
    """Kills and runs so far, and what was found wrong; each thing once, however often it is found.

    Attributes:
        retried: runs that needed their one retry.
    """

    kills: Counter[str] = field(default_factory=Counter)
    runs: int = 0
    retried: int = 0
    wrong: dict[str, Finding] = field(default_factory=dict)

    def killed(self, made: Iterable[Killed]) -> None:
        """Count kills."""
        self.kills.update(each.kind for each in made)

    def found(self, findings: Iterable[Finding], say: Callable[[str], None]) -> None:
        """Count what is wrong, and say what is new."""
        for each in findings:
            if each.what not in self.wrong:
                self.wrong[each.what] = each
                say(f"WRONG, {each.wrong}: {each.what}")

    @property
    def good(self) -> bool:
        """Whether all is as it must be."""
        return not self.wrong

    def __str__(self) -> str:
        counts = Counter(each.wrong for each in self.wrong.values())
        figures = (f"{counts[each]} {each}" for each in Wrong)
        return f"{self.kills.total()} kills, {self.runs} runs: {', '.join(figures)}"
