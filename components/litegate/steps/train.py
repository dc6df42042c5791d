"""Step `train`: the user's function that trains a model, in the lean TensorFlow environment."""

from __future__ import annotations

from litegate.entry_point import produce
from litegate.records import Produced, ProduceRequest
from litegate.work import Work

__all__ = ["run"]


def run(request: ProduceRequest, work: Work) -> Produced:
    """Call the function, and put the file that it returns at the request's URI."""
    return produce(request, work)
