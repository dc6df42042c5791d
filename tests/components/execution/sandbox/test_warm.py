"""What a confined step could do to the warm parent that it was forked from."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from litegate.execution.executors.forked import connected
from litegate.execution.step_run import BadStepInput
from litegate.settings import settings

TRY = """
import json
parents = Path({folder!r})
said = [str(parents.exists()), str(Path({home!r}).exists())]
for name in {names!r}:
    try:
        socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET).connect(str(parents / name))
        said.append("connected")
    except OSError as error:
        said.append(error.strerror)
raise RuntimeError("seen: " + json.dumps(said))
"""


def test_a_confined_step_does_not_find_the_parent(
    sampling: Callable[..., Any], warm_parents: Path, tmp_path: Path
) -> None:
    python = settings().pythons["tensorflow"]
    connection = connected(warm_parents, python)
    assert connection is not None, "from outside it is found"
    connection.close()
    names = [path.name for path in warm_parents.iterdir() if path.is_socket()]
    code = TRY.format(folder=str(warm_parents), home=str(tmp_path / "home" / "secrets"), names=names)
    with pytest.raises(BadStepInput, match='seen: \\["False", "False", "No such file or directory"'):
        sampling(code.strip()).run()
