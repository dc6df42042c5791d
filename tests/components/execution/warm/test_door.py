"""A parent is found only where it answers, for who finds one that does not starts another."""

from __future__ import annotations

import socket
from pathlib import Path

import pytest

from litegate.execution.warm.door import Door, connected, forget, is_there

PYTHON = Path("/an/interpreter")


def test_a_door_has_its_name_only_when_it_answers(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    found_before = []
    listen = socket.socket.listen

    def watched(listener: socket.socket, queue: int) -> None:
        found_before.append(is_there(tmp_path, PYTHON))
        listen(listener, queue)

    monkeypatch.setattr(socket.socket, "listen", watched)
    door = Door(tmp_path, PYTHON)
    connection = connected(tmp_path, PYTHON)
    assert found_before == [False]
    assert connection is not None
    connection.close()
    door.close()
    assert list(tmp_path.iterdir()) == []


def test_what_a_parent_left_that_died_at_its_door_is_no_hindrance(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def dies(listener: socket.socket, queue: int) -> None:
        listener.close()
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(socket.socket, "listen", dies)
        with pytest.raises(KeyboardInterrupt):
            Door(tmp_path, PYTHON)
    assert connected(tmp_path, PYTHON) is None
    Door(tmp_path, PYTHON).close()
    Door(tmp_path, PYTHON).listener.close()
    forget(tmp_path, PYTHON)
    assert list(tmp_path.iterdir()) == []
