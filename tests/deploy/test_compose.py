"""The compose file is one by the Compose specification, keeps secrets in files, and listens on loopback alone."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import check_jsonschema
import jsonschema
import pytest
import yaml
from cryptography.fernet import Fernet

from litegate.storage.s3 import s3_client

FOLDER = Path(__file__).parents[2] / "deploy" / "compose"
COMPOSE = yaml.safe_load((FOLDER / "compose.yaml").read_text())
SERVICES: dict[str, dict[str, Any]] = COMPOSE["services"]
SCHEMA = Path(check_jsonschema.__file__).parent / "builtin_schemas" / "vendor" / "compose-spec.json"


def test_the_file_is_one_by_the_schema_of_compose() -> None:
    jsonschema.validate(COMPOSE, json.loads(SCHEMA.read_text()))


def test_every_port_is_open_on_loopback_alone() -> None:
    ports = [port for each in SERVICES.values() for port in each.get("ports", ())]
    assert ports
    assert [port for port in ports if not port.startswith("127.0.0.1:")] == []


def test_every_secret_is_a_file_that_the_script_makes(tmp_path: Path) -> None:
    subprocess.run(["sh", FOLDER / "secrets.sh", tmp_path], check=True, capture_output=True)
    made = {path.name for path in tmp_path.iterdir()}
    declared = {name: Path(each["file"]) for name, each in COMPOSE["secrets"].items()}
    used = {name for each in SERVICES.values() for name in each.get("secrets", ())}
    assert used == set(declared) == made
    assert {path.parent.as_posix() for path in declared.values()} == {"secrets"}
    assert "deploy/compose/secrets/" in (FOLDER.parents[1] / ".gitignore").read_text().splitlines()


def test_secrets_are_whole_stay_as_they_are_and_are_nobody_elses(tmp_path: Path) -> None:
    first, second = [_made(tmp_path) for _ in range(2)]
    assert first == second
    assert tmp_path.stat().st_mode & 0o077 == 0
    assert Fernet(first["fernet_key"]).encrypt(b"text")
    assert first["airflow_password"] in first["airflow_database"]
    assert first["s3_secret_key"] in first["s3_credentials"]
    assert list(json.loads(first["airflow_users"])) == ["admin"]
    assert len({*first.values()}) == len(first)


def test_no_variable_holds_a_secret() -> None:
    told = re.compile(r"(?i)password|secret|token|_key$|sql_alchemy")
    for each in SERVICES.values():
        for name, value in each.get("environment", {}).items():
            if told.search(name):
                assert "/run/secrets/" in value or name.endswith("_PASSWORDS_FILE"), name


def test_what_litegate_builds_has_no_rights_to_lose() -> None:
    ours = {name: each for name, each in SERVICES.items() if each["image"].startswith("litegate-")}
    assert len(ours) == 6
    for name, each in ours.items():
        assert (name, each["cap_drop"], each["security_opt"]) == (name, ["ALL"], ["no-new-privileges:true"])


def test_services_wait_for_services_that_there_are_and_that_say_when_they_answer() -> None:
    for each in SERVICES.values():
        for name, how in each.get("depends_on", {}).items():
            assert how["condition"] != "service_healthy" or "healthcheck" in SERVICES[name]


def test_the_bucket_is_made_once(s3_bucket: str) -> None:
    for _ in range(2):
        subprocess.run([sys.executable, FOLDER / "bucket.py", f"{s3_bucket}-made"], check=True, timeout=60)
    assert f"{s3_bucket}-made" in [each["Name"] for each in s3_client().list_buckets()["Buckets"]]


@pytest.mark.parametrize("script", ["secrets.sh", "databases.sh"])
def test_scripts_are_shell(script: str) -> None:
    subprocess.run(["sh", "-n", FOLDER / script], check=True)


def _made(folder: Path) -> dict[str, str]:
    subprocess.run(["sh", FOLDER / "secrets.sh", folder], check=True, capture_output=True)
    return {path.name: path.read_text() for path in sorted(folder.iterdir())}
