"""Wildcards in addresses, local and on S3."""

from __future__ import annotations

from pathlib import Path

import pytest

from litegate.errors import DataError
from litegate.storage.globs import matches, split_glob
from litegate.storage.s3 import s3_client
from litegate.storage.user_objects import list_entries


@pytest.mark.parametrize(
    ("uri", "expected"),
    [
        ("s3://bucket/a/*.parquet", ("s3://bucket/a/", "*.parquet")),
        ("s3://bucket/a*/b/x.csv", ("s3://bucket/", "a*/b/x.csv")),
        ("/data/part-?.csv", ("/data/", "part-?.csv")),
        ("data/**/*.tfrecord", ("data/", "**/*.tfrecord")),
        ("*.csv", ("", "*.csv")),
        ("s3://bucket/a.csv", None),
        ("/data/[1]", None),
    ],
)
def test_an_address_is_parted_before_its_first_wildcard(uri: str, expected: tuple[str, str] | None) -> None:
    assert split_glob(uri) == expected


@pytest.mark.parametrize(
    ("pattern", "good", "bad"),
    [
        ("*.csv", ["a.csv", ".csv"], ["a.csv.gz", "b/a.csv", "acsv"]),
        ("part-?.csv", ["part-1.csv"], ["part-12.csv", "part-/.csv"]),
        ("**/*.csv", ["a.csv", "b/a.csv", "c/b/a.csv"], ["b/a.txt"]),
        ("a*/b.csv", ["a/b.csv", "ax/b.csv"], ["a/x/b.csv"]),
        ("[1]+*", ["[1]+", "[1]+x"], ["1"]),
    ],
)
def test_a_pattern_stands_for_whole_names(pattern: str, good: list[str], bad: list[str]) -> None:
    assert [name for name in good if not matches(name, pattern)] == []
    assert [name for name in bad if matches(name, pattern)] == []


NAMES = ["a.csv", "b.csv", "c.txt", "deep/d.csv"]


def test_local_files_and_s3_objects_are_listed_alike(tmp_path: Path, s3_bucket: str) -> None:
    for name in NAMES:
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(name)
        s3_client().put_object(Bucket=s3_bucket, Key=f"data/{name}", Body=name.encode())
    for base in (str(tmp_path), f"s3://{s3_bucket}/data"):
        assert [entry.name for entry in list_entries(f"{base}/*.csv", "x")] == ["a.csv", "b.csv"]
        assert [entry.name for entry in list_entries(f"{base}/**/*.csv", "x")] == ["a.csv", "b.csv", "deep/d.csv"]
        assert [entry.name for entry in list_entries(f"{base}/d*/?.csv", "x")] == ["deep/d.csv"]
        with pytest.raises(DataError, match="nothing at"):
            list_entries(f"{base}/*.parquet", "x")
