"""A model by its address: the newest version, on a local folder and on a real S3 protocol server."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from litegate.errors import DataError
from litegate.storage.opening import local_path
from litegate.storage.s3 import s3_client
from litegate.storage.user_objects import list_entries, put
from litegate.storage.versions import find_model, model_files, version_uri


def write(root: str, name: str, text: str, tmp_path: Path, modified: int | None = None) -> None:
    path = tmp_path / ".written"
    path.write_text(text)
    put(path, f"{root}/{name}")
    if modified is not None:
        os.utime(f"{root}/{name}", (modified, modified))


def test_without_a_wildcard_the_address_is_the_model(root: str, tmp_path: Path) -> None:
    write(root, "models/a.keras", "a", tmp_path)
    found = model_files(f"{root}/models/a.keras", "model.uri")
    assert (found.uri, [entry.name for entry in found.entries]) == (f"{root}/models/a.keras", ["a.keras"])
    write(root, "models/b.keras", "b", tmp_path)
    assert len(model_files(f"{root}/models/", "model.uri").entries) == 2


def test_the_newest_match_is_the_model(root: str, tmp_path: Path) -> None:
    for name in ("b.keras", "a.keras", "c.h5", "old/d.keras"):
        write(root, f"models/{name}", name, tmp_path)
    names = {"a.keras", "b.keras"}  # an S3 server may give both the same time, and then the name decides
    found = model_files(f"{root}/models/*.keras", "model.uri")
    assert found.entries[0].name in names
    assert found.uri == found.entries[0].uri


def test_the_time_decides_and_then_the_name(tmp_path: Path) -> None:
    for name, modified in (("a", 5), ("b", 9), ("c", 9), ("d", 1)):
        write(str(tmp_path), f"{name}.keras", name, tmp_path, modified)
    found = model_files(f"{tmp_path}/*.keras", "model.uri")
    assert (found.uri, found.modified) == (f"{tmp_path}/c.keras", 9)


def test_a_saved_model_is_the_folder_of_the_file_that_says_so(root: str, tmp_path: Path) -> None:
    for name in ("1/variables/variables.index", "1/saved_model.pb", "2/variables/variables.index"):
        write(root, f"models/{name}", name, tmp_path)
    found = model_files(f"{root}/models/*/saved_model.pb", "model.uri")
    assert found.uri == f"{root}/models/1"
    assert [entry.name for entry in found.entries] == ["saved_model.pb", "variables/variables.index"]


def test_another_object_is_another_model_even_with_the_same_bytes(root: str, tmp_path: Path) -> None:
    def identity() -> str:
        return model_files(f"{root}/models/*.keras", "model.uri").identity

    write(root, "models/1.keras", "same", tmp_path)
    first = identity()
    assert identity() == first
    write(root, "models/2.keras", "same", tmp_path)
    if local_path(root) is not None:
        os.utime(f"{root}/models/1.keras", (1, 1))
    assert identity() != first


def test_nothing_is_none_or_bad_input_that_names_the_key(root: str, tmp_path: Path) -> None:
    assert find_model(f"{root}/models/*.keras", "model.uri") is None
    with pytest.raises(DataError, match=r"model\.uri: expected an existing file.*, got nothing at .*keras"):
        model_files(f"{root}/models/*.keras", "model.uri")


def test_a_server_that_refuses_is_not_taken_for_nothing(s3_bucket: str) -> None:
    with pytest.raises(DataError, match="NoSuchBucket"):
        find_model("s3://no-such-bucket/*.keras", "model.uri")


def test_only_what_can_match_is_listed(s3_bucket: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("litegate.storage.s3.PAGE", 10)
    for number in range(13):
        s3_client().put_object(Bucket=s3_bucket, Key=f"models/m-{number:04}.keras", Body=b"x")
    for name in ("models/other.keras", "models/archive/m-9999.keras", "models/m-0/x.keras"):
        s3_client().put_object(Bucket=s3_bucket, Key=name, Body=b"x")
    asked: list[dict[str, str]] = []
    seen: list[str] = []

    def keep(params: dict[str, str], **_: object) -> None:
        asked.append(dict(params))

    def see(parsed: dict[str, list[dict[str, str]]], **_: object) -> None:
        seen.extend(item["Key"] for item in parsed.get("Contents", ()))

    events = s3_client().meta.events
    events.register("provide-client-params.s3.ListObjectsV2", keep)
    events.register("after-call.s3.ListObjectsV2", see)
    entries = list_entries(f"s3://{s3_bucket}/models/m-*.keras", "model.uri")
    assert (len(entries), len(seen), len(asked)) == (13, 13, 2)
    assert {(call["Prefix"], call["Delimiter"]) for call in asked} == {("models/m-", "/")}


def test_a_version_has_a_name_of_its_own_that_sorts_by_time() -> None:
    assert version_uri("s3://b/m.keras", "d" * 64) == "s3://b/m.keras"
    first, second = (version_uri("s3://b/*/saved_model.pb", digit * 64) for digit in "ab")
    assert first < second
    assert first.endswith("Z-aaaaaaaaaaaa/saved_model.pb")
