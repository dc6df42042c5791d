"""What the protocol says of every storage, asked of each: a local folder, and a real S3 protocol server."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from litegate.storage import local, s3
from litegate.storage.multipart import LARGE
from litegate.storage.opening import open_storage
from litegate.storage.protocol import PAGE, Content, Refused, Storage, Stored

MIB = 1 << 20


@pytest.fixture
def storage(root: str) -> Storage:
    return open_storage(root)


@pytest.fixture(params=["bytes", "file"])
def content(request: pytest.FixtureRequest, tmp_path: Path) -> Callable[[bytes], Content]:
    """Content as bytes, and as a local file that holds them."""

    def of(data: bytes) -> Content:
        path = tmp_path / "content"
        path.write_bytes(data)
        return path if request.param == "file" else data

    return of


def read(storage: Storage, name: str, version: str | None = None) -> bytes:
    return b"".join(storage.read(name, version))


def listed(storage: Storage, prefix: str = "", *, deep: bool = True) -> list[Stored]:
    return sorted((each for page in storage.pages(prefix, deep=deep) for each in page), key=lambda each: each.name)


def names(storage: Storage, prefix: str = "", *, deep: bool = True) -> list[str]:
    return [each.name for each in listed(storage, prefix, deep=deep)]


def test_a_part_is_read_of_the_version_that_it_must_be(storage: Storage) -> None:
    storage.put("a.bin", b"0123456789")
    found = storage.find("a.bin")
    assert found is not None
    assert storage.read_span("a.bin", found.version, 3, 4) == b"3456"
    assert storage.read_span("a.bin", found.version, 9, 1) == b"9"
    with ThreadPoolExecutor() as threads:
        assert storage.ask_span("a.bin", found.version, 3, 4, threads).result() == b"3456"
        with pytest.raises(Refused):
            storage.ask_span("a.bin", "another", 3, 4, threads).result()
    for start, size in ((8, 3), (10, 1)):
        with pytest.raises(Refused):
            storage.read_span("a.bin", found.version, start, size)
    storage.put("a.bin", b"another and longer one")
    with pytest.raises(Refused):
        storage.read_span("a.bin", found.version, 3, 4)
    with pytest.raises(FileNotFoundError):
        storage.read_span("none.bin", found.version, 3, 4)


def test_what_was_written_is_read_found_and_listed(storage: Storage, content: Callable[[bytes], Content]) -> None:
    before = time.time()
    storage.put("a/b.bin", content(b"bytes"))
    found = storage.find("a/b.bin")
    assert found is not None
    assert (found.name, found.size) == ("a/b.bin", 5)
    assert before - 2 < found.modified < time.time() + 2
    assert listed(storage) == [found]
    assert read(storage, "a/b.bin") == read(storage, "a/b.bin", found.version) == b"bytes"


def test_an_object_may_be_empty(storage: Storage, content: Callable[[bytes], Content]) -> None:
    storage.put("empty", content(b""))
    assert storage.put_if_absent("also", content(b""))
    assert [(each.name, each.size) for each in listed(storage)] == [("also", 0), ("empty", 0)]
    assert read(storage, "empty") == b""


@pytest.mark.parametrize("name", ["a b", "ä/ö.npz", "x#y?z", "1+1=2&3", "%41", "a.b-c_d~e", "deep/er/and/er", ".tmp-x"])
def test_names_are_taken_as_they_are(storage: Storage, name: str) -> None:
    storage.put(name, b"1")
    assert names(storage) == [name]
    assert read(storage, name) == b"1"
    assert storage.touch(name)
    storage.delete([name])
    assert names(storage) == []


def test_an_object_is_the_root_of_a_storage_of_its_own(storage: Storage) -> None:
    storage.put("folder/a", b"1")
    single = open_storage(storage.uri("folder/a"))
    found = single.find("")
    assert found is not None
    assert (found.name, found.size) == ("", 1)
    assert read(single, "", found.version) == b"1"
    single.put("", b"22")
    assert read(storage, "folder/a") == b"22"
    assert not single.put_if_absent("", b"3")
    assert single.touch("")
    assert open_storage(storage.uri("folder")).find("") is None, "a folder is no object"
    single.delete([""])
    assert storage.find("folder/a") is None


def test_an_object_with_a_path_lies_there(storage: Storage) -> None:
    storage.put("a", b"1")
    path = storage.path("a")
    assert (path is not None) == (storage.kind == "local")
    assert path is None or path.read_bytes() == b"1"


def test_what_is_not_there_is_said_to_be_missing(storage: Storage) -> None:
    storage.put("folder/a", b"1")
    for name in ("folder", "folder/b", "fold", "folder/a/b", "nothing"):
        assert storage.find(name) is None
    with pytest.raises(FileNotFoundError):
        read(storage, "nothing")
    assert not storage.touch("nothing")
    assert storage.find("nothing") is None
    storage.delete(["nothing"])


def test_a_root_that_is_not_there_holds_nothing(storage: Storage) -> None:
    assert (names(storage), names(storage, "a/b"), list(storage.children())) == ([], [], [])


def test_writing_again_replaces_an_object_and_changes_its_version(
    storage: Storage, content: Callable[[bytes], Content]
) -> None:
    storage.put("a", content(b"before"))
    first = storage.find("a")
    storage.put("a", content(b"after it"))
    second = storage.find("a")
    assert first is not None
    assert second is not None
    assert first.version != second.version
    assert read(storage, "a", second.version) == b"after it"
    with pytest.raises(Refused):
        read(storage, "a", first.version)


def test_a_reader_sees_one_content_or_the_other(storage: Storage, tmp_path: Path) -> None:
    contents = [bytes([digit]) * 300_000 for digit in b"ab"]
    storage.put("a", contents[0])
    done = threading.Event()

    def write() -> None:
        for number in range(30):
            storage.put("a", contents[number % 2])
        done.set()

    with ThreadPoolExecutor(1) as pool:
        writing = pool.submit(write)
        seen = {read(storage, "a")}
        while not done.is_set():
            seen.add(read(storage, "a"))
        writing.result()
    assert seen <= set(contents)


def test_the_first_writer_wins(storage: Storage, content: Callable[[bytes], Content]) -> None:
    assert storage.put_if_absent("a/b", content(b"first"))
    assert not storage.put_if_absent("a/b", content(b"second"))
    assert read(storage, "a/b") == b"first"
    storage.delete(["a/b"])
    assert storage.put_if_absent("a/b", content(b"third"))


def test_of_many_who_write_at_once_one_is_the_first(storage: Storage, tmp_path: Path) -> None:
    for number in range(8):
        (tmp_path / str(number)).write_bytes(str(number).encode() * 1000)
    for turn in range(10):
        together = threading.Barrier(8)

        def write(number: int, name: str = f"race/{turn}", together: threading.Barrier = together) -> bool:
            path = tmp_path / str(number)
            together.wait()
            return storage.put_if_absent(name, path if number % 2 else path.read_bytes())

        with ThreadPoolExecutor(8) as pool:
            first = list(pool.map(write, range(8)))
        assert first.count(True) == 1
        assert read(storage, f"race/{turn}") == str(first.index(True)).encode() * 1000
    assert len(names(storage)) == 10


def test_a_write_that_fails_leaves_nothing(storage: Storage, tmp_path: Path) -> None:
    for write in (storage.put, storage.put_if_absent):
        with pytest.raises(FileNotFoundError):
            write("a", tmp_path / "nothing")
    assert names(storage) == []


def test_objects_are_listed_page_by_page_and_may_be_deleted_meanwhile(
    storage: Storage, monkeypatch: pytest.MonkeyPatch
) -> None:
    page_size = 50  # in place of 1,000
    for kind in (local, s3):
        monkeypatch.setattr(kind, "PAGE", page_size)
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda number: storage.put(f"many/{number:04}", b"x"), range(page_size + 3)))
    storage.put("other", b"x")
    sizes = []
    for page in storage.pages("many/"):
        sizes.append(len(page))
        storage.delete([each.name for each in page])
    assert sorted(sizes) == [3, page_size]
    assert names(storage) == ["other"]


def test_more_than_a_page_is_deleted_at_once(storage: Storage) -> None:
    for name in ("0000", f"{PAGE + 2:04}", "other"):
        storage.put(name, b"x")
    storage.delete([f"{number:04}" for number in range(PAGE + 3)])
    assert names(storage) == ["other"]
    storage.delete([])


TREE = ["a", "ab", "b/a", "b/ab", "b/c/a", "bc/a"]


@pytest.mark.parametrize(
    ("prefix", "deep", "shallow"),
    [
        ("", TREE, ["a", "ab"]),
        ("a", ["a", "ab"], ["a", "ab"]),
        ("b", ["b/a", "b/ab", "b/c/a", "bc/a"], []),
        ("b/", ["b/a", "b/ab", "b/c/a"], ["b/a", "b/ab"]),
        ("b/a", ["b/a", "b/ab"], ["b/a", "b/ab"]),
        ("b/c/", ["b/c/a"], ["b/c/a"]),
        ("c", [], []),
        ("c/d/", [], []),
    ],
)
def test_a_listing_is_of_names_that_begin_with_a_prefix(
    storage: Storage, prefix: str, deep: list[str], shallow: list[str]
) -> None:
    for name in TREE:
        storage.put(name, b"x")
    assert names(storage, prefix) == deep
    assert names(storage, prefix, deep=False) == shallow


def test_children_are_objects_and_folders(storage: Storage) -> None:
    for name in TREE:
        storage.put(name, b"x")
    assert list(storage.children()) == ["a", "ab", "b", "bc"]
    assert list(open_storage(storage.uri("b")).children()) == ["a", "ab", "c"]
    assert names(open_storage(storage.uri("b"))) == ["a", "ab", "c/a"], "and names are relative to the root"


def test_a_use_is_noted_once_a_day(storage: Storage, monkeypatch: pytest.MonkeyPatch) -> None:
    storage.put("a", b"bytes")
    first = storage.find("a")
    assert storage.touch("a")
    assert storage.find("a") == first
    time.sleep(1.1)  # S3 counts in seconds
    now = time.time()
    monkeypatch.setattr("litegate.storage.use.time.time", lambda: now + 86_400)
    assert storage.touch("a")
    second = storage.find("a")
    assert first is not None
    assert second is not None
    assert second.modified > first.modified
    assert (second.size, read(storage, "a")) == (5, b"bytes")


STREAMS = """
import re, sys
from pathlib import Path
from litegate.storage.opening import open_storage
from litegate.storage.workspace import Workspace

def peak():
    return int(re.search(r"VmHWM:\\s+(\\d+) kB", Path("/proc/self/status").read_text())[1]) << 10

def use(storage, workspace, path, name):
    storage.put(name, path)
    workspace.fetch(workspace.keep_file(path, name))

root, folder = sys.argv[1], Path(sys.argv[2])
storage, workspace = open_storage(root), Workspace(root + "/workspace", folder / "cache")
(folder / "small").write_bytes(b"x" * (1 << 20))
use(storage, workspace, folder / "small", "small")
before = peak()
use(storage, workspace, folder / "large", "large")
print(peak() - before)
"""


def test_large_files_are_streamed(root: str, tmp_path: Path) -> None:
    """What a process has in memory does not grow with the size of a file, whatever it does with it."""
    (tmp_path / "large").write_bytes(b"")
    os.truncate(tmp_path / "large", LARGE * 3 // 2)
    command = [sys.executable, "-c", STREAMS, root, str(tmp_path)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert int(done.stdout) < LARGE
