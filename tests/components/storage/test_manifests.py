from __future__ import annotations

import os
from pathlib import Path

from litegate.storage.manifests import manifest_digest
from litegate.storage.user_objects import list_entries


def test_a_manifest_digest_follows_the_content_and_not_the_folder(tmp_path: Path) -> None:
    def digest(folder: str, text: str) -> str:
        path = tmp_path / folder / "x.txt"
        path.parent.mkdir(exist_ok=True)
        path.write_text(text)
        os.utime(path, ns=(1, 1))
        return manifest_digest(list_entries(str(path.parent), "x"))

    assert digest("a", "same") == digest("b", "same")
    assert digest("a", "same") != digest("c", "more of it")
