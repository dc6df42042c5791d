"""A process notices that what it has loaded was changed on the disk."""

from __future__ import annotations

from pathlib import Path

from litegate.execution.warm.loaded import Loaded


def test_what_has_changed_is_named(tmp_path: Path) -> None:
    source, packages = tmp_path / "source", tmp_path / "lib/python3.11/site-packages"
    source.mkdir()
    (source / "a.py").write_text("first\n")
    (packages / "tensorflow-2.21.0.dist-info").mkdir(parents=True)
    python = tmp_path / "bin" / "python"
    loaded = Loaded(python, source)
    assert loaded.changed() is None
    (packages / "tensorflow-2.21.0.dist-info").rename(packages / "tensorflow-2.22.0.dist-info")
    assert loaded.changed() == "what is installed has changed since it was started"
    loaded = Loaded(python, source)
    (source / "b.py").write_text("second\n")
    assert loaded.changed() == "litegate's source has changed since it was started"
