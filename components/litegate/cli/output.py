"""What a command answers: text for people, or JSON for programs."""

from __future__ import annotations

import argparse
import json
import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TextIO

from litegate.storage.whole_files import write_whole

__all__ = [
    "STDOUT",
    "answer",
    "answer_error",
    "json_target",
    "print_error",
    "until_closed",
    "write_json",
    "write_text",
]

STDOUT = Path("-")
"""Stands for standard output where `--json` names no file."""


@contextmanager
def until_closed() -> Iterator[None]:
    """Whoever reads the output may have enough of it, as `head` has: a command then goes on without saying more."""
    before = sys.stdout, sys.stderr
    sys.stdout, sys.stderr = _UntilClosed(before[0]), _UntilClosed(before[1])
    try:
        yield
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        sys.stdout, sys.stderr = before


class _UntilClosed:
    """A stream that drops what nobody reads any more."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream

    def write(self, text: str) -> int:
        """As of the stream."""
        try:
            return self._stream.write(text)
        except BrokenPipeError:
            self._drop()
            return len(text)

    def flush(self) -> None:
        """As of the stream."""
        try:
            self._stream.flush()
        except BrokenPipeError:
            self._drop()

    def _drop(self) -> None:
        with Path(os.devnull).open("w") as nowhere:
            os.dup2(nowhere.fileno(), self._stream.fileno())

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)


def json_target(text: str) -> Path:
    """The file that an option such as `--json` names."""
    path = Path(text)
    if path.is_dir():
        raise argparse.ArgumentTypeError(f"expected a file, got the folder {text}")
    return path


def answer(found: Any, target: Path | None, show: Callable[[], None]) -> None:
    """Show what was found as text; as JSON in place of it, or in a file as well, as `--json` says."""
    if target != STDOUT:
        show()
    write_json(found, target)


def print_error(message: str) -> None:
    """Say on standard error why a command failed."""
    from rich.console import Console  # slow to import, both
    from rich.text import Text

    line = Text.assemble(("error: ", "bold red"), message)
    Console(stderr=True, highlight=False).print(line, soft_wrap=True)


def answer_error(message: str, code: int, target: Path | None) -> None:
    """Programs that read the JSON find the error in it, and never what an earlier command left there."""
    write_json({"error": message, "exit_code": code}, target)


def write_json(found: Any, target: Path | None) -> None:
    """Write to the target of `--json`, whole or not at all; nowhere if there is none."""
    if target is None:
        return
    write_text(json.dumps(found, indent=2, allow_nan=False) + "\n", target)


def write_text(text: str, target: Path) -> None:
    """Write to a file, whole or not at all, or to standard output."""
    if target == STDOUT:
        print(text, end="", flush=True)
        return
    path = target.resolve()
    if path.exists() and not path.is_file():  # a pipe or a device, which cannot be replaced whole
        path.write_text(text)
    else:
        write_whole(path, iter((text.encode(),)))
