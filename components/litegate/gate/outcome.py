"""What verdicts come to, for each variant and for a run: rejected, undecided and failed are three different things.

Every command, the front door of Python and the record of a run ask here.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from types import MappingProxyType

from litegate.exit_codes import ExitCode
from litegate.gate.file_facts import LIMITS
from litegate.gate.selection import is_refuted
from litegate.records import RunOutcome, VariantOutcome, Verdict

__all__ = ["EXIT_CODES", "run_outcome", "variant_outcome"]

EXIT_CODES: Mapping[RunOutcome, ExitCode] = MappingProxyType(
    {
        "passed": ExitCode.DONE,
        "rejected": ExitCode.REJECTED,
        "undecided": ExitCode.UNDECIDED,
        "failed": ExitCode.FAILED,
    }
)
_ANY: tuple[RunOutcome, ...] = ("passed", "undecided", "rejected", "failed")
"""Which outcome of a variant is a run's where any that passes will do: samples that are missing can still be had."""
_ALL: tuple[RunOutcome, ...] = ("rejected", "failed", "undecided", "passed")
"""The same where all have to pass: more samples help only where nothing else is in the way."""
_OPEN = "latency_undecided"
_CLAUSES = ("within", "above", "undecided")
"""Begin the codes of the reasons that clauses give."""


def variant_outcome(verdict: Verdict, refuted: Collection[str] = ()) -> VariantOutcome:
    """What a verdict means for whoever waits for it.

    Args:
        refuted: digests of files that were measured to break the policy, whatever they are called.

    Returns:
        `rejected`: it breaks the policy; `undecided`: more evidence would decide; `failed`: it could not be built, or
        not be measured.
    """
    if verdict.state == "baseline":
        return "baseline"
    if verdict.digest in refuted or is_refuted(verdict):
        return "rejected"
    if verdict.state != "failed":
        return "passed" if verdict.state == "passed" else "undecided"
    against = {reason.code for reason in verdict.reasons if reason.code.partition("_")[0] not in _CLAUSES}
    if not against or against - LIMITS - {_OPEN}:
        return "failed"
    return "rejected" if against & LIMITS else "undecided"


def run_outcome(variants: Mapping[str, VariantOutcome], required: Collection[str] = ()) -> RunOutcome:
    """What the outcomes of all variants come to.

    Args:
        required: variants that all have to pass, and alone decide; if there are none, any that passes does. One that
            was not made has not passed.
    """
    found = {variants.get(name, "rejected") for name in required or variants}
    return next((outcome for outcome in (_ALL if required else _ANY) if outcome in found), "failed")
