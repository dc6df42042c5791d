"""The users' data for confined steps: the parent, which has credentials and a network, fetches what a child asks for.

The child asks over a Unix socket in its own folder, one JSON object a line, and gets the data as files. It gets
the objects of the datasets that its request names, as they were pinned, and nothing else: they lie in a folder of
these datasets, as further names of the files in the cache, and no other part of the cache is open to it. Where it
asks for parts of an object, they lie there in a file of its size, until the step ends.

What the parent has listed it remembers: the child's result has to agree with it, and an address is listed once.
"""

from __future__ import annotations

import json
import os
import shutil
import socket
import socketserver
import threading
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import IO, Any, Self

from litegate.diagnosis import kind_of
from litegate.errors import DataError, StepFailed
from litegate.failures import FailureKind
from litegate.storage import user_objects
from litegate.storage.manifests import Entry
from litegate.storage.opening import local_path
from litegate.storage.scratch import temporary_folder
from litegate.storage.versions import ModelFiles, model_files
from litegate.surroundings import carried
from litegate.work.sockets import short_address

__all__ = ["Broker", "fetch", "fetch_spans", "find_model", "is_served", "list_entries"]

_LOOKS_EVERY = 0.01
"""Seconds between looks whether it is to end; for half of that every step waits at its end."""
_NAME = "broker"
_MAX_QUESTION = 1 << 16
_MAX_WANTED = _MAX_QUESTION - (1 << 12)
_MAX_SPANS = 1000
_MAX_CONNECTIONS = 1024
_NO_ANSWER = json.dumps({"error": FailureKind.KILLED, "message": "no answer"})


class Broker:
    """Serves one step while it runs; a context.

    Args:
        folder: the step's own.
        cache: where fetched objects go.
        objects: where the step finds them.
        uris: what the step may list, and then fetch.
        manifests: files with a pinned entry a line, which the step may fetch.
    """

    def __init__(
        self, folder: Path, cache: Path, objects: Path, uris: frozenset[str], manifests: tuple[Path, ...]
    ) -> None:
        self._folder, self._cache, self._objects = folder, cache, objects
        self._uris, self._manifests = uris, manifests
        self.listings: dict[str, tuple[Entry, ...]] = {}
        self.models: dict[str, ModelFiles] = {}
        self._known: set[Entry] | None = None
        self._carried = carried(self._answer)  # by threads that have no context of their own
        self._lock = threading.Lock()
        self._ending = ExitStack()

    def __enter__(self) -> Self:
        self._parts = self._ending.enter_context(temporary_folder(self._objects))
        with short_address(self._folder, _NAME) as address:
            self._server = _Server(address, self)
        threading.Thread(target=self._server.serve_forever, args=(_LOOKS_EVERY,), daemon=True).start()
        return self

    def __exit__(self, *error: object) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._ending.close()

    def answer(self, line: bytes) -> dict[str, Any]:
        """The answer to a question; whatever goes wrong is part of it."""
        try:
            question = json.loads(line)
            return self._carried(question, str(question["where"])[:500])
        except DataError as error:
            return {"error": FailureKind.BAD_INPUT, "parts": [error.where, error.expected, error.got]}
        except Exception as error:
            return {"error": kind_of(error), "message": f"{type(error).__name__}: {error}"}

    def _answer(self, question: dict[str, Any], where: str) -> dict[str, Any]:
        if question["do"] == "list":
            found = self._list(str(question["uri"]), where, bool(question.get("needed", True)))
            return {"entries": [entry.to_json() for entry in found]}
        if question["do"] == "find_model":
            return self._find_model(str(question["uri"]), where)
        if question["do"] == "fetch_spans":
            return {"paths": [str(path) for path in self._fetch_spans(question["wanted"], where)]}
        return {"path": str(self._fetch(self._known_entry(question["entry"], where), where))}

    def digest(self, entry: Entry, where: str) -> str:
        """SHA-256 of an object as the parent itself has it.

        Raises:
            DataError: the object is gone or has changed.
        """
        return user_objects.object_digest(entry, user_objects.fetch(entry, self._cache, where))

    def _list(self, uri: str, where: str, needed: bool) -> tuple[Entry, ...]:
        self._check_named(uri, where)
        with self._lock:
            if uri not in self.listings:
                self.listings[uri] = user_objects.list_entries(uri, where, needed)
                self._entries().update(self.listings[uri])
        return self.listings[uri]

    def _find_model(self, uri: str, where: str) -> dict[str, Any]:
        self._check_named(uri, where)
        with self._lock:
            if uri not in self.models:
                self.models[uri] = model_files(uri, where)
                self._entries().update(self.models[uri].entries)
        found = self.models[uri]
        entries = [entry.to_json() for entry in found.entries]
        return {"uri": found.uri, "entries": entries, "modified": found.modified}

    def _check_named(self, uri: str, where: str) -> None:
        if uri not in self._uris:
            raise DataError(where, "an address that the step's request names", uri)

    def _known_entry(self, named: Any, where: str) -> Entry:
        entry = Entry.model_validate(named)
        with self._lock:
            if entry not in self._entries():
                raise DataError(where, "an object of the datasets that the step's request names", entry.uri)
        return entry

    def _fetch_spans(self, named: Any, where: str) -> list[Path]:
        wanted: list[user_objects.Wanted] = [
            (self._known_entry(entry, where), [(int(start), int(end)) for start, end in spans])
            for entry, spans in named
        ]
        paths = user_objects.fetch_spans(wanted, self._parts, self._cache, where)
        found = zip(wanted, paths, strict=True)
        return [path if path.parent == self._parts else self._visible(entry, path) for (entry, _), path in found]

    def _fetch(self, entry: Entry, where: str) -> Path:
        return self._visible(entry, user_objects.fetch(entry, self._cache, where))

    def _visible(self, entry: Entry, path: Path) -> Path:
        """Where the step finds what was just verified."""
        if local_path(entry.uri) is not None:
            return path
        self._linked(path.with_suffix(user_objects.DIGEST_SUFFIX))
        return self._linked(path)

    def _linked(self, path: Path) -> Path:
        """Another name of the file that was just verified; what had that name may be what was damaged."""
        target = self._objects / path.name
        if target.exists() and target.samefile(path):
            return target
        with temporary_folder(self._objects) as folder:
            link = folder / path.name
            try:
                link.hardlink_to(path)
            except OSError:  # a file system without links
                shutil.copyfile(path, link)
            link.replace(target)
        return target

    def _entries(self) -> set[Entry]:
        if self._known is None:
            lines = (line for path in self._manifests for line in path.read_text().splitlines())
            self._known = {Entry.model_validate_json(line) for line in lines}
        return self._known


class _Server(socketserver.ThreadingMixIn, socketserver.UnixStreamServer):
    daemon_threads = True
    block_on_close = False
    request_queue_size = 128

    def __init__(self, address: str, broker: Broker) -> None:
        self.broker = broker
        self.connections = threading.BoundedSemaphore(_MAX_CONNECTIONS)
        super().__init__(address, _Connection)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A child that went away is nothing to report."""


class _Connection(socketserver.StreamRequestHandler):
    server: _Server

    def handle(self) -> None:
        """Answer line after line, until the child hangs up."""
        if not self.server.connections.acquire(blocking=False):
            return
        try:
            while line := self.rfile.readline(_MAX_QUESTION):
                self.wfile.write(json.dumps(self.server.broker.answer(line)).encode() + b"\n")
        finally:
            self.server.connections.release()


_open = threading.local()
_objects: dict[Path, Path] = {}
"""Where the objects of a step lie, by the step's folder, once it is known."""


def is_served(folder: Path) -> bool:
    """Whether a broker serves the step of this folder."""
    return (folder / _NAME).is_socket()


def list_entries(folder: Path, uri: str, where: str, needed: bool = True) -> tuple[Entry, ...]:
    """`user_objects.list_entries` for the child of this folder.

    Raises:
        DataError: there is nothing where there must be something, or the address is none of the step's business.
        StepFailed: it could not be listed.
    """
    answer = _ask(folder, do="list", uri=uri, where=where, needed=needed)
    return tuple(Entry.model_validate(entry) for entry in answer["entries"])


def find_model(folder: Path, uri: str, where: str) -> ModelFiles:
    """`versions.model_files` for the child of this folder.

    Raises:
        DataError: there is nothing, or the address is none of the step's business.
        StepFailed: it could not be found out.
    """
    answer = _ask(folder, do="find_model", uri=uri, where=where)
    entries = tuple(Entry.model_validate(entry) for entry in answer["entries"])
    return ModelFiles(answer["uri"], entries, answer["modified"])


def fetch(folder: Path, entry: Entry, where: str) -> Path:
    """`user_objects.fetch` for the child of this folder. What was fetched for an earlier step is verified here, without
    asking: the processes of an evaluation do so side by side.

    Raises:
        DataError: the object is gone, has changed, or is none of the step's business.
        StepFailed: it could not be fetched.
    """
    found = _objects[folder] / user_objects.object_name(entry) if folder in _objects else None
    if found is None or not user_objects.is_whole(found):
        found = Path(_ask(folder, do="fetch", entry=entry.to_json(), where=where)["path"])
        _objects[folder] = found.parent
    return found


def fetch_spans(folder: Path, wanted: Sequence[user_objects.Wanted], where: str) -> list[Path]:
    """`user_objects.fetch_spans` for the child of this folder.

    Raises:
        DataError: an object is gone, has changed, or is none of the step's business.
        StepFailed: it could not be fetched.
    """
    found: dict[Entry, Path] = {}
    for some in _questions(wanted):
        named = [(entry.to_json(), spans) for entry, spans in some]
        paths = _ask(folder, do="fetch_spans", wanted=named, where=where)["paths"]
        found |= {entry: Path(path) for (entry, _), path in zip(some, paths, strict=True)}
    return [found[entry] for entry, _ in wanted]


def _questions(wanted: Sequence[user_objects.Wanted]) -> Iterator[list[user_objects.Wanted]]:
    """As much of it at a time as a question may hold."""
    some: list[user_objects.Wanted] = []
    size = 0
    for entry, spans in wanted:
        for first in range(0, len(spans), _MAX_SPANS):
            piece = spans[first : first + _MAX_SPANS]
            more = len(json.dumps([entry.to_json(), piece]))
            if some and size + more > _MAX_WANTED:
                yield some
                some, size = [], 0
            some.append((entry, piece))
            size += more
    if some:
        yield some


def _ask(folder: Path, **question: Any) -> dict[str, Any]:
    """The answer; each thread has a connection of its own."""
    connection = _connection(folder)
    connection.write(json.dumps(question).encode() + b"\n")
    connection.flush()
    answer: dict[str, Any] = json.loads(connection.readline() or _NO_ANSWER)
    if answer.get("error") == FailureKind.BAD_INPUT:
        raise DataError(*answer["parts"])
    if "error" in answer:
        raise StepFailed("fetch", FailureKind(answer["error"]), answer["message"])
    return answer


def _connection(folder: Path) -> IO[bytes]:
    key = (os.getpid(), folder)
    if getattr(_open, "key", None) != key:
        with socket.socket(socket.AF_UNIX) as client, short_address(folder, _NAME) as address:
            client.connect(address)
            _open.key, _open.file = key, client.makefile("rwb")
    file: IO[bytes] = _open.file
    return file
