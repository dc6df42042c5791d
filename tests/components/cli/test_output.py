"""What is written where nobody reads any more."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

from litegate.cli.output import until_closed


def test_a_command_goes_on_after_its_reader_is_gone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    reading, writing = os.pipe()
    os.close(reading)
    with os.fdopen(writing, "w") as pipe:
        monkeypatch.setattr(sys, "stdout", pipe)
        with until_closed():
            print("x" * 100_000)
            print("more", flush=True)
            (tmp_path / "done").touch()
        assert sys.stdout is pipe
        monkeypatch.undo()
    assert (tmp_path / "done").exists()


def test_what_is_read_is_what_was_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with (tmp_path / "out").open("w") as file:
        monkeypatch.setattr(sys, "stdout", file)
        with until_closed():
            print("one")
            assert not sys.stdout.isatty()
        monkeypatch.undo()
    assert (tmp_path / "out").read_text() == "one\n"
