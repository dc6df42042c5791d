"""Step `infer_schema`: what a dataset holds, for a spec that is yet to be written."""

from __future__ import annotations

from litegate.datasets.schema import infer_schema
from litegate.records import InferredSchema, InferSchemaRequest
from litegate.work.step_work import Work

__all__ = ["run"]


def run(request: InferSchemaRequest, work: Work) -> InferredSchema:
    """Count the samples, and look at the fields of the first.

    Raises:
        DataError: the dataset cannot be read, or has no samples.
    """
    found = infer_schema(request.data, work, request.where, request.inputs)
    work.say("infer_schema: %s holds %s samples of %s", request.data.uri, f"{found.samples:,}", ", ".join(found.fields))
    return found
