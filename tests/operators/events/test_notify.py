"""Any notifier by its dotted path: made early, called with what happened, and never in the way of a run."""

from __future__ import annotations

import asyncio
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from litegate.errors import SpecError
from litegate.records import Aliases, Decided, Decision, LedgerEntry, Notice, RegisteredAlias
from litegate.spec import Notification, Spec, parse_spec
from litegate_airflow.events.deadline import deadlines, tell_late
from litegate_airflow.events.notify import DecisionNotifier, RunNotifier, check_notifiers, judged, tell
from tests.receivers import mail_server, web_hook

DATA = {"uri": "d.npz", "format": "npz"}
SPEC: dict[str, Any] = {"model": {"name": "m", "uri": "m.keras"}, "calibration": DATA, "evaluation": DATA}
HOOK = "litegate_airflow.webhook.WebhookNotifier"
BROKEN = "tests.operators.notifiers.Broken"
NOTICE = Notice(event="promoted", model="m", sentence="{{ conn.chat.password }} is champion", version=1)


def entry(notifier: str, *events: str, **arguments: Any) -> dict[str, Any]:
    return {"notifier": notifier, "events": list(events), "arguments": arguments}


def spec(*notify: dict[str, Any], **keys: Any) -> Spec:
    return parse_spec(SPEC | {"notify": list(notify)} | keys)


@pytest.fixture
def hook(monkeypatch: pytest.MonkeyPatch) -> Any:
    with web_hook() as received:
        address = {"conn_type": "http", "host": f"http://127.0.0.1:{received.port}", "password": "hidden"}
        monkeypatch.setenv("AIRFLOW_CONN_CHAT", json.dumps(address))
        yield received


def test_each_is_told_of_its_own_events_and_one_that_raises_stops_no_other(
    hook: Any, capsys: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
) -> None:
    notify = [
        Notification.model_validate(each)
        for each in (
            entry(BROKEN, "promoted"),
            entry(HOOK, "rejected", conn_id="chat", text="not this"),
            entry(HOOK, "rejected", "promoted", conn_id="chat", text="{{ notice.sentence }}"),
        )
    ]
    tell(notify, NOTICE, {})
    assert [body["text"] for body in hook.bodies] == [NOTICE.sentence], "told once, and not rendered a second time"
    assert f"{BROKEN} told nobody: ConnectionError: the chat is down" in caplog.text


def test_a_notifier_of_another_provider_works(monkeypatch: pytest.MonkeyPatch) -> None:
    with mail_server() as received:
        server = {"conn_type": "smtp", "host": "127.0.0.1", "port": received.port}
        plainly = {"extra": json.dumps({"disable_ssl": True, "disable_tls": True})}
        monkeypatch.setenv("AIRFLOW_CONN_MAIL", json.dumps(server | plainly))
        mail = entry(
            "airflow.providers.smtp.notifications.smtp.SmtpNotifier",
            "promoted",
            from_email="litegate@example.org",
            to="ann@example.org",
            subject="{{ notice.model }} version {{ notice.version }}",
            html_content="<p>{{ notice.sentence | e }}</p>",
            smtp_conn_id="mail",
        )
        check_notifiers(spec(mail))
        tell(spec(mail).notify, NOTICE, {})
    (message,) = received.bodies
    assert "Subject: m version 1" in message
    assert "To: ann@example.org" in message


@dataclass(frozen=True)
class Wrong:
    notifier: str
    arguments: dict[str, Any]
    where: str
    said: str


@pytest.mark.parametrize(
    "row",
    [
        Wrong("nowhere.Notifier", {}, "notify.1.notifier", "No module named 'nowhere'"),
        Wrong("tests.operators.notifiers.Missing", {}, "notify.1.notifier", "no attribute 'Missing'"),
        Wrong("tests.operators.notifiers.NoNotifier", {}, "notify.1.notifier", "BaseNotifier"),
        Wrong(HOOK, {}, "notify.1.arguments", "conn_id"),
        Wrong(HOOK, {"conn_id": "c", "url": "x"}, "notify.1.arguments", "url"),
        Wrong("tests.operators.notifiers.Picky", {"channel": "x"}, "notify.1.arguments", "a channel begins with #"),
    ],
    ids=lambda row: row.notifier.rpartition(".")[2],
)
def test_a_notifier_that_cannot_be_made_is_found_before_it_is_needed(row: Wrong) -> None:
    with pytest.raises(SpecError, match=row.said) as raised:
        check_notifiers(spec(entry(HOOK, "promoted", conn_id="c"), entry(row.notifier, "promoted", **row.arguments)))
    assert raised.value.where == row.where


def test_what_goes_wrong_before_anybody_is_told_is_only_logged(ti: Any, caplog: pytest.LogCaptureFixture) -> None:
    RunNotifier(spec(), judged)({"ti": ti})
    assert "the run told nobody: StepFailed" in caplog.text


def decided(registry: str) -> dict[str, Any]:
    decision = Decision(
        channel=RegisteredAlias(registry=registry), action="rolled_back", key="k", actor="ann", why="slow", version=2
    )
    done = LedgerEntry(number=1, time="2026-01-01T00:00:00+00:00", decision=decision, before=2, after=1, previous="0")
    return Decided(entry=done, aliases=Aliases(champion=1), moved=True).to_json()


@pytest.mark.parametrize(("registry", "events"), [("shared", ["rolled_back"]), ("other", [])])
def test_a_decision_is_told_as_the_specs_of_its_registered_model_say(
    hook: Any, ti: Any, tmp_path: Path, registry: str, events: list[str]
) -> None:
    known = SPEC | {"registry": {"name": "shared"}, "notify": [entry(HOOK, "rolled_back", conn_id="chat")]}
    (tmp_path / "m.yaml").write_text(json.dumps(known))
    (tmp_path / "broken.yaml").write_text("[")
    ti.xcom_push("return_value", decided(registry))
    DecisionNotifier(tmp_path)({"ti": ti})
    assert hook.events() == events
    assert all(body["links"]["airflow"].endswith(f"/dags/{ti.dag_id}/runs/{ti.run_id}") for body in hook.bodies)


def test_a_late_run_is_told_of_with_its_page(hook: Any) -> None:
    late = spec(entry(HOOK, "late", conn_id="chat"), entry(HOOK, "promoted", conn_id="chat"), deadline_minutes=90)
    (alert,) = deadlines(late) or []
    arguments = json.loads(json.dumps(alert.callback.kwargs))
    context: Any = {"dag_run": {"dag_id": "quantize__m", "dag_run_id": "r1"}, "deadline": {}}
    asyncio.run(tell_late(**arguments, context=context))
    assert hook.events() == ["late"]
    assert hook.bodies[0]["text"] == "m: the run takes longer than 90 minutes"
    assert hook.bodies[0]["links"]["airflow"].endswith("/dags/quantize__m/runs/r1")


def test_no_deadline_without_a_limit() -> None:
    assert deadlines(spec()) is None
