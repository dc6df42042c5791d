"""Who is champion: a pure function of the ledger and of what the registry says of each version."""

from __future__ import annotations

from litegate.promotion.blocked import why_blocked
from litegate.promotion.chain import chained, check_chain, entry_digest
from litegate.promotion.refusals import outcome_refusal, refusal
from litegate.promotion.standing import Standing, VersionFacts, aliases_of, eligible_versions, standing_of

__all__ = [
    "Standing",
    "VersionFacts",
    "aliases_of",
    "chained",
    "check_chain",
    "eligible_versions",
    "entry_digest",
    "outcome_refusal",
    "refusal",
    "standing_of",
    "why_blocked",
]
