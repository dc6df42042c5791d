"""Charts that are drawn in a process of their own, beside whatever is done meanwhile.

In a thread they would keep all others waiting: Matplotlib computes for a second, and whoever has an answer from MLflow
must wait for it to pause.
"""

from __future__ import annotations

import multiprocessing
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import partial
from multiprocessing.connection import Connection
from typing import Any

from litegate.records import ClassLoss, RegisterRequest, RunResult
from litegate.report import Pictures, drawn

__all__ = ["drawing"]


@contextmanager
def drawing(
    request: RegisterRequest, result: RunResult, classes: Mapping[str, Sequence[ClassLoss]]
) -> Iterator[Callable[[], Pictures]]:
    """Begin to draw; the charts are there for whoever asks for them, and waits.

    A fork is made of this process, which should have no other threads yet. It ends with the block.

    Args:
        request, result, classes: those of `litegate.report.drawn`.

    Raises:
        RuntimeError: from what it gives: the process has ended without charts. What it raises itself is raised as well.
    """
    context: Any = multiprocessing.get_context("fork")
    ours, theirs = context.Pipe(duplex=False)
    process = context.Process(target=_draw, args=(partial(drawn, request, result, classes), theirs), daemon=True)
    process.start()
    theirs.close()
    try:
        yield lambda: _received(process, ours)
    finally:
        process.kill()
        process.join()
        ours.close()


def _draw(draw: Callable[[], Pictures], pipe: Connection) -> None:
    said: Pictures | Exception
    try:
        said = draw()
    except Exception as error:
        said = error
    pipe.send(said)


def _received(process: Any, pipe: Connection) -> Pictures:
    try:
        said: Pictures | Exception = pipe.recv()
    except EOFError:
        process.join()
        raise RuntimeError(f"the process that draws the charts ended with {process.exitcode}") from None
    if isinstance(said, Exception):
        raise said
    return said
