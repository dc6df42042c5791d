"""A person is asked by a run, with Airflow's own scheduling and API, and answers; the steps only pretend."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from litegate.errors import BadInput, LitegateError
from litegate.records import Aliases, Decided, LedgerEntry, Promotion, PromotionState
from tests.dags.people import Person, answering
from tests.dags.pretended import SPEC, Outcome, Steps
from tests.receivers import Received, web_hook


@dataclass(eq=False)
class Asking(Steps):
    """Pretends that the selected version waits, or is in another state; keeps all decisions."""

    state: PromotionState = "pending_approval"
    why: str = "a person must accept it"
    moved: bool = False
    decisions: list[Any] = field(default_factory=list)

    def promote(self, request: Any) -> Promotion:
        champion = request.selected if self.state == "promoted" else None
        return Promotion(
            selected=request.selected,
            champion=champion,
            previous=None,
            moved=self.moved,
            state=self.state,
            why=self.why,
        )

    def decide(self, request: Any) -> Decided:
        self.decisions.append(request)
        after = request.version if request.action == "accepted" else None
        moment = "2026-01-01T00:00:00+00:00"
        entry = LedgerEntry(number=1, time=moment, decision=request, before=None, after=after, previous="")
        return Decided(entry=entry, aliases=Aliases(champion=after), moved=after is not None)


Ask = Callable[..., Outcome]
EVENTS = ["promoted", "rejected", "inconclusive", "waiting"]
NOTIFY = [
    {"events": EVENTS, "notifier": "tests.operators.notifiers.Broken"},
    {"events": EVENTS, "notifier": "litegate_airflow.webhook.WebhookNotifier", "arguments": {"conn_id": "chat"}},
]


@pytest.fixture
def hook(monkeypatch: pytest.MonkeyPatch) -> Iterator[Received]:
    with web_hook() as received:
        address = {"conn_type": "http", "host": f"http://127.0.0.1:{received.port}", "password": "hidden"}
        monkeypatch.setenv("AIRFLOW_CONN_CHAT", json.dumps(address))
        yield received


@pytest.fixture
def ask(
    load_dags: Callable[..., Any],
    run_dag: Callable[..., Any],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    hook: Received,
) -> Ask:
    """Run a DAG with a spec that wants a person's approval, a notifier that fails and one that works."""

    def run(steps: Steps, *people: Person, approval: str = "human", on_reject: str = "fail") -> Outcome:
        keys = {"variants": "[dynamic_range, int8]", "from_champion": "null", "recover": "null"}
        keys["evaluation"] = ""
        spec = SPEC.format(on_reject=on_reject, **keys)
        (tmp_path / "m.yaml").write_text(f"{spec}approval: {approval}\nnotify: {json.dumps(NOTIFY)}\n")
        monkeypatch.setattr("litegate_airflow.operators.step.StepRun", steps)
        monkeypatch.setenv("MLFLOW_TRACKING_URI", "http://me:secret@127.0.0.1:5000")
        dag = load_dags(tmp_path)["quantize__m"]
        with answering(*people):
            dag_run = run_dag(dag)
        instances = dag_run.get_task_instances()
        tasks = {f"{i.task_id}/{i.rendered_map_index or ''}".rstrip("/"): i for i in instances}
        return Outcome(steps, tasks | {"": dag_run})

    return run


def test_a_yes_of_those_who_may_promotes_in_their_name_and_everybody_is_told(ask: Ask, hook: Received) -> None:
    eve, ann = Person("eve", "Approve"), Person("ann", "Approve", note="looks good")
    steps = Asking()
    outcome = ask(steps, eve, ann, approval="{users: [ann]}")
    assert (eve.refusals, ann.refusals) == ([403], [])
    assert steps.requests["promote", ""].approval == "human"
    assert outcome.state("") == outcome.state("approve") == outcome.state("decide") == "success"
    (decision,) = steps.decisions
    assert (decision.action, decision.actor, decision.why, decision.version) == ("accepted", "ann", "looks good", 1)
    assert (decision.variant, decision.digest, decision.mlflow_run_id) == ("dynamic_range", None, "run-1")
    assert outcome.pull("decide")["aliases"]["champion"] == 1
    check_question(ann)
    asked, told = hook.bodies
    assert hook.events() == ["waiting", "promoted"]
    assert asked["links"]["answer"].endswith("/tasks/approve/required_actions")
    assert (told["actor"], told["version"], told["variant"]) == ("ann", 1, "dynamic_range")
    assert set(told["links"]) == {"airflow", "mlflow", "report"}


def check_question(person: Person) -> None:
    """They saw every variant and the pages that tell more."""
    (question,) = person.questions
    assert question["subject"] == "May m version 1 (dynamic_range) become champion?"
    body = question["body"].replace(" &nbsp; |", " |")
    assert "| dynamic_range | passed |" in body
    assert "| int8 | passed |" in body
    page = "http://127.0.0.1:5000/#/experiments/1/runs/run-1?workflowType=machine_learning"
    assert f"({page})" in question["body"], "without the credentials of the address"
    assert question["params"]["note"]["schema"]["maxLength"] == 900


@dataclass(frozen=True)
class Rejection:
    on_reject: str
    state: str
    run: str


@pytest.mark.parametrize(
    "row", [Rejection("fail", "failed", "failed"), Rejection("skip", "skipped", "success")], ids=str
)
def test_a_no_is_recorded_and_the_run_ends_as_after_a_rejection_by_the_gate(
    ask: Ask, row: Rejection, hook: Received
) -> None:
    steps = Asking()
    outcome = ask(steps, Person("bob", "Reject", note="too slow"), on_reject=row.on_reject)
    (decision,) = steps.decisions
    assert (decision.action, decision.actor, decision.why, decision.version) == ("rejected", "bob", "too slow", 1)
    assert outcome.state("approve") == "success", "a no is an answer"
    assert (outcome.state("decide"), outcome.state("")) == (row.state, row.run)
    assert outcome.pull("decide", "decided")["entry"]["decision"]["action"] == "rejected"
    failure = outcome.pull("decide", "failure")
    assert row.on_reject == "skip" or failure["message"] == "version 1 was rejected by bob: too slow"
    assert hook.events() == ["waiting", "rejected"]


@dataclass(frozen=True)
class Settled:
    state: PromotionState
    why: str
    moved: bool
    events: list[str]


@pytest.mark.parametrize(
    "row",
    [
        Settled("promoted", "", moved=True, events=["promoted"]),
        Settled("blocked", "version 1 was rejected by bob (too slow)", moved=False, events=[]),
    ],
    ids=lambda row: row.state,
)
def test_nobody_is_asked_where_there_is_nothing_to_decide(ask: Ask, row: Settled, hook: Received) -> None:
    steps = Asking(state=row.state, why=row.why, moved=row.moved)
    outcome = ask(steps)
    assert (outcome.state("approve"), outcome.state("decide"), outcome.state("")) == ("skipped", "skipped", "success")
    assert steps.decisions == []
    assert outcome.pull("approve", "failure") is None
    assert hook.events() == row.events


def test_nobody_is_asked_where_nothing_passed(ask: Ask, hook: Received) -> None:
    outcome = ask(Asking(passing=False))
    assert (outcome.state("approve"), outcome.state("decide")) == ("upstream_failed", "upstream_failed")
    assert hook.events() == ["rejected"]


def test_a_yes_that_comes_too_late_fails_and_says_why(ask: Ask) -> None:
    refused: LitegateError = BadInput(
        "m@champion version 1", "a version whose approval is pending", "a version without a pending approval"
    )
    outcome = ask(Asking({("decide", "dynamic_range"): refused}), Person("ann", "Approve"))
    assert outcome.state("decide") == outcome.state("") == "failed"
    assert "a version whose approval is pending" in outcome.pull("decide", "failure")["message"]
