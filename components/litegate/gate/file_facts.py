"""What rules a variant out whatever it scored: facts about its file, its latency and how it was measured.

A limit that is met exactly is kept. What is not known counts as broken.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from fractions import Fraction

from litegate.gate.device_facts import DEVICE_CLAUSES, DEVICE_LIMITS, device_refusals
from litegate.presentation.benchmarks import benchmark_conditions, latency_share
from litegate.records import Benchmark, Candidate, GateRequest, LatencyRatio, Reason
from litegate.spec import Gate
from litegate.variants import BASELINE, RECOVERED, TARGETS, may_run, variant_of

__all__ = ["FILE_CLAUSES", "LIMITS", "refusals"]

FILE_CLAUSES = DEVICE_CLAUSES | {
    "allow",
    "max_bytes",
    "min_size_ratio",
    "max_latency_ratio",
    "latency_host",
    "integer_only",
}
"""Keys of the policy that are judged here; no sample says anything about them."""
LIMITS = DEVICE_LIMITS | {
    "too_large",
    "too_little_smaller",
    "too_slow",
    "not_integer_only",
    "dead_output",
    "wrong_target",
}
"""Reasons by which a file that was built and measured breaks the policy; all others say that it was not."""

_SCHEMES = {
    "uint8": "int8",
    "int8_float_fallback": "mixed",
    "int16x8_float_fallback": "mixed",
    "int16x8_integer_io": "int16x8",
}
"""What variants are by their bytes, where that has another name."""


def refusals(request: GateRequest, variant: str) -> tuple[Reason, ...]:
    """Why a variant may not ship whatever it scored; empty if nothing speaks against it."""
    reasons = [*_failures(request, variant), *_target(request.target, variant)]
    for candidate in request.candidates:
        if candidate.artifact.variant == variant:
            reasons += _target_of_given(request.target, candidate)
            reasons += _measurement(request, candidate)
            reasons += _size(request.policy, candidate, request.baseline)
            reasons += device_refusals(request.policy, candidate)
            reasons += _latency(request.policy, candidate, request.baseline)
            reasons += _inspection(candidate)
            reasons += _integers(request.policy, candidate)
            reasons += _dead_outputs(request.policy, candidate)
    return tuple(reasons)


def _failures(request: GateRequest, variant: str) -> Iterator[Reason]:
    """What broke on the way: a variant whose benchmark failed is not whole, even if its accuracy is known."""
    for failure in request.failures:
        if failure.variant == variant:
            yield Reason(code=f"{failure.step}_{failure.kind}", message=f"{failure.step} failed: {failure.message}")


def _target(target: str, variant: str) -> Iterator[Reason]:
    if not may_run(target, variant):
        yield Reason(code="wrong_target", message=f"{target} cannot run {variant}")


def _target_of_given(target: str, candidate: Candidate) -> Iterator[Reason]:
    """A file that was given is what its bytes say; what is not known, the target cannot run."""
    variant = variant_of(candidate.artifact.variant)
    if variant.recipe is not None or target == "cpu":
        return
    schemes = {_SCHEMES.get(name, name) for name in TARGETS[target].runnable}
    found = candidate.inspection.scheme if candidate.inspection else "not inspected"
    if variant.name == RECOVERED and _of_integers(candidate) and {"int8", "int16x8"} <= schemes:
        return
    if found not in schemes:
        message = f"{target} runs files that are {' or '.join(sorted(schemes))} by their bytes, and this one is {found}"
        yield Reason(code="wrong_target", message=message)


def _of_integers(candidate: Candidate) -> bool:
    """Whether integers are all that it computes on: 8 bits and 16 bits side by side are called mixed."""
    return candidate.inspection is not None and candidate.inspection.float_operators == 0


def _measurement(request: GateRequest, candidate: Candidate) -> Iterator[Reason]:
    """Everything was measured on the files at hand, and by one metric."""
    compared = [candidate, request.baseline, *([request.champion] if request.champion else [])]
    for item in compared:
        name, evaluated = item.artifact.variant, item.evaluated
        if evaluated.artifact_digest != item.artifact.file.digest:
            message = f"the outcomes of {name} belong to another file than the one at hand"
            yield Reason(code="digest_mismatch", message=message)
        if evaluated.metric != candidate.evaluated.metric:
            message = f"{name} was measured with another metric ({evaluated.metric.name})"
            yield Reason(code="metric_mismatch", message=message)
    yield from _references(request, candidate)


def _references(request: GateRequest, candidate: Candidate) -> Iterator[Reason]:
    """A variant whose evaluation could end early ran beside the files that it is compared with."""
    found: dict[str, str] = {reference.role: reference.artifact_digest for reference in candidate.evaluated.references}
    expected = {"baseline": request.baseline.artifact.file.digest}
    champion = request.champion and request.champion.artifact.file.digest
    if champion and champion != candidate.artifact.file.digest:  # nothing runs beside itself
        expected["champion"] = champion
    for role, digest in expected.items() if found else ():
        if found.get(role) != digest:
            message = f"it did not run beside the {role} at hand: clear its evaluation"
            yield Reason(code="digest_mismatch", message=message)


def _size(policy: Gate, candidate: Candidate, baseline: Candidate) -> Iterator[Reason]:
    ours, theirs = candidate.artifact.file.bytes, baseline.artifact.file.bytes
    if policy.max_bytes is not None and ours > policy.max_bytes:
        yield Reason(code="too_large", message=f"{ours:,} bytes, at most {policy.max_bytes:,} allowed")
    if policy.min_size_ratio is not None and theirs < _exact(policy.min_size_ratio) * ours:
        found = f"{theirs / ours:.4g} times smaller than {BASELINE} ({ours:,} bytes, {theirs:,} bytes)"
        wanted = f"at least {policy.min_size_ratio:g} times asked for"
        yield Reason(code="too_little_smaller", message="; ".join([f"{found}, {wanted}", *_kept_in_float(candidate)]))


def _kept_in_float(candidate: Candidate) -> list[str]:
    """The operators that hardly shrank."""
    findings = candidate.inspection.findings if candidate.inspection else ()
    return [finding.message for finding in findings if finding.code == "float_weights"]


def _latency(policy: Gate, candidate: Candidate, baseline: Candidate) -> Iterator[Reason]:
    limit, ours, theirs = policy.max_latency_ratio, candidate.benchmark, baseline.benchmark
    if limit is None:
        return
    unknown = [said for item in (candidate, baseline) if (said := _unknown(item)) is not None]
    if ours is None or theirs is None or unknown:
        yield Reason(code="latency_unknown", message=f"the latency of {' and '.join(unknown)}")
    elif ours.software or theirs.software:
        yield Reason(code="latency_unknown", message=f"its latency was measured on {ours.host}, not on the target's")
    elif {ours.host, theirs.host} != {policy.latency_host or theirs.host}:
        yield Reason(code="other_host", message=_hosts(policy, ours, theirs))
    elif ours.ratio is None:
        yield Reason(code="latency_unknown", message=f"it was not timed beside {BASELINE}: its share is not known")
    elif _exact(ours.ratio.high) > _exact(limit):
        yield _too_slow(ours, ours.ratio, limit)


def _too_slow(ours: Benchmark, ratio: LatencyRatio, limit: float) -> Reason:
    """Nothing less than the whole interval has to keep the limit."""
    proved = _exact(ratio.low) > _exact(limit)
    said = "" if proved else ": an interval that includes the limit proves nothing"
    message = f"its latency is {latency_share(ratio)} ({benchmark_conditions(ours)}), at most {limit:g} allowed{said}"
    return Reason(code="too_slow" if proved else "latency_undecided", message=message)


def _unknown(candidate: Candidate) -> str | None:
    name, benchmark = candidate.artifact.variant, candidate.benchmark
    if benchmark is None:
        return f"{name} is not known"
    return None if _is_positive(benchmark.latency_ms) else f"{name} cannot be {benchmark.latency_ms:g} ms"


def _hosts(policy: Gate, ours: Benchmark, theirs: Benchmark) -> str:
    found = f"its latency was measured on {ours.host}, that of {BASELINE} on {theirs.host}"
    return (
        f"{found}; {f'only {policy.latency_host} counts' if policy.latency_host else 'only one host can be compared'}"
    )


def _inspection(candidate: Candidate) -> Iterator[Reason]:
    """What was inspected and tried is the very file at hand, and nothing was found that it cannot ship with."""
    inspection, smoke, digest = candidate.inspection, candidate.smoke, candidate.artifact.file.digest
    for name, found in (("inspection", inspection), ("smoke run", smoke)):
        if found is not None and found.artifact_digest != digest:
            yield Reason(code="digest_mismatch", message=f"the {name} is of another file: clear its task")
    if inspection is not None and inspection.blocking:
        message = f"it breaks the 8-bit quantization specification: {', '.join(inspection.blocking)}"
        yield Reason(code="inspect_specification", message=message)


def _integers(policy: Gate, candidate: Candidate) -> Iterator[Reason]:
    if not policy.integer_only:
        return
    tensors = tuple(_float_tensors(candidate))
    if candidate.inspection is None:
        yield Reason(code="not_integer_only", message="its operators were not read, integers only are allowed")
    elif candidate.inspection.float_operators or tensors:
        names = candidate.inspection.float_names
        found = [f"operators {', '.join(names)}"] * bool(names)
        found += [f"inputs or outputs {', '.join(tensors)}"] * bool(tensors)
        message = f"float {' and '.join(found)}, integers only are allowed"
        yield Reason(code="not_integer_only", message=message)


def _dead_outputs(policy: Gate, candidate: Candidate) -> Iterator[Reason]:
    """A metric that looks at other outputs passes where one says nothing any more."""
    if candidate.smoke is None or "dead_output" in policy.allow:
        return
    for dead in candidate.smoke.dead:
        if dead.certain:
            yield Reason(code="dead_output", message=f"{dead} (gate.allow: [dead_output] lets it pass)")


def _float_tensors(candidate: Candidate) -> Iterator[str]:
    for signature in candidate.artifact.signatures.values():
        for name, tensor in (signature.inputs | signature.outputs).items():
            if "float" in tensor.dtype:
                yield f"{name} ({tensor.dtype})"


def _is_positive(latency: float) -> bool:
    return math.isfinite(latency) and latency > 0


def _exact(value: float) -> Fraction:
    """The decimal number as people write it: 0.9 is three times 0.3, which it is not in binary."""
    return Fraction(str(value))
