"""The watcher on a real S3 protocol server: what it announces, when, and what it remembers."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import pytest
from moto.server import ThreadedMotoServer

from litegate.storage import versions
from litegate.storage.s3 import client_for, s3_client
from litegate.storage.workspace import Workspace
from litegate_airflow.events import watch
from litegate_airflow.events.watch import ModelTrigger

Events = list[dict[str, Any]]


@dataclass
class Looks:
    """How often the watcher has looked."""

    count: int = 0

    async def more(self, number: int = 3) -> None:
        """Wait for so many more that have ended."""
        wanted = self.count + number
        await until(lambda: self.count > wanted)


@pytest.fixture(autouse=True)
def looks(s3_bucket: str, monkeypatch: pytest.MonkeyPatch) -> Looks:
    counted = Looks()

    def find_model(uri: str, where: str) -> Any:
        counted.count += 1
        return versions.find_model(uri, where)

    monkeypatch.setattr(watch, "find_model", find_model)
    monkeypatch.setattr(ModelTrigger, "stored_after", 0.01)
    monkeypatch.setenv("LITEGATE_WORKSPACE", f"s3://{s3_bucket}/workspace")
    return counted


async def until(done: Callable[[], bool], seconds: float = 30) -> None:
    deadline = time.monotonic() + seconds
    while not done():
        assert time.monotonic() < deadline, "it did not happen"
        await asyncio.sleep(0.01)


@asynccontextmanager
async def watching(uri: str) -> AsyncIterator[Events]:
    """A triggerer's life: the payloads of the events that the trigger has fired so far."""
    trigger = ModelTrigger(uri, 0.02)
    events: Events = []

    async def follow() -> None:
        async for event in trigger.run():
            events.append(event.payload)

    task = asyncio.create_task(follow())
    try:
        yield events
    finally:
        assert not task.done()
        task.cancel()
        await asyncio.wait([task])


def put(bucket: str, key: str, text: str) -> str:
    s3_client().put_object(Bucket=bucket, Key=key, Body=text.encode())
    return f"s3://{bucket}/{key}"


def test_each_new_object_is_announced_once_also_what_came_while_nobody_watched(s3_bucket: str, looks: Looks) -> None:
    async def run() -> None:
        uri = f"s3://{s3_bucket}/models/*.keras"
        async with watching(uri) as events:
            await looks.more()
            assert events == [], "there is nothing"
            first = put(s3_bucket, "models/1.keras", "a")
            await until(lambda: len(events) == 1)
            put(s3_bucket, "models/2.h5", "of no interest")
            await looks.more()
            second = put(s3_bucket, "models/2.keras", "b")
            await until(lambda: len(events) == 2)
            await looks.more()
        assert [event["uri"] for event in events] == [first, second]

        async with watching(uri) as events:
            await looks.more()
        assert events == [], "a restart announces nothing again"

        third = put(s3_bucket, "models/3.keras", "c")
        async with watching(uri) as events:
            await until(lambda: len(events) == 1)
        assert events[0]["uri"] == third

    asyncio.run(run())


def test_an_older_model_that_is_the_newest_again_is_no_news(s3_bucket: str, looks: Looks) -> None:
    async def run() -> None:
        uri = f"s3://{s3_bucket}/*.keras"
        put(s3_bucket, "1.keras", "a")
        await asyncio.sleep(1.1)  # the server's times are in whole seconds
        put(s3_bucket, "2.keras", "b")
        async with watching(uri) as events:
            await until(lambda: len(events) == 1)
            s3_client().delete_object(Bucket=s3_bucket, Key="2.keras")
            await looks.more()
        assert [event["uri"] for event in events] == [f"s3://{s3_bucket}/2.keras"]

    asyncio.run(run())


def test_one_object_is_announced_when_its_bytes_change(s3_bucket: str, looks: Looks) -> None:
    async def run() -> None:
        uri = put(s3_bucket, "model.keras", "a")
        async with watching(uri) as events:
            await until(lambda: len(events) == 1)
            put(s3_bucket, "model.keras", "a")
            await looks.more()
            assert len(events) == 1, "the same bytes are the same model"
            put(s3_bucket, "model.keras", "b")
            await until(lambda: len(events) == 2)

    asyncio.run(run())


def test_a_folder_is_announced_when_it_has_stopped_growing(s3_bucket: str, monkeypatch: pytest.MonkeyPatch) -> None:
    trigger = ModelTrigger(f"s3://{s3_bucket}/*/saved_model.pb", 1)
    put(s3_bucket, "1/variables/variables.index", "i")
    look: Callable[[], Awaitable[Any]] = trigger._news
    assert asyncio.run(look()) is None
    put(s3_bucket, "1/saved_model.pb", "m")
    assert asyncio.run(look()) is None, "it may be growing"
    put(s3_bucket, "1/variables/variables.data-00000-of-00001", "d")
    assert asyncio.run(look()) is None, "it has grown"
    found = asyncio.run(look())
    assert found is not None
    assert (found.uri, len(found.entries)) == (f"s3://{s3_bucket}/1", 3)


@pytest.fixture
def own_server(s3_bucket: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[ThreadedMotoServer]:
    """A server that can be stopped; moto keeps its objects in this process."""
    server = ThreadedMotoServer("127.0.0.1", 0, verbose=False)
    server.start()
    monkeypatch.setenv("AWS_ENDPOINT_URL_S3", "http://{}:{}".format(*server.get_host_and_port()))
    client_for.cache_clear()
    yield server
    server.stop()


def test_a_server_that_is_away_is_waited_for(
    s3_bucket: str, own_server: ThreadedMotoServer, looks: Looks, caplog: pytest.LogCaptureFixture
) -> None:
    async def run() -> None:
        uri = put(s3_bucket, "model.keras", "a")
        _, port = own_server.get_host_and_port()
        async with watching(uri) as events:
            await until(lambda: len(events) == 1)
            own_server.stop()
            await until(lambda: any("the next look is in" in message for message in caplog.messages), 60)
            again = ThreadedMotoServer("127.0.0.1", port, verbose=False)
            again.start()
            try:
                await asyncio.to_thread(put, s3_bucket, "model.keras", "b")
                await until(lambda: len(events) == 2, 60)
            finally:
                again.stop()

    with caplog.at_level(logging.WARNING):
        asyncio.run(run())
    assert f"watching s3://{s3_bucket}/model.keras: Could not connect" in caplog.text


def test_the_pause_grows_with_the_errors_and_has_an_end(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(uri: str, where: str) -> Any:
        raise ConnectionError("refused")

    monkeypatch.setattr(watch, "find_model", refuse)

    def pauses(interval: float) -> list[float]:
        trigger, found = ModelTrigger("s3://b/k", interval), []
        for _ in range(30):
            assert asyncio.run(trigger._news()) is None
            found.append(trigger._pause)
        return found

    assert pauses(60)[:4] == [120, 240, 480, 600]
    assert (pauses(60)[-1], pauses(3600)[-1]) == (600, 3600)


def test_what_cannot_be_remembered_is_not_announced_twice_in_one_life(
    s3_bucket: str, looks: Looks, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def refuse(workspace: Workspace, name: str, value: Any) -> None:
        raise ConnectionError("refused")

    async def run() -> None:
        uri = put(s3_bucket, "model.keras", "a")
        async with watching(uri) as events:
            await until(lambda: len(events) == 1)
            await looks.more()
        assert len(events) == 1
        async with watching(uri) as events:
            await until(lambda: len(events) == 1)

    monkeypatch.setattr(Workspace, "set_mark", refuse)
    asyncio.run(run())
    assert "refused; it is announced once more after a restart" in caplog.text


def test_a_slow_server_holds_nobody_else_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(watch, "find_model", lambda uri, where: time.sleep(1))

    async def run() -> int:
        ticks = 0
        looking = asyncio.create_task(ModelTrigger("s3://b/k", 1)._news())
        while not looking.done():
            await asyncio.sleep(0.02)
            ticks += 1
        return ticks

    assert asyncio.run(run()) > 5


def test_a_trigger_is_made_again_from_what_airflow_stores() -> None:
    from airflow.sdk.module_loading import import_string

    path, values = ModelTrigger("s3://b/*.keras", 30).serialize()
    again = import_string(path)(**values)
    assert (type(again), again.uri, again.interval) == (ModelTrigger, "s3://b/*.keras", 30)
