"""Step `prepare`: the user's function that makes a data set, in the service environment."""

from __future__ import annotations

from litegate.entry_point import produce
from litegate.records import Produced, ProduceRequest
from litegate.work import Work

__all__ = ["run"]


def run(request: ProduceRequest, work: Work) -> Produced:
    """Call the function, and put the file that it returns at the request's URI."""
    return produce(request, work)
