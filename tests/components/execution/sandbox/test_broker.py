"""What a confined step gets from the users' storage, and what it does not get."""

from __future__ import annotations

import json
import socket
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from litegate.errors import DataError, StepFailed
from litegate.execution.step_run import BadStepInput, StepRun
from litegate.records import DataRef
from litegate.storage import user_objects
from litegate.storage.manifests import Entry
from litegate.storage.scratch import is_held
from litegate.work import broker
from litegate.work.broker import Broker


@pytest.fixture
def bucket(s3_bucket: str, data: Path) -> str:
    """A bucket with the dataset, and an object that is none of it."""
    user_objects.put(data, f"s3://{s3_bucket}/data/train.npz")
    user_objects.put(data, f"s3://{s3_bucket}/private/other.npz")
    return s3_bucket


@pytest.fixture
def served(tmp_path: Path, bucket: str, pinned: Callable[[str], DataRef]) -> Iterator[Path]:
    """A step's folder that a broker serves; its path is longer than an address of a socket can be."""
    folder = tmp_path / ("long" * 30)
    folder.mkdir()
    (tmp_path / "objects").mkdir()
    manifest = pinned(f"s3://{bucket}/data/train.npz").manifest
    files = (tmp_path / "home" / "workspace" / "files" / manifest.digest,)
    with Broker(folder, tmp_path / "cache", tmp_path / "objects", frozenset({f"s3://{bucket}/data/"}), files):
        yield folder


def entry(uri: str) -> Entry:
    (found,) = user_objects.list_entries(uri, "data")
    return found


def test_a_pinned_object_of_the_request_is_fetched(served: Path, bucket: str, data: Path, tmp_path: Path) -> None:
    wanted = entry(f"s3://{bucket}/data/train.npz")
    path = broker.fetch(served, wanted, "calibration.uri")
    assert path.read_bytes() == data.read_bytes()
    assert path.parent == tmp_path / "objects"
    assert path.samefile(tmp_path / "cache" / "objects" / path.name), "it is stored once"
    assert broker.fetch(served, wanted, "calibration.uri") == path


def test_parts_of_an_object_lie_in_their_places_until_the_step_ends(
    tmp_path: Path, bucket: str, data: Path, pinned: Callable[[str], DataRef]
) -> None:
    (tmp_path / "objects").mkdir()
    (tmp_path / "step").mkdir()
    wanted, whole = entry(f"s3://{bucket}/data/train.npz"), data.read_bytes()
    manifest = tmp_path / "home" / "workspace" / "files" / pinned(wanted.uri).manifest.digest
    spans = [(at, at + 1) for at in range(1500)] + [(len(whole) - 9, len(whole))]
    with Broker(tmp_path / "step", tmp_path / "cache", tmp_path / "objects", frozenset(), (manifest,)):
        (path,) = broker.fetch_spans(tmp_path / "step", [(wanted, spans)], "calibration.uri")
        content = path.read_bytes()
        assert (content[:1500], content[-9:], len(content)) == (whole[:1500], whole[-9:], len(whole))
        assert path.is_relative_to(tmp_path / "objects")
        assert is_held(path.parent), "else the next start of the servers would take it for a dead step's"
        assert not (tmp_path / "cache").exists(), "what is not whole is not kept"
        other = entry(f"s3://{bucket}/private/other.npz")
        with pytest.raises(DataError, match="expected an object of the datasets"):
            broker.fetch_spans(tmp_path / "step", [(wanted, [(0, 1)]), (other, [(0, 1)])], "calibration.uri")
    assert list((tmp_path / "objects").iterdir()) == []


def test_many_objects_are_asked_for_in_questions_that_are_not_too_long(
    served: Path, bucket: str, data: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    found, asked = broker.list_entries(served, f"s3://{bucket}/data/", "data"), []
    monkeypatch.setattr(broker, "_MAX_WANTED", 500)
    ask = broker._ask

    def noted(folder: Path, **question: Any) -> dict[str, Any]:
        asked.append(len(json.dumps(question)))
        return ask(folder, **question)

    monkeypatch.setattr(broker, "_ask", noted)
    wanted = [(entry, [(at, at + 1) for at in range(0, 100, 2)]) for entry in found for _ in range(3)]
    paths = broker.fetch_spans(served, wanted, "data")
    assert len(asked) == len(wanted)
    assert [path.read_bytes()[:1] for path in paths] == [data.read_bytes()[:1]] * len(wanted)


def test_an_object_that_was_altered_where_steps_find_it_is_fetched_again(
    served: Path, bucket: str, data: Path, tmp_path: Path
) -> None:
    """What the step of another run has fetched: the same file under a further name, or a copy of its own."""
    wanted = entry(f"s3://{bucket}/data/train.npz")
    cached = user_objects.fetch(wanted, tmp_path / "cache", "calibration.uri")
    found = tmp_path / "objects" / cached.name
    found.write_bytes(bytes(data.stat().st_size))
    assert broker.fetch(served, wanted, "calibration.uri").read_bytes() == data.read_bytes()
    assert found.samefile(cached)


def test_an_address_is_listed_once(served: Path, bucket: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """What a result is compared with is what the step has seen, and a step cannot keep the server busy."""
    first = broker.list_entries(served, f"s3://{bucket}/data/", "data")
    monkeypatch.delattr(user_objects, "list_entries")
    assert broker.list_entries(served, f"s3://{bucket}/data/", "data") == first


def test_other_objects_are_refused(served: Path, bucket: str) -> None:
    wanted = entry(f"s3://{bucket}/data/train.npz")
    others = [
        entry(f"s3://{bucket}/private/other.npz"),
        wanted.model_copy(update={"uri": f"s3://{bucket}/private/other.npz"}),
        wanted.model_copy(update={"uri": "/etc/shadow"}),
    ]
    for other in others:
        with pytest.raises(DataError, match=r"expected an object of the datasets .*, got "):
            broker.fetch(served, other, "calibration.uri")


def test_only_addresses_of_the_request_are_listed(served: Path, bucket: str) -> None:
    (found,) = broker.list_entries(served, f"s3://{bucket}/data/", "calibration.uri")
    assert broker.fetch(served, found, "calibration.uri").exists(), "what was listed may be fetched"
    for uri in (f"s3://{bucket}/private/", f"s3://{bucket}/", "/etc"):
        with pytest.raises(DataError, match="expected an address that the step's request names"):
            broker.list_entries(served, uri, "calibration.uri")


def test_an_object_that_changed_is_bad_input(served: Path, bucket: str, tmp_path: Path) -> None:
    wanted = entry(f"s3://{bucket}/data/train.npz")
    (tmp_path / "changed").write_text("changed")
    user_objects.put(tmp_path / "changed", wanted.uri)
    with pytest.raises(DataError, match="PreconditionFailed"):
        broker.fetch(served, wanted, "calibration.uri")


def test_a_server_that_does_not_answer_is_no_fault_of_the_data(
    served: Path, bucket: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*arguments: object) -> None:
        raise ConnectionError("refused")

    wanted = entry(f"s3://{bucket}/data/train.npz")
    monkeypatch.setattr(user_objects, "fetch", refuse)
    with pytest.raises(StepFailed) as caught:
        broker.fetch(served, wanted, "calibration.uri")
    assert (caught.value.kind, caught.value.detail) == ("infrastructure", "ConnectionError: refused")


@pytest.mark.parametrize(
    "line",
    [
        *(b"\n", b"[]\n", b"no json\n", b"\xff\xfe\n", b'{"do": "fetch"}\n', b'{"do": "x", "where": 1}\n'),
        *(b"9" * 70_000, b"[" * 60_000 + b"\n", b'{"do": "fetch", "where": "", "entry": {"size": -1}}\n'),
    ],
    ids=range(9),
)
def test_nonsense_is_answered_with_an_error(served: Path, line: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(served)
    with socket.socket(socket.AF_UNIX) as client:
        client.connect("broker")
        client.sendall(line)
        answer: Any = json.loads(client.makefile().readline())
    assert "error" in answer


def test_a_confined_step_reads_the_users_objects(sampling: Callable[..., StepRun], bucket: str) -> None:
    uri = f"s3://{bucket}/data/train.npz"
    first = sampling("assert not [name for name in os.environ if name.startswith('AWS_')]", uri).run()
    again = sampling("assert True", uri).run()
    assert (first.samples, first.available) == (10, 40)
    assert first.file == again.file


def test_a_confined_step_reads_none_but_the_users_objects(sampling: Callable[..., StepRun], bucket: str) -> None:
    statements = f"""
from litegate.work import broker
from litegate.storage.manifests import Entry
from litegate.storage.scratch import is_held
other = Entry(name='x', uri='s3://{bucket}/private/other.npz', size=1, pin='"x"')
broker.fetch(Path.cwd(), other, 'theirs')
"""
    with pytest.raises(BadStepInput, match="expected an object of the datasets"):
        sampling(statements.strip(), f"s3://{bucket}/data/train.npz").run()
