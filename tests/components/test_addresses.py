from __future__ import annotations

import re

import pytest

from litegate.addresses import ADDRESS, scheme_of


@pytest.mark.parametrize(
    ("uri", "scheme"),
    [("s3://bucket/key", "s3"), ("gs://b/k", "gs"), ("/data/x", None), ("data/x", None), ("", None), ("a/b://c", None)],
)
def test_a_scheme_stands_before_the_slashes(uri: str, scheme: str | None) -> None:
    assert scheme_of(uri) == scheme


@pytest.mark.parametrize(
    ("uri", "good"),
    [
        ("s3://bucket/key", True),
        ("s3://bucket/", False),
        ("s3://bucket", False),
        ("s3:///key", False),
        ("gs://b/k", False),
    ],
)
def test_an_address_has_a_known_scheme_a_bucket_and_a_key(uri: str, good: bool) -> None:
    assert bool(re.match(ADDRESS, uri)) == good
