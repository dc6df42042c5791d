"""From counts to rates with their Monte-Carlo error, a table for people and the numbers that are kept."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from scipy.stats import binomtest

from tests.benchmarks.cases import LARGE
from tests.benchmarks.simulate import Case, Counts

__all__ = ["ALPHA", "HEADLINE", "Row", "headline", "line", "problems", "title"]

ALPHA = 0.05
"""What the gate states: one minus the confidence of the spec's default."""
HEADLINE = (
    "false_pass_at_limit",
    "false_pass_at_limit_sequential",
    "false_pass_clustered",
    "false_pass_two_phase",
    "false_pass_searched",
    "false_pass_searched_on_the_same",
    "power_perfect",
    "power_perfect_clustered",
    "power_perfect_two_phase",
    "naive_rejects_perfect",
)
"""What `headline` says."""


@dataclass(frozen=True)
class Row:
    """A case with its counts: of runs with a variant at the limit, and of perfect variants."""

    case: Case
    at_limit: Counts
    perfect: Counts

    def to_json(self) -> dict[str, Any]:
        """The row as plain values; rates are None where nothing was simulated."""
        limit, perfect = self.at_limit, self.perfect
        return {
            "metric": self.case.metric,
            "policy": self.case.policy,
            "samples": self.case.samples,
            "limit": self.case.limit,
            "design": self.case.design,
            "claimed": self.case.claimed,
            "clustered": self.case.clustered,
            "two_phase": self.case.two_phase,
            "searched": self.case.searched,
            "draws": limit.trials,
            "false_pass": rate(limit.passed, limit.trials),
            "false_pass_error": error(limit),
            "false_pass_upper": upper(limit),
            "naive_false_pass": rate(limit.naive_passed, limit.trials),
            "perfect_draws": perfect.trials,
            "power": rate(perfect.passed, perfect.trials),
            "power_error": error(perfect),
            "naive_rejects_perfect": rate(perfect.trials - perfect.naive_passed, perfect.trials),
            "mean_samples_at_limit": rate(limit.seen, limit.judged),
            "mean_samples_perfect": rate(perfect.seen, perfect.judged),
        }


def rate(count: int, of: int) -> float | None:
    return count / of if of else None


def error(counts: Counts) -> float | None:
    """Standard error of the share that passed."""
    share = rate(counts.passed, counts.trials)
    return None if share is None else (share * (1 - share) / counts.trials) ** 0.5


def upper(counts: Counts) -> float | None:
    """Upper end of the 95 % interval of Clopper and Pearson."""
    if not counts.trials:
        return None
    return float(binomtest(counts.passed, counts.trials).proportion_ci(0.95, "exact").high)


def problems(rows: list[Row]) -> list[str]:
    """Rows whose rate is above the stated one by more than chance explains (Bonferroni over all rows, 5 %)."""
    return [
        f"{row.case.metric}, {row.case.policy}, {row.case.samples:,} samples: passes at the limit in"
        f" {row.at_limit.passed} of {row.at_limit.trials} runs"
        for row in rows
        if row.case.claimed
        and row.at_limit.trials
        and binomtest(row.at_limit.passed, row.at_limit.trials, ALPHA, "greater").pvalue < 0.05 / len(rows)
    ]


def headline(rows: list[Row], naive: Row) -> dict[str, float]:
    """The worst of all rows for which the gate claims anything: of independent samples, of clusters, beside a host.

    Beside what is claimed of files that were searched for stands what it would be, were they judged on what tuned them.
    """
    two_phase = [row for row in rows if row.case.two_phase]
    clustered = [row for row in rows if row.case.clustered and not row.case.two_phase]
    searched = [row for row in rows if row.case.searched]
    independent = [row for row in rows if not (row.case.clustered or row.case.two_phase or row.case.searched)]
    sequential = [row for row in independent if row.case.design == "sequential"]
    return {
        "false_pass_at_limit": _largest([row for row in independent if row not in sequential]),
        "false_pass_at_limit_sequential": _largest(sequential),
        "false_pass_clustered": _largest(clustered),
        "false_pass_two_phase": _largest(two_phase),
        "false_pass_searched": _largest(searched),
        "false_pass_searched_on_the_same": max(_passing(row) for row in searched if not row.case.claimed),
        "power_perfect": _smallest([row for row in independent if row.case.samples == LARGE]),
        "power_perfect_clustered": _smallest(clustered),
        "power_perfect_two_phase": _smallest(two_phase),
        "naive_rejects_perfect": 1 - naive.perfect.naive_passed / naive.perfect.trials,
    }


def _largest(rows: list[Row]) -> float:
    return max(_passing(row) for row in rows if row.case.claimed and row.at_limit.trials)


def _passing(row: Row) -> float:
    return row.at_limit.passed / row.at_limit.trials


def _smallest(rows: list[Row]) -> float:
    return min(row.perfect.passed / row.perfect.trials for row in rows if row.perfect.trials)


def title() -> str:
    heads = ("passes at limit", "95 % upper", "naive", "passes perfect", "naive", "samples used")
    return f"{'metric':30} {'policy':34} {'samples':>7}  {'limit':18} " + " ".join(f"{head:>15}" for head in heads)


def line(row: Row) -> str:
    """One row of the table; samples used are those of runs at the limit, then those of perfect ones."""
    found = row.to_json()
    cells = (
        _percent(found["false_pass"], found["false_pass_error"]),
        _percent(found["false_pass_upper"]),
        _percent(found["naive_false_pass"]),
        _percent(found["power"], found["power_error"]),
        _percent(None if found["power"] is None else 1 - found["naive_rejects_perfect"]),
        "" if row.case.design == "fixed" else " / ".join(_count(found[f"mean_samples_{of}"]) for of in _RUNS),
    )
    case = row.case
    policy = case.policy if case.claimed else f"{case.policy} (no claim)"
    return f"{case.metric:30} {policy:34} {case.samples:7,}  {case.limit:18} " + " ".join(
        f"{cell:>15}" for cell in cells
    )


_RUNS = ("at_limit", "perfect")


def _count(value: float | None) -> str:
    return "-" if value is None else f"{value:,.0f}"


def _percent(value: float | None, error: float | None = None) -> str:
    if value is None:
        return "-"
    return f"{value:.1%}" if error is None else f"{value:.1%} +-{error:.1%}"
