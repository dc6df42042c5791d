"""Patience with a real server on loopback that is slow, overloaded, or gone."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from litegate.errors import NoAnswer, StackError
from litegate.stack.airflow_api import AirflowApi, RunId
from litegate.stack.patience import Patience, Server

RUN = RunId("quantize__m", "litegate-1")
QUICK = Patience(limit=60, timeout=0.5, pause=0.01)


@dataclass
class Busy:
    """An Airflow that treats each request after the log-in as `moods` say, the last mood for ever.

    Attributes:
        moods: a status to answer with, `silence` (the request is carried out, the answer never comes), or `cut`
            (the connection ends without an answer).
        log_ins: statuses of the first log-ins; later ones succeed.
        asked: method and path of every request.
    """

    moods: list[int | str]
    log_ins: list[int] = field(default_factory=list)
    asked: list[str] = field(default_factory=list)
    triggered: list[str] = field(default_factory=list)
    released: threading.Event = field(default_factory=threading.Event)
    url: str = ""

    def mood(self) -> int | str:
        return self.moods.pop(0) if len(self.moods) > 1 else self.moods[0]


def handler(busy: Busy) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            known = body.get("dag_run_id") in busy.triggered
            if "dag_run_id" in body and not known:
                busy.triggered.append(body["dag_run_id"])
            self.react({"access_token": "t"} if self.path == "/auth/token" else {}, 409 if known else 201)

        def do_GET(self) -> None:
            self.react({"state": "running"}, 200)

        def react(self, body: Any, status: int) -> None:
            busy.asked.append(f"{self.command} {self.path}")
            log_in = self.path == "/auth/token"
            mood = (busy.log_ins.pop(0) if busy.log_ins else 200) if log_in else busy.mood()
            if mood == "silence":
                busy.released.wait(60)
            if mood in ("silence", "cut"):
                self.close_connection = True
                return
            self.send_response(status if mood == 200 else int(mood))
            self.end_headers()
            self.wfile.write(json.dumps(body).encode())

        def log_message(self, *_: Any) -> None:
            pass

    return Handler


@pytest.fixture
def busy() -> Iterator[Busy]:
    state = Busy([200])
    with ThreadingHTTPServer(("127.0.0.1", 0), handler(state)) as server:
        threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
        state.url = f"http://127.0.0.1:{server.server_port}"
        yield state
        state.released.set()
        server.shutdown()


def client(busy: Busy, patience: Patience = QUICK) -> tuple[AirflowApi, list[str]]:
    airflow, said = AirflowApi(busy.url, "secret", patience), []
    airflow.say = said.append
    return airflow, said


@pytest.mark.parametrize("trouble", ["silence", "cut", 500, 502, 503, 429])
def test_a_server_that_is_alive_is_asked_until_it_answers_and_one_is_told(busy: Busy, trouble: int | str) -> None:
    busy.moods = [trouble, trouble, 200]
    airflow, said = client(busy)
    with airflow:
        assert airflow.state(RUN) == "running"
    assert said[0].startswith("Airflow is slow to answer, still trying: ")
    assert said[-1] == "Airflow answers again"
    assert busy.asked.count(f"GET /api/v2/{RUN.path}") == 3


def test_a_log_in_is_asked_for_again_too(busy: Busy) -> None:
    busy.log_ins = [503, 500]
    airflow, said = client(busy)
    with airflow:
        assert airflow.state(RUN) == "running"
    assert "still trying: HTTP 503" in said[0]


def test_a_quick_answer_needs_no_words(busy: Busy) -> None:
    airflow, said = client(busy)
    with airflow:
        assert airflow.state(RUN) == "running"
    assert said == []


def test_a_trigger_that_was_carried_out_without_an_answer_is_not_repeated(busy: Busy) -> None:
    busy.moods = ["silence", 200]
    airflow, _ = client(busy)
    with airflow:
        airflow.trigger(RUN)
    assert busy.triggered == [RUN.run]
    assert busy.asked.count(f"POST /api/v2/dags/{RUN.dag}/dagRuns") == 2


def test_each_request_gets_more_time_than_the_one_before(busy: Busy) -> None:
    given: list[float] = []

    def send(timeout: float) -> Any:
        given.append(timeout)
        return AirflowApi(busy.url, "secret")._http.get("/", timeout=5)

    busy.moods = [500, 500, 500, 500, 200]
    Patience(limit=60, timeout=30, pause=0.001).answer(Server("Airflow", busy.url), send, lambda _: None)
    assert given == [30, 60, 120, 120, 120]


def test_the_patience_has_an_end_that_names_the_server_and_the_last_trouble(busy: Busy) -> None:
    busy.moods = [503]
    airflow, said = client(busy, Patience(limit=0.1, timeout=5, pause=0.01))
    with airflow, pytest.raises(NoAnswer, match=rf"Airflow at {busy.url} gave no answer for \d+ s: HTTP 503"):
        airflow.state(RUN)
    assert said


def nobody() -> str:
    """An address where nobody listens."""
    with ThreadingHTTPServer(("127.0.0.1", 0), BaseHTTPRequestHandler) as server:
        return f"http://127.0.0.1:{server.server_port}"


def test_a_server_that_is_being_started_again_is_waited_for(busy: Busy) -> None:
    """Its supervisor is there: nobody listens for a while."""
    waited: list[str] = []
    airflow = AirflowApi(nobody(), "secret", Patience(limit=60, timeout=5, pause=0.01))

    def say(line: str) -> None:
        waited.append(line)
        if len(waited) == 2:
            airflow._http.base_url = busy.url

    airflow.say = say
    with airflow:
        assert airflow.state(RUN) == "running"
    assert waited[-1] == "Airflow answers again"


def test_where_nobody_listens_and_the_stack_is_gone_it_ends_at_once() -> None:
    airflow = AirflowApi(nobody(), "secret", Patience(limit=600, timeout=5, pause=600, gone=lambda: True))
    with airflow, pytest.raises(NoAnswer, match="does not run any more"):
        airflow.state(RUN)


def test_a_server_that_hangs_is_not_taken_for_gone(busy: Busy) -> None:
    busy.moods = ["silence", 200]
    airflow, _ = client(busy, Patience(limit=60, timeout=0.5, pause=0.01, gone=lambda: True))
    with airflow:
        assert airflow.state(RUN) == "running"


def test_what_is_refused_is_not_asked_again(busy: Busy) -> None:
    busy.moods = [404]
    airflow, said = client(busy)
    with airflow, pytest.raises(StackError, match="HTTP 404") as caught:
        airflow.state(RUN)
    assert not isinstance(caught.value, NoAnswer)
    assert said == []
