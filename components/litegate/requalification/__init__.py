"""Whether the champion still is what it was promoted for: drift of the data, and what follows."""

from __future__ import annotations

from litegate.requalification.acting import action_of, reason_of
from litegate.requalification.comparing import compared, predictions_psi
from litegate.requalification.findings import drift_sentence, findings_of, of_predictions, sentence_of
from litegate.requalification.statistics import statistics_of

__all__ = [
    "action_of",
    "compared",
    "drift_sentence",
    "findings_of",
    "of_predictions",
    "predictions_psi",
    "reason_of",
    "sentence_of",
    "statistics_of",
]
