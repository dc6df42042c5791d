from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from litegate.cli import dags
from litegate.cli.dags import new_run, wait_for_dag
from litegate.errors import StackError


@dataclass
class FakeAirflow:
    """Answers like Airflow: each question after the first parse that was asked for finds the next parse done.

    Attributes:
        parses: what the DAG's page says after each parse; None while there is no such DAG.
    """

    parses: list[str | None]
    asked: list[str] = field(default_factory=list)

    def dag(self, dag_id: str) -> dict[str, Any] | None:
        if self.asked and len(self.parses) > 1:
            self.parses.pop(0)
        stamp = f"2026-01-01T00:00:{len(self.parses):02}Z"
        return None if self.parses[0] is None else {"is_stale": False, "last_parsed_time": stamp}

    def documentation(self, dag_id: str) -> str:
        return self.parses[0] or ""

    def file_tokens(self, tag: str) -> set[str]:
        return {"token"}

    def parse_again(self, token: str) -> None:
        self.asked.append(token)

    def import_errors(self) -> list[str]:
        return ["quantize.py: SyntaxError"]


@dataclass(frozen=True, kw_only=True)
class Wait:
    id: str
    parses: list[str | None]
    digest: str
    questions: int


WAITS = (
    Wait(id="it has read this file", parses=["of old"], digest="old", questions=0),
    Wait(id="a new DAG", parses=[None, None, "of new"], digest="new", questions=1),
    Wait(id="a parse that began before the change", parses=["of old", "of old", "of new"], digest="new", questions=2),
    Wait(id="a DAG of no spec file", parses=[None, "of none"], digest="", questions=1),
)


@pytest.mark.parametrize("case", WAITS, ids=lambda case: case.id)
def test_a_dag_is_known_once_it_was_read_from_this_file(case, monkeypatch):
    monkeypatch.setattr(dags.time, "sleep", lambda _: None)
    airflow = FakeAirflow(list(case.parses))

    wait_for_dag(airflow, Path("home"), "quantize__tiny", case.digest)  # type: ignore[arg-type]

    assert len(airflow.asked) == case.questions


@pytest.mark.parametrize("parses", [[None], ["of old"]], ids=["none", "of another file"])
def test_a_dag_that_never_appears_is_reported_with_the_import_errors(parses, monkeypatch):
    monkeypatch.setattr(dags, "_PARSE_LIMIT", 0)
    with pytest.raises(StackError, match=r"quantize__tiny within 0 s: quantize\.py: SyntaxError"):
        wait_for_dag(FakeAirflow(parses), Path("home"), "quantize__tiny", "new")  # type: ignore[arg-type]


def test_run_ids_are_readable_and_unique():
    runs = [new_run("quantize__tiny") for _ in range(5)]

    assert len(set(runs)) == 5
    assert all(run.run.startswith("litegate-20") for run in runs)
