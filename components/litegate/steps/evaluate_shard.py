"""Step `evaluate_shard`: run .tflite files over one of several parts of the evaluation data.

The step `evaluate` merges what came of all of them.
"""

from __future__ import annotations

from litegate.evaluation.loaded import Loaded
from litegate.evaluation.shards import ShardPass
from litegate.records import FileShards, ShardFilesRequest
from litegate.work.step_work import Work

__all__ = ["run"]


def run(request: ShardFilesRequest, work: Work) -> FileShards:
    """Evaluate every file of the request on the shard; one that fails takes no other along.

    Raises:
        DataError: the data cannot be read or does not fit the model or the metric.
        SpecError: the user's metric cannot be used.
        StepFailed: a process died of the data or the user's code.
    """
    loaded = Loaded([each.file for each in request.files], work)
    number, of = request.files[0].number, request.files[0].of
    return FileShards(files=loaded.together(lambda files: ShardPass(files, loaded, work).run(number, of)))
