"""Completion of the command line in a shell, by argcomplete."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

import argcomplete
from argcomplete.completers import BaseCompleter, FilesCompleter
from argcomplete.shell_integration import shellcode

from litegate.cli.output import answer

__all__ = ["complete", "print_script"]

_NAMES_A_FILE = frozenset({"spec", "source", "data", "evaluation", "output", "json", "home"})


def print_script(shell: str, target: Path | None) -> int:
    """Print the script that gives a shell Tab completion for `litegate`."""
    script = shellcode(["litegate"], shell=shell)
    answer({"shell": shell, "script": script}, target, lambda: print(script))
    return 0


def complete(grammar: argparse.ArgumentParser) -> None:
    """Answer a shell that asks what could come next, and end the process."""
    argcomplete.autocomplete(grammar, always_complete_options=False, default_completer=_Files())


class _Files(BaseCompleter):
    """Completes the names of files where an argument is one."""

    def __call__(self, *, prefix: str, action: argparse.Action, **_: Any) -> list[str]:
        if action.dest not in _NAMES_A_FILE:
            return []
        found: list[str] = FilesCompleter(("yaml", "yml") if action.dest == "spec" else ())(prefix)
        return found
