"""Digests that anybody can compute with the tools of the system."""

from __future__ import annotations

import subprocess
from pathlib import Path

from litegate.digest import digest_file, digest_tree

DOCUMENTED = "find . -type f -printf '%P\\0' | LC_ALL=C sort -z | xargs -0 sha256sum | sha256sum"
PAGE = Path(__file__).parents[2] / "docs" / "retrain.md"


def test_the_digest_of_a_folder_is_that_of_the_documented_command(tmp_path: Path) -> None:
    for name in ("saved_model.pb", "variables/variables.index", "variables.txt", "é", "a\\b", "c\nd", "e\rf"):
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(name)
    files = [path for path in tmp_path.rglob("*") if path.is_file()]
    ours = digest_tree((path.relative_to(tmp_path).as_posix(), digest_file(path)) for path in files)
    assert DOCUMENTED in PAGE.read_text()
    theirs = subprocess.run(["sh", "-c", DOCUMENTED], cwd=tmp_path, capture_output=True, text=True, check=True)
    assert theirs.stdout.split()[0] == ours
