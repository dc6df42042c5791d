"""`litegate doctor`: what is wrong with an installation, and what helps."""

from __future__ import annotations

import os
from collections import Counter
from dataclasses import asdict
from pathlib import Path

from rich.console import Console
from rich.text import Text

from litegate.cli.checks import CHECKS, Finding
from litegate.cli.output import answer
from litegate.cli.progress import Progress
from litegate.stack import Home

__all__ = ["examine"]

_SHOWN = {"ok": ("ok", "green"), "warning": ("warning", "yellow"), "error": ("wrong", "bold red")}


def examine(home: Home, target: Path | None) -> int:
    """Run every check; returns 0 if nothing is wrong, else 1."""
    os.environ["LITEGATE_HOME"] = str(home.root)
    findings: list[Finding] = []
    with Progress("examining the installation") as progress:
        for done, check in enumerate(CHECKS):
            progress.now(check.__name__, done, len(CHECKS))
            findings += check(home)
    counts = Counter(str(finding.state) for finding in findings)
    found = {"healthy": not counts["error"], "findings": [asdict(finding) for finding in findings]}
    answer(found, target, lambda: _print(findings, counts))
    return 1 if counts["error"] else 0


def _print(findings: list[Finding], counts: Counter[str]) -> None:
    console = Console(highlight=False)
    for finding in findings:
        word, style = _SHOWN[finding.state]
        console.print(Text.assemble((f"{word:<8}", style), f"{finding.subject}: {finding.found}"), soft_wrap=True)
        if finding.remedy:
            console.print(Text(f"{'':<8}  -> {finding.remedy}"), soft_wrap=True)
    summary = f"{counts['error']} wrong, {counts['warning']} warnings" if counts["error"] else "nothing is wrong"
    console.print(Text(summary))
