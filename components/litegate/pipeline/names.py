"""Names for what was measured of a file: equal bytes are measured once, and every variant that has them gets a row."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from litegate.records import (
    Evaluated,
    EvaluateFilesRequest,
    EvaluateRequest,
    Evaluations,
    Failure,
    FileEvaluation,
    FileEvaluations,
    FileFailure,
    FileSmokeRun,
    Record,
    SmokeRequest,
    SmokeRun,
)

__all__ = ["named"]

_NAMED: Mapping[type[Record], type[Record]] = MappingProxyType({FileEvaluation: Evaluated, FileSmokeRun: SmokeRun})


def named(request: Record, result: Record) -> Record:
    """A result as one about the variant that the request is for; as it is where it is not about a file alone."""
    if isinstance(request, EvaluateFilesRequest) and isinstance(result, FileEvaluations):
        return _evaluations(request, result)
    if not isinstance(request, EvaluateRequest | SmokeRequest):
        return result
    return _NAMED[type(result)].model_validate(dict(result) | {"variant": request.artifact.variant})


def _evaluations(request: EvaluateFilesRequest, result: FileEvaluations) -> Evaluations:
    done: list[Evaluated] = []
    failures: list[Failure] = []
    for asked, found in zip(request.files, result.files, strict=True):
        variant = asked.artifact.variant
        if isinstance(found, FileFailure):
            failures.append(Failure(step="evaluate", kind=found.kind, message=found.message, variant=variant))
        else:
            done.append(Evaluated.model_validate(dict(found) | {"variant": variant}))
    return Evaluations(done=tuple(done), failures=tuple(failures))
