"""What holds for local folders alone."""

from __future__ import annotations

from pathlib import Path

import pytest

from litegate.storage.local import LocalStorage


@pytest.mark.parametrize("name", ["../a", "a/../../b", "/etc/passwd", ".."])
def test_a_name_that_leaves_the_root_is_refused(tmp_path: Path, name: str) -> None:
    storage = LocalStorage(str(tmp_path / "root"))
    for act in (
        lambda: storage.find(name),
        lambda: storage.touch(name),
        lambda: storage.put(name, b""),
        lambda: storage.put_if_absent(name, b""),
        lambda: storage.delete([name]),
        lambda: list(storage.read(name)),
    ):
        with pytest.raises(ValueError, match="is not a name below"):
            act()
    assert list(tmp_path.iterdir()) == []


def test_links_to_files_are_followed_and_links_to_folders_are_not(tmp_path: Path) -> None:
    (tmp_path / "real").mkdir()
    (tmp_path / "real" / "a").write_bytes(b"12345")
    root = tmp_path / "root"
    root.mkdir()
    (root / "link").symlink_to(tmp_path / "real" / "a")
    (root / "folder").symlink_to(tmp_path / "real")
    (root / "dangling").symlink_to(tmp_path / "nothing")
    (root / "circle").symlink_to(root / "circle")
    storage = LocalStorage(str(root))
    assert [(each.name, each.size) for page in storage.pages() for each in page] == [("link", 5)]
    for name in ("dangling", "circle", "folder"):
        assert storage.find(name) is None


def test_a_relative_root_gives_relative_addresses(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "a").write_bytes(b"1")
    monkeypatch.chdir(tmp_path)
    for root in ("", "."):
        storage = LocalStorage(root)
        assert [storage.uri(each.name) for page in storage.pages() for each in page] == ["a"]
    assert LocalStorage("a").uri("") == "a"
