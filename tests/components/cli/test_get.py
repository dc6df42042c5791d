"""Fetching the file of a registered version, from a real MLflow server."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from mlflow import MlflowClient

from litegate.cli.main import main
from litegate.digest import digest_bytes, digest_file
from litegate.tracking import registry
from tests.registering import accept, new_name, register

pytestmark = pytest.mark.usefixtures("mlflow_url", "warm_mlflow_steps")

CONTENTS = {1: b"dynamic_range", 2: b"int8", 3: b"int8, better"}
VARIANTS = {1: "dynamic_range", 2: "int8", 3: "int8"}


@pytest.fixture(scope="module")
def toy(mlflow_url: str) -> str:
    """A model of three versions, two of them of one variant; the second is champion."""
    client, name = MlflowClient(), new_name()
    for number, content in CONTENTS.items():
        version = register(client, name, VARIANTS[number], content)
        client.set_model_version_tag(name, str(number), registry.SENTENCE, f"version {number} may ship")
        if number == 2:
            accept(client, name, version, "run-2", "2026-01-02T00:00:00+00:00")
    return name


@pytest.fixture
def get(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., int]:
    monkeypatch.chdir(tmp_path)
    return lambda *arguments: main(["get", *map(str, arguments)])


def left(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir() if path.name != "home")


def test_the_champion_is_fetched_and_said_what_it_is(get, toy, tmp_path, capsys):
    assert get(toy) == 0

    assert (tmp_path / "toy.tflite").read_bytes() == CONTENTS[2]
    said = capsys.readouterr().out
    assert said.startswith(f"{toy} version 2, champion: int8\n")
    assert f"file     {tmp_path / 'toy.tflite'}\n" in said
    assert "size     4 bytes\n" in said
    assert f"sha256   {digest_bytes(CONTENTS[2])}\n" in said
    assert "verdict  version 2 may ship\n" in said
    assert "/#/experiments/" in said
    assert left(tmp_path) == ["toy.tflite"]


@pytest.mark.parametrize(
    ("which", "number"), [(("--version", 1), 1), (("--variant", "int8"), 3), (("--alias", "champion"), 2)]
)
def test_a_version_is_named_by_its_number_its_variant_or_an_alias(get, toy, which, number, tmp_path, capsys):
    assert get(toy, *which, "-o", tmp_path / "new" / "folder", "--json") == 0

    found = json.loads(capsys.readouterr().out)
    path = tmp_path / "new" / "folder" / "toy.tflite"
    assert (found["version"], found["variant"]) == (number, VARIANTS[number])
    assert (found["path"], found["new"]) == (str(path), True)
    assert digest_file(path) == found["file"]["digest"] == digest_bytes(CONTENTS[number])


def test_a_file_that_is_there_already_is_left_alone_and_another_one_needs_force(get, toy, tmp_path, capsys):
    path = tmp_path / "toy.tflite"
    assert get(toy) == 0
    before = path.stat().st_ino
    assert get(toy) == 0
    assert "toy.tflite, which was there already\n" in capsys.readouterr().out
    assert path.stat().st_ino == before

    assert get(toy, "--version", 3) == 2
    assert "expected no file, or this one, got another one; --force replaces it" in capsys.readouterr().err
    assert path.read_bytes() == CONTENTS[2]
    assert get(toy, "--version", 3, "--force") == 0
    assert path.read_bytes() == CONTENTS[3]


@pytest.mark.parametrize(
    ("which", "said"),
    [
        (("--version", 9), "--version of {toy}: expected one of 1, 2, 3, got 9"),
        (("--variant", "float16"), "expected a variant that is registered: dynamic_range, int8, got 'float16'"),
        (("--alias", "best"), "expected an alias that a version has (champion), got 'best'"),
    ],
)
def test_a_version_that_is_not_there_is_the_users_mistake(get, toy, which, said, tmp_path, capsys):
    assert get(toy, *which) == 2

    assert said.format(toy=toy) in capsys.readouterr().err
    assert left(tmp_path) == []


def test_a_model_that_is_not_there_is_told_with_those_that_are(get, toy, capsys):
    assert get("nobody") == 2

    said = capsys.readouterr().err
    assert "MODEL: expected a registered model (" in said
    assert toy in said


def test_two_ways_to_name_a_version_are_refused(get, toy):
    with pytest.raises(SystemExit) as ended:
        get(toy, "--version", 1, "--variant", "int8")
    assert ended.value.code == 2


def test_bytes_that_were_not_judged_are_never_written(get, tmp_path, capsys, mlflow_url):
    client, name = MlflowClient(), new_name()
    accept(client, name, register(client, name, "int8"), "run-1", "2026-01-01T00:00:00+00:00")
    client.set_model_version_tag(name, "1", registry.DIGEST, digest_bytes(b"what was judged"))

    assert get(name) == 1
    said = f"{name} version 1: its file is damaged: expected {digest_bytes(b'what was judged')}"
    assert said in capsys.readouterr().err
    assert left(tmp_path) == []


def test_a_version_that_no_gate_has_judged_is_refused(get, tmp_path, capsys, mlflow_url):
    client, name = MlflowClient(), new_name()
    register(client, name, "int8")
    client.delete_model_version_tag(name, "1", registry.STATE)

    assert get(name, "--version", 1) == 2
    assert "expected a version that litegate has registered, got one without its tags" in capsys.readouterr().err
    assert left(tmp_path) == []


def test_an_outdated_address_ends_the_command_soon(get, capsys, monkeypatch: Any):
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "http://127.0.0.1:9")
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "1")

    assert get("toy") == 1
    assert "MLflow at http://127.0.0.1:9 does not answer" in capsys.readouterr().err
