"""What waits for what in Airflow's API server, by requests to an application with that middleware."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from litegate_airflow.api_writes import OneWriteAtATime, middlewares


async def unused(*_: Any) -> Any:
    raise AssertionError("the application neither reads nor answers")


class Application:
    """Counts how many requests are in it at once."""

    def __init__(self) -> None:
        self.now = self.most = 0
        self.fails = False

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        self.now += 1
        self.most = max(self.most, self.now)
        try:
            for _ in range(3):
                await asyncio.sleep(0)
            if self.fails:
                raise OSError("the database is gone")
        finally:
            self.now -= 1


@pytest.fixture
def application() -> Application:
    return Application()


def together(application: Application, *methods: str, kind: str = "http") -> list[Any]:
    """Requests that come at once; what each raised, or None."""

    async def ask() -> list[Any]:
        server = OneWriteAtATime(application)
        asked = (server({"type": kind, "method": method}, unused, unused) for method in methods)
        return await asyncio.gather(*asked, return_exceptions=True)

    return asyncio.run(ask())


@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE"])
def test_of_requests_that_may_write_one_is_answered_at_a_time(application: Application, method: str) -> None:
    together(application, "POST", method, method)
    assert application.most == 1


def test_those_that_read_wait_for_nobody(application: Application) -> None:
    together(application, "POST", "POST", "GET", "HEAD", "OPTIONS")
    assert application.most == 4


def test_what_is_no_request_goes_by(application: Application) -> None:
    together(application, "POST", "POST", kind="lifespan")
    assert application.most == 2


def test_one_that_fails_lets_the_next_one_go_on(application: Application) -> None:
    application.fails = True
    assert [str(error) for error in together(application, "POST", "PUT")] == ["the database is gone"] * 2
    assert application.most == 1


def test_a_database_with_many_writers_needs_none() -> None:
    assert middlewares("postgresql+psycopg2://airflow@127.0.0.1/airflow") == []
    assert [each["middleware"] for each in middlewares("sqlite:////home/airflow.db")] == [OneWriteAtATime]
