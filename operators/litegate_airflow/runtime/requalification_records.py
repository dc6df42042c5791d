"""What the tasks of a requalify DAG leave in XCom for each other."""

from __future__ import annotations

from litegate.records import (
    Candidate,
    ChampionEvidence,
    Drift,
    Evaluated,
    FoundChampion,
    Requalification,
    Snapshot,
    Verdict,
)
from litegate_airflow.runtime.run_records import RunRecords

__all__ = ["CONCLUSION", "RequalificationRecords"]

CONCLUSION = "acted"


class RequalificationRecords(RunRecords):
    """What the earlier tasks of this requalification found; raises as `RunRecords` does."""

    def snapshot(self) -> Snapshot:
        """The fresh data as they were listed."""
        return self._one(Snapshot, "snapshot")

    def evidence(self) -> ChampionEvidence:
        """The champion and what it was judged by; the task is skipped where there is none."""
        found = self._one(FoundChampion, "fetch_champion").champion
        assert found is not None, "the tasks that need it are skipped with fetch_champion"
        return found

    def evaluated(self) -> Evaluated:
        """The champion's outcomes on the fresh data."""
        return self._one(Evaluated, "evaluate_champion")

    def pair(self) -> tuple[Candidate, Candidate]:
        """Baseline and champion as measured."""
        champion = self.evidence()
        baseline = self._one(Evaluated, "evaluate_baseline")
        return (
            Candidate(artifact=champion.baseline, evaluated=baseline),
            Candidate(artifact=champion.artifact, evaluated=self.evaluated()),
        )

    def verdict(self) -> Verdict:
        """The gate's answer about the champion."""
        variant = self.evidence().artifact.variant
        return next(verdict for verdict in self.verdicts() if verdict.variant == variant)

    def drift(self) -> Drift:
        """How far the fresh data are from those of then."""
        return self._one(Drift, "drift")

    def requalification(self) -> Requalification:
        """The requalification as recorded in MLflow."""
        return self._one(Requalification, "record")
