from __future__ import annotations

from pathlib import Path

import pytest

from litegate.stack.environment import client_environment, server_environment
from litegate.stack.home import Home, Secrets
from litegate.stack.servers import servers
from litegate.stack.state import Stack


@pytest.fixture
def home(tmp_path: Path) -> Home:
    home = Home(tmp_path)
    home.prepare()
    return home


def test_the_servers_do_not_inherit_settings_of_another_airflow_mlflow_or_s3(home):
    base = {
        "AIRFLOW_HOME": "/other",
        "AIRFLOW__CORE__EXECUTOR": "Other",
        "AWS_PROFILE": "other",
        "MLFLOW_TRACKING_URI": "http://other",
    }
    stack = Stack.plan(home, base)
    environment = server_environment(home, stack, Secrets.of(home), base)

    assert environment["AIRFLOW_HOME"] == str(home.root / "airflow")
    assert environment["AIRFLOW__CORE__EXECUTOR"] == "LocalExecutor"
    assert environment["MLFLOW_TRACKING_URI"] == stack.mlflow_url
    assert environment["AWS_ENDPOINT_URL_S3"] == stack.s3_url
    assert "AWS_PROFILE" not in environment


def test_they_send_metrics_and_traces_where_the_user_says(home):
    base = {"AIRFLOW__METRICS__OTEL_ON": "True", "AIRFLOW__TRACES__OTEL_ON": "True", "OTEL_SERVICE_NAME": "mine"}
    assert base.items() <= server_environment(home, Stack.plan(home, base), Secrets.of(home), base).items()


def test_the_users_s3_server_is_reached_with_the_users_credentials(home):
    base = {"AWS_ENDPOINT_URL_S3": "https://s3.example", "AWS_PROFILE": "mine", "AWS_ACCESS_KEY_ID": "key"}
    stack = Stack.plan(home, base)
    environment = server_environment(home, stack, Secrets.of(home), base)

    assert base.items() <= environment.items()
    assert "s3" not in servers(home, stack)
    assert client_environment(home, stack) == {"MLFLOW_TRACKING_URI": stack.mlflow_url}


def test_a_tensorflow_python_is_handed_on_only_if_the_user_named_one(home):
    stack, secrets = Stack.plan(home, {}), Secrets.of(home)
    named = server_environment(home, stack, secrets, {"LITEGATE_TENSORFLOW_PYTHON": "x/python"})

    assert named["LITEGATE_TENSORFLOW_PYTHON"] == str(Path("x/python").absolute())
    assert "LITEGATE_TENSORFLOW_PYTHON" not in server_environment(home, stack, secrets, {})


def test_no_secret_is_an_argument_of_a_server(home):
    secrets = Secrets.of(home)
    arguments = " ".join(part for server in servers(home, Stack.plan(home, {})).values() for part in server.command)

    for secret in (secrets.jwt, secrets.api, secrets.fernet, secrets.password, secrets.s3_secret):
        assert secret not in arguments
