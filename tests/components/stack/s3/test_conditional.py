from __future__ import annotations

import threading
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from litegate.stack.s3.conditional import Conditional


class Slow:
    """Looks whether something is there, lets others come, and writes then."""

    def __init__(self) -> None:
        self.there = False
        self.busy, self.go_on = threading.Event(), threading.Event()

    def __call__(self, environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        if environ["REQUEST_METHOD"] == "GET":
            yield b"read"
            return
        found = self.there
        self.busy.set()
        self.go_on.wait(60)
        self.there = True
        yield b"412" if found else b"200"


def ask(application: Conditional, method: str = "PUT", **headers: str) -> bytes:
    return b"".join(application({"REQUEST_METHOD": method, **headers}, lambda *_: None))


def test_of_conditional_writes_at_once_one_succeeds_and_readers_do_not_wait() -> None:
    slow = Slow()
    application = Conditional(slow)
    with ThreadPoolExecutor(4) as pool:
        writes = [pool.submit(ask, application, HTTP_IF_NONE_MATCH="*") for _ in range(4)]
        assert slow.busy.wait(60)
        assert ask(application, "GET") == b"read"
        slow.go_on.set()
        assert sorted(write.result() for write in writes) == [b"200", b"412", b"412", b"412"]
