"""Start, find and stop the stack of a home folder."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from urllib.parse import urlsplit

from litegate import disk
from litegate.errors import BadInput, DiskFull, StackError
from litegate.stack import logs
from litegate.stack.ending import last_error
from litegate.stack.home import Home
from litegate.stack.ports import Asked, Claim, claimed
from litegate.stack.processes import MARKER, kill_marked
from litegate.stack.servers import START_LIMIT, listens, unhealthy
from litegate.stack.state import Stack

__all__ = ["running", "start", "stop"]

_STOP_LIMIT = 90

Progress = Callable[[tuple[str, ...]], None]


def _silently(waiting: tuple[str, ...]) -> None:
    pass


def start(home: Home, progress: Progress = _silently, asked: Asked | None = None) -> tuple[Stack, bool]:
    """Bring the stack up, or find it up; two that start it at once get the same one.

    Args:
        progress: is called with the names of the servers that are not healthy yet, again and again.
        asked: ports that the servers are to have.

    Returns:
        The stack, all of it healthy, and whether it was started by this call.

    Raises:
        BadInput: a port that is asked for is taken, or the servers run with another one.
        StackError: with the end of the log of the server that failed; nothing is left running.
    """
    with home.lock("start"):
        stack = Stack.read(home)
        found = stack is not None and stack.alive and stack.phase != "stopping"
        if stack is not None and found:
            _check_asked(stack, asked or Asked())
        else:
            stop(home)
        try:
            if not found:
                _launch(home, asked)
            return _wait_until_ready(home, progress), not found
        except BaseException as error:
            if not found:
                _end_failed(home, error)
            raise


def running(home: Home) -> Stack | None:
    """The home's stack if its supervisor runs, healthy or not."""
    stack = Stack.read(home)
    return stack if stack is not None and stack.alive else None


def stop(home: Home) -> bool:
    """End the stack and all that it left behind; returns whether there was one.

    Raises:
        StackError: if a process of the stack could not be ended.
    """
    stack = Stack.read(home)
    if stack is None:
        return False
    _end(stack)
    stack.forget(home)
    return True


def _end_failed(home: Home, error: BaseException) -> None:
    """End what has begun, and keep why it failed for those who ask later."""
    stack = Stack.read(home)
    if stack is None:
        return
    _end(stack)
    if isinstance(error, StackError | DiskFull):
        stack.model_copy(update={"phase": "failed", "error": str(error)}).write(home)
    else:
        stack.forget(home)


def _end(stack: Stack) -> None:
    if stack.alive:
        os.kill(stack.pid, signal.SIGTERM)
    deadline = time.monotonic() + _STOP_LIMIT
    while stack.alive and time.monotonic() < deadline:
        time.sleep(0.1)
    if left := kill_marked(stack.marker):
        raise StackError(f"these processes of the stack cannot be ended: {', '.join(str(p.pid) for p in left)}")


def _check_asked(stack: Stack, asked: Asked) -> None:
    for server, url in (("airflow", stack.airflow_url), ("mlflow", stack.mlflow_url)):
        port = asked.of(server)
        if port is not None and port != urlsplit(url).port:
            raise BadInput(f"--{server}-port", "servers that are stopped (`litegate stop`)", f"one that runs at {url}")


def _launch(home: Home, asked: Asked | None) -> None:
    if short := disk.shortage(home.root):
        raise StackError(short)
    with claimed(home, asked) as claim:
        _launch_at(home, claim)


def _launch_at(home: Home, claim: Claim) -> None:
    stack = Stack.plan(home, dict(os.environ), claim.ports)
    if not stack.embedded_s3 and not listens(stack.s3_url):
        raise StackError(f"the S3 server that AWS_ENDPOINT_URL_S3 names does not answer: {stack.s3_url}")
    logs.rotate(home.root / "logs")
    # Before the supervisor exists: whatever happens next, `stop` knows what to look for.
    stack.write(home)
    with home.log("supervisor").open("ab") as output:
        process = subprocess.Popen(
            [sys.executable, "-m", "litegate.stack", str(home.root)],
            env=os.environ | {MARKER: stack.marker},
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
            pass_fds=claim.descriptors,  # the supervisor has the ports for as long as it lives
        )
    while process.poll() is None and (Stack.read(home) or stack).pid == 0:
        time.sleep(0.05)
    process.returncode = process.returncode or 0  # It is meant to outlive us: nobody will wait for it.


def _wait_until_ready(home: Home, progress: Progress) -> Stack:
    deadline = time.monotonic() + START_LIMIT + 30
    while time.monotonic() < deadline:
        stack = Stack.read(home)
        if stack is None or not stack.alive:
            raise _failure(home, stack)
        waiting = stack.waiting if stack.phase == "starting" else unhealthy(stack)
        if stack.phase == "ready" and not waiting:
            return stack
        progress(waiting)
        time.sleep(0.25)
    text = f"the servers are not healthy: {', '.join(waiting)}; see {home.root / 'logs'}"
    raise StackError("\n".join(filter(None, (text, last_error(home, stack) if stack else None))))


def _failure(home: Home, stack: Stack | None) -> StackError:
    if stack is None:
        return StackError("somebody stopped the servers while they started")
    return StackError(last_error(home, stack) or f"the supervisor ended; see {home.log('supervisor')}")
