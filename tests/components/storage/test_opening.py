from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from litegate.addresses import FORMS
from litegate.errors import BadInput
from litegate.storage.opening import STORAGES, local_path, open_storage


def test_the_scheme_of_an_address_decides() -> None:
    assert open_storage("/data/x").kind == open_storage("data/x").kind == open_storage("").kind == "local"
    assert open_storage("s3://bucket/x").kind == "s3"


def test_an_unknown_scheme_is_bad_input_that_says_what_there_is() -> None:
    with pytest.raises(BadInput, match=r"gs://b/x: expected a local path, or s3://bucket/key, got gs://"):
        open_storage("gs://b/x")


def test_a_nul_is_bad_input() -> None:
    with pytest.raises(BadInput, match=r"'a\\x00b': expected an address without NUL"):
        open_storage("a\0b")


def test_specs_may_name_what_there_is_storage_for() -> None:
    assert {None, *FORMS} == set(STORAGES)
    assert all(open_storage(form).kind == scheme for scheme, form in FORMS.items())


def test_what_lies_on_this_host_has_a_path() -> None:
    assert local_path("/data/x.npz") == Path("/data/x.npz")
    assert local_path("data/") == Path("data")
    assert local_path("s3://bucket/x.npz") is None


def test_nothing_is_loaded_for_s3_before_it_is_used() -> None:
    """boto3 takes half a second, and most commands have no use for it."""
    opens = "from litegate.storage.opening import open_storage; open_storage('s3://bucket/key')"
    code = f"import sys; {opens}; print('boto3' in sys.modules)"
    assert subprocess.check_output([sys.executable, "-c", code], text=True) == "False\n"
