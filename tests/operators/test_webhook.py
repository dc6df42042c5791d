"""The web hook's notifier against a real server: what it posts, and that it neither fails nor gives secrets away."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest

from litegate.records import Notice
from litegate_airflow.webhook import WebhookNotifier
from tests.receivers import Received, web_hook

SECRET = "T0000/B0000/s3cret-part"
NOTICE = Notice(
    event="promoted", model="m", sentence="m version 1 is champion", version=1, links={"airflow": "http://a"}
)


@pytest.fixture
def hook() -> Iterator[Received]:
    with web_hook() as received:
        yield received


@pytest.fixture
def connection(hook: Received, monkeypatch: pytest.MonkeyPatch) -> Any:
    def connect(**changes: Any) -> None:
        host = {"conn_type": "http", "host": f"http://127.0.0.1:{hook.port}/services/", "password": SECRET}
        monkeypatch.setenv("AIRFLOW_CONN_CHAT", json.dumps(host | changes))

    connect()
    return connect


def test_the_notice_and_a_text_are_posted_to_the_secret_address(hook: Received, connection: Any) -> None:
    WebhookNotifier("chat")({"notice": NOTICE})
    assert hook.paths == [f"/services/{SECRET}"]
    assert hook.bodies == [{"text": "m: m version 1 is champion"} | NOTICE.to_json()]


def test_the_text_is_a_template(hook: Received, connection: Any) -> None:
    WebhookNotifier("chat", text="{{ notice.event | upper }} {{ notice.links.airflow }}")({"notice": NOTICE})
    assert hook.bodies[0]["text"] == "PROMOTED http://a"


def test_it_is_of_use_in_any_dag(hook: Received, connection: Any) -> None:
    WebhookNotifier("chat", text="{{ 1 + 1 }}")({})
    assert hook.bodies == [{"text": "2"}]


def test_a_connection_may_name_host_and_port_by_themselves(hook: Received, connection: Any) -> None:
    connection(host="127.0.0.1", port=hook.port, schema="http", password="/x")
    WebhookNotifier("chat", text="a")({})
    assert hook.paths == ["/x"]


@dataclass(frozen=True)
class Trouble:
    name: str
    said: str
    answers: int = 200
    silence: float = 0
    host: str | None = None
    password: str = SECRET
    conn_id: str = "chat"


TROUBLES = [
    Trouble("refused", "HTTP 403", answers=403),
    Trouble("moved", "HTTP 302", answers=302),
    Trouble("silent", "ReadTimeout", silence=1.5),
    Trouble("nobody listens", "ConnectError", host="http://127.0.0.1:1"),
    Trouble("no host", "expected a host and a password", host=""),
    Trouble("a password that would be sent otherwise", "percent-encoded", password="s3cret part"),
    Trouble("no connection", "none", conn_id="none"),
]


@pytest.mark.parametrize("trouble", TROUBLES, ids=lambda trouble: trouble.name)
@pytest.mark.parametrize("in_triggerer", [False, True])
def test_a_failure_is_logged_without_the_secret_and_fails_nothing(
    hook: Received, connection: Any, capsys: pytest.CaptureFixture[str], trouble: Trouble, in_triggerer: bool
) -> None:
    hook.answers, hook.silence = trouble.answers, trouble.silence
    connection(password=trouble.password, **({} if trouble.host is None else {"host": trouble.host}))
    notifier = WebhookNotifier(trouble.conn_id, text="a", timeout=0.5)
    asyncio.run(notifier.async_notify({})) if in_triggerer else notifier({})
    logged = "".join(capsys.readouterr())
    assert trouble.said in logged
    assert "s3cret" not in logged
