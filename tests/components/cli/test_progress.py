"""Bars and colours on a terminal, plain lines elsewhere."""

from __future__ import annotations

import logging
import os
import pty
import subprocess
import sys
from typing import Any

from litegate.cli.progress import Progress, showing_log

SHOW = """
from litegate.cli.progress import Progress
with Progress("evaluating") as progress:
    progress.now("int8", 3, 8)
    progress.note("done", "green")
"""


def test_lines_alone_where_there_is_no_terminal() -> None:
    done = subprocess.run([sys.executable, "-c", SHOW], capture_output=True, text=True, check=True)
    assert done.stdout == ""
    title, note = done.stderr.splitlines()
    assert title.endswith(" s  evaluating")
    assert note.endswith(" s  done")
    assert "\x1b" not in done.stderr


def test_a_bar_and_colours_on_a_terminal() -> None:
    ours, theirs = pty.openpty()
    environment = os.environ | {"TERM": "xterm-256color", "COLUMNS": "100"}
    environment.pop("NO_COLOR", None)
    process = subprocess.Popen([sys.executable, "-c", SHOW], stderr=theirs, env=environment)
    os.close(theirs)
    said = b""
    try:
        while more := os.read(ours, 4096):
            said += more
    except OSError:  # Linux says so at the end of a terminal
        pass
    os.close(ours)
    assert process.wait(30) == 0
    text = said.decode()
    assert "\x1b[32mdone" in text
    assert "3/8" in text
    assert "━" in text


def test_what_steps_say_is_shown_while_they_run(capsys: Any) -> None:
    log = logging.getLogger("litegate")
    with Progress("converting") as progress, showing_log(progress):
        log.info("convert: loading")
    log.info("not shown")
    said = capsys.readouterr().err
    assert "convert: loading" in said
    assert "not shown" not in said
