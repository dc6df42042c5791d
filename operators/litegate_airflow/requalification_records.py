"""What the tasks of a requalify DAG leave in XCom for each other."""

from __future__ import annotations

from litegate.records import Candidate, Drift, Evaluated, FoundIncumbent, Incumbent, Pinned, Requalification, Verdict
from litegate_airflow.run_records import RunRecords

__all__ = ["CONCLUSION", "RequalificationRecords"]

CONCLUSION = "conclusion"


class RequalificationRecords(RunRecords):
    """What the earlier tasks of this requalification found; raises as `RunRecords` does."""

    def pinned(self) -> Pinned:
        """The fresh data, pinned."""
        return self._one(Pinned, "pin")

    def incumbent(self) -> Incumbent:
        """The champion and what it was judged by; the task is skipped where there is none."""
        found = self._one(FoundIncumbent, "fetch_champion").incumbent
        assert found is not None, "the tasks that need it are skipped with fetch_champion"
        return found

    def evaluated(self) -> Evaluated:
        """The champion's outcomes on the fresh data."""
        return self._one(Evaluated, "evaluate_champion")

    def pair(self) -> tuple[Candidate, Candidate]:
        """Baseline and champion as measured."""
        incumbent = self.incumbent()
        baseline = self._one(Evaluated, "evaluate_baseline")
        return (
            Candidate(artifact=incumbent.baseline, evaluated=baseline),
            Candidate(artifact=incumbent.champion, evaluated=self.evaluated()),
        )

    def verdict(self) -> Verdict:
        """The gate's answer about the champion."""
        variant = self.incumbent().champion.variant
        return next(verdict for verdict in self.verdicts() if verdict.variant == variant)

    def drift(self) -> Drift:
        """How far the fresh data are from those of then."""
        return self._one(Drift, "drift")

    def requalification(self) -> Requalification:
        """The requalification as recorded in MLflow."""
        return self._one(Requalification, "record")
