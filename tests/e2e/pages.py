"""A page's fenced blocks as one shell script: commands are run, files are written, shown output is looked for."""

from __future__ import annotations

import re
import shlex
from dataclasses import dataclass, field

__all__ = ["Block", "blocks", "missing_line"]

_FENCE = re.compile(r"^```(\w+)\n(.*?)^```$", re.M | re.S)
_NAMED = re.compile(r"`([\w.-]+)`:\n\n\Z")


@dataclass
class Block:
    """Commands, and what the page shows of their output; a file is written by a command."""

    commands: str
    shown: list[str] = field(default_factory=list)


def blocks(page: str) -> list[Block]:
    """The blocks of a page in their order.

    `sh` is run. `python` and `yaml` are written to the file that the text before them names: "... to `data.py`:".
    `text` is output of the block before it.
    """
    found: list[Block] = []
    for fence in _FENCE.finditer(page):
        kind, body = fence.groups()
        if kind == "sh":
            found.append(Block(body))
        elif kind == "text":
            found[-1].shown = body.splitlines()
        else:
            named = _NAMED.search(page, 0, fence.start())
            assert named is not None, f"no file name before a block of {kind}: {body[:60]!r}"
            found.append(Block(f"printf %s {shlex.quote(body)} > {named[1]}\n"))
    return found


def missing_line(shown: list[str], output: str) -> str | None:
    """The first line that is not in the output, in order; None if all are.

    Runs of blanks are alike. `...` stands for anything, a line of it for any lines; `~` and a number for any number.
    """
    left = [" ".join(line.split()) for line in output.splitlines() if line.strip()]
    for line in shown:
        wanted = " ".join(line.split())
        if wanted in ("", "..."):
            continue
        pattern = re.compile(_pattern(wanted))
        place = next((number for number, each in enumerate(left) if pattern.fullmatch(each)), None)
        if place is None:
            return line
        left = left[place + 1 :]
    return None


def _pattern(line: str) -> str:
    """The regular expression of a line."""
    parts = re.split(r"(\.\.\.|~[+-]?[\d.,]*)", line)
    return "".join(".*" if part == "..." else r"[+-]?[\d.,]+" if part[:1] == "~" else re.escape(part) for part in parts)
