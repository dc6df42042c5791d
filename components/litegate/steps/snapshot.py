"""Step `snapshot`: pin the fresh data of a requalification, and the code that reads and measures them."""

from __future__ import annotations

from litegate.datasets.snapshots import snapshot_code, snapshot_data, snapshot_metric
from litegate.errors import SpecError
from litegate.records import Snapshot, SnapshotRequest
from litegate.work.step_work import Work

__all__ = ["run"]


def run(request: SnapshotRequest, work: Work) -> Snapshot:
    """List the fresh data as they are now.

    Raises:
        DataError: there is nothing at their address.
        SpecError: the spec has no such data, or its code cannot be used.
    """
    spec = request.spec
    if spec.requalify is None:
        raise SpecError("requalify", "a section with fresh data", "none")
    metric, metric_code = snapshot_metric(spec, request.folder)
    return Snapshot(
        spec=spec,
        data=snapshot_data(spec.requalify, "requalify.uri", work),
        metric=metric,
        metric_code=metric_code,
        decoder=snapshot_code(spec.evaluation.decoder, request.folder, "evaluation.decoder"),
        preprocess=snapshot_code(spec.preprocess, request.folder, "preprocess"),
    )
