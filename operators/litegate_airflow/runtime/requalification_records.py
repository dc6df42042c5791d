"""What the tasks of a requalify DAG leave in XCom for each other."""

from __future__ import annotations

from functools import partial

from litegate.pipeline.tasks import REQUALIFICATION, task_of
from litegate.records import (
    Candidate,
    ChampionEvidence,
    Drift,
    Evaluated,
    FoundChampion,
    Requalification,
    Snapshot,
    Verdict,
    Verdicts,
)
from litegate.variants import BASELINE, CHAMPION
from litegate_airflow.runtime.run_records import RunRecords

__all__ = ["CONCLUSION", "RequalificationRecords"]

CONCLUSION = "acted"
"""XCom key of what came of a requalification, also where the task then fails."""

_of = partial(task_of, tasks=REQUALIFICATION)


class RequalificationRecords(RunRecords):
    """What the earlier tasks of this requalification found; raises as `RunRecords` does."""

    def snapshot(self) -> Snapshot:
        """The fresh data as they were listed."""
        return self.returned(Snapshot, _of("snapshot"))

    def evidence(self) -> ChampionEvidence:
        """The champion and what it was judged by; the task is skipped where there is none."""
        found = self.returned(FoundChampion, _of("fetch_champion_evidence")).champion
        assert found is not None, "the tasks that need it are skipped with fetch_champion"
        return found

    def evaluated(self) -> Evaluated:
        """The champion's outcomes on the fresh data."""
        return self.returned(Evaluated, _of("evaluate", CHAMPION))

    def pair(self) -> tuple[Candidate, Candidate]:
        """Baseline and champion as measured."""
        champion = self.evidence()
        baseline = self.returned(Evaluated, _of("evaluate", BASELINE))
        return (
            Candidate(artifact=champion.baseline, evaluated=baseline),
            Candidate(artifact=champion.artifact, evaluated=self.evaluated()),
        )

    def verdict(self) -> Verdict:
        """The gate's answer about the champion."""
        variant = self.evidence().artifact.variant
        return next(verdict for verdict in self.returned(Verdicts, _of("gate")).verdicts if verdict.variant == variant)

    def drift(self) -> Drift:
        """How far the fresh data are from those of then."""
        return self.returned(Drift, _of("drift"))

    def requalification(self) -> Requalification:
        """The requalification as recorded in MLflow."""
        return self.returned(Requalification, _of("requalify"))
