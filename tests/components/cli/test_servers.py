from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path

import pytest

from litegate.cli.main import main
from litegate.stack import Home, Stack
from litegate.stack.home import Secrets
from litegate.stack.processes import birth_of

_AWS = ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN", "AWS_PROFILE")
_OTHERS = {"AWS_ACCESS_KEY_ID": "AKIAMINE", "AWS_SECRET_ACCESS_KEY": "mine", "AWS_SESSION_TOKEN": "token"}


@pytest.fixture
def key(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """The access key of a home whose servers this process stands for."""
    for name in (*_AWS, "AWS_ENDPOINT_URL", "AWS_ENDPOINT_URL_S3"):
        monkeypatch.delenv(name, raising=False)
    home, me = Home(tmp_path / "home"), os.getpid()
    home.prepare()
    Stack.plan(home, {}).model_copy(update={"phase": "ready", "pid": me, "birth": birth_of(me)}).write(home)
    return Secrets.of(home).s3_key


def evaluated(lines: str) -> dict[str, str]:
    """The variables of a shell that has evaluated what the command printed, in the environment of this process."""
    command = ["bash", "-c", f"{lines}\nenv -0"]
    found = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    return dict(pair.split("=", 1) for pair in found.split("\0") if "=" in pair)


def test_env_exports_what_clients_need_and_has_them_give_up_at_once(key, capsys):
    assert main(["env"]) == 0

    shell = evaluated(capsys.readouterr().out)
    assert shell["AWS_ACCESS_KEY_ID"] == key
    assert shell["AWS_ENDPOINT_URL_S3"] == shell["LITEGATE_EMBEDDED_S3"] == "http://127.0.0.1:9000"
    assert shell["MLFLOW_TRACKING_URI"] == "http://127.0.0.1:5000"
    assert shell["MLFLOW_HTTP_REQUEST_MAX_RETRIES"] == "1"


def test_env_says_that_it_leaves_the_keys_of_another_s3_server_alone(key, capsys, monkeypatch):
    for name, value in _OTHERS.items():
        monkeypatch.setenv(name, value)

    assert main(["env"]) == 0

    printed = capsys.readouterr()
    assert "this shell has AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY, AWS_SESSION_TOKEN" in printed.err
    assert "`litegate env --replace-aws`" in printed.err
    shell = evaluated(printed.out)
    assert _OTHERS.items() <= shell.items()
    assert "AWS_ENDPOINT_URL_S3" not in shell
    assert shell["MLFLOW_TRACKING_URI"] == "http://127.0.0.1:5000"


def test_env_replaces_the_keys_of_another_s3_server_where_it_is_told_to(key, capsys, monkeypatch):
    for name, value in _OTHERS.items():
        monkeypatch.setenv(name, value)

    assert main(["env", "--replace-aws"]) == 0

    printed = capsys.readouterr()
    assert printed.err == ""
    shell = evaluated(printed.out)
    assert shell["AWS_ACCESS_KEY_ID"] == key
    assert "AWS_SESSION_TOKEN" not in shell


def test_env_replaces_what_it_has_exported_before(key, capsys, monkeypatch):
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "LITEGATEANOTHERHOME")
    monkeypatch.setenv("AWS_ENDPOINT_URL_S3", "http://127.0.0.1:1")

    assert main(["env"]) == 0

    assert evaluated(capsys.readouterr().out)["AWS_ACCESS_KEY_ID"] == key


def test_the_json_of_env_has_everything_whatever_the_shell_has(key, capsys, monkeypatch):
    monkeypatch.setenv("AWS_PROFILE", "mine")

    assert main(["env", "--json"]) == 0

    assert json.loads(capsys.readouterr().out)["AWS_ACCESS_KEY_ID"] == key


def test_a_port_must_be_one(capsys):
    with pytest.raises(SystemExit) as ended:
        main(["start", "--airflow-port", "70000"])

    assert ended.value.code == 2
    assert "expected a port from 1 to 65535, got '70000'" in capsys.readouterr().err
