"""Names of models."""

from __future__ import annotations

from pathlib import Path

import pytest

from litegate.first_spec.looking import name_of, own_name_of


@pytest.mark.parametrize(
    ("model", "name"),
    [
        ("cats.keras", "cats"),
        ("s3://bucket/cats/model.keras", "cats"),
        ("s3://bucket/cats/saved_model/", "cats"),
        ("s3://bucket/model.keras", "bucket"),
        ("/models/my cats/Model.h5", "my-cats"),
        ("/model.keras", "model"),
    ],
)
def test_a_model_that_is_called_nothing_but_a_model_has_the_name_of_its_folder(model: str, name: str) -> None:
    assert own_name_of(model) == name


def test_a_relative_path_is_seen_from_here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "dogs").mkdir()
    monkeypatch.chdir(tmp_path / "dogs")
    assert (own_name_of("model.keras"), name_of("model.keras")) == ("dogs", "model")
