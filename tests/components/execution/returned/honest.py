"""For each step a request, and the result and the files that an honest child would hand back for it."""

from __future__ import annotations

from collections.abc import Callable

from tests.components.execution.returned import honest_decisions, honest_files, honest_inputs
from tests.components.execution.returned.world import SECRET, Case, World

__all__ = ["HONEST", "SECRET", "Case", "World"]

HONEST: dict[str, Callable[[World], Case]] = {
    function.__name__: function
    for function in (
        honest_inputs.prepare,
        honest_inputs.train,
        honest_inputs.resolve,
        honest_inputs.snapshot,
        honest_files.convert,
        honest_inputs.infer_schema,
        honest_inputs.sample,
        honest_inputs.lint,
        honest_files.conversion_check,
        honest_files.calibrate,
        honest_files.quantize,
        honest_inputs.device_samples,
        honest_files.inspect,
        honest_files.smoke,
        honest_files.benchmark,
        honest_files.evaluate,
        honest_files.evaluate_shard,
        honest_decisions.gate,
        honest_decisions.drift,
        honest_decisions.fetch_champion,
        honest_decisions.fetch_champion_evidence,
        honest_decisions.fetch_version,
        honest_decisions.fetch_evidence,
        honest_decisions.register,
        honest_decisions.promote,
        honest_decisions.decide,
        honest_decisions.ledger,
        honest_decisions.read_ledger,
        honest_decisions.requalify,
        honest_decisions.act,
        honest_decisions.clean,
    )
}
