"""Step `gate`: gather the outcomes and the facts for the gate, let it judge all variants, and explain its verdicts."""

from __future__ import annotations

from litegate.gate import Design, Measured, judge
from litegate.gate.explain import agreement, class_losses, classes_csv, flips, sentence, slices_csv
from litegate.gate.file_facts import refusals
from litegate.gate.verdicts import compare
from litegate.lint.complete import evaluation_refusals
from litegate.metrics.loading import load_metric
from litegate.outcomes.columns import Outcomes
from litegate.records import Candidate, GateRequest, Reason, Verdict, Verdicts
from litegate.spec.metric_facts import MetricFacts
from litegate.variants import BASELINE
from litegate.work.step_work import Work

__all__ = ["run"]

_FLIPS, _CLASSES, _SLICES = 20, 5, 20
"""How many a verdict carries by itself; the files that it names hold all."""


def run(request: GateRequest, work: Work) -> Verdicts:
    """A verdict for the baseline and for every variant that was asked for, measured or not.

    Raises:
        SpecError: the user's metric of a whole set cannot be loaded.
        DataError: it gave a value outside of the range that it declares.
    """
    gate = _Judge(request, work)
    verdicts = [gate.baseline(), *gate.variants()]
    for verdict in verdicts:
        work.say("%s", verdict.sentence)
        for reason in verdict.reasons:
            work.say("  %s", reason.message)
    return Verdicts(verdicts=tuple(verdicts))


class _Judge:
    """One request, with the outcomes that it names."""

    def __init__(self, request: GateRequest, work: Work) -> None:
        self.request, self.work = request, work
        self.metric = request.baseline.evaluated.metric
        self.names = request.baseline.evaluated.classes
        self.value = None if self.metric.per_sample else load_metric(self.metric.name, request.metric_code).value
        self.whole: dict[str, Outcomes] = {"baseline": self._read(request.baseline)}
        self.meaningless = self._meaningless()
        if request.champion is not None:
            self.whole["champion"] = self._read(request.champion)

    def baseline(self) -> Verdict:
        """The row of the baseline itself, which is no candidate."""
        evaluated, outcomes = self.request.baseline.evaluated, self.whole["baseline"]
        value = _value_of(outcomes, self.metric, self.value)
        verdict = Verdict(
            variant=BASELINE,
            state="baseline",
            value=value,
            baseline=value,
            drop=0.0,
            drop_low=0.0,
            drop_high=0.0,
            samples=evaluated.samples,
            clusters=evaluated.clusters,
            available=evaluated.available,
            digest=self.request.baseline.artifact.file.digest,
        )
        return self._with_sentence(verdict)

    def variants(self) -> list[Verdict]:
        """Every variant that was asked for, in the order of the spec."""
        candidates = {candidate.artifact.variant: candidate for candidate in self.request.candidates}
        measured = [self._measured(name, candidates.get(name)) for name in self.request.variants]
        request = self.request
        verdicts = judge(request.policy, self.metric, measured, self.value, request.seed, self.names)
        return [self._explained(each, verdict) for each, verdict in zip(measured, verdicts, strict=True)]

    def _measured(self, name: str, candidate: Candidate | None) -> Measured:
        if candidate is None:
            return Measured(name, None, None, self.whole, refusals=self._refusals(name))
        evaluated, file = candidate.evaluated, candidate.artifact.file
        return Measured(
            name,
            file.digest,
            self._read(candidate),
            self._references(candidate),
            Design(evaluated.design, evaluated.analyses, evaluated.largest_group),
            evaluated.available,
            evaluated.class_samples,
            self._refusals(name),
            evaluated.slice_samples,
        )

    def _refusals(self, name: str) -> tuple[Reason, ...]:
        return (*self.meaningless, *refusals(self.request, name))

    def _meaningless(self) -> tuple[Reason, ...]:
        """Why no variant may pass, whatever it scored: the evaluation of float32 means nothing."""
        allow, evaluated = self.request.allow_evaluation, self.request.baseline.evaluated
        if allow is None:
            return ()
        complete = evaluated.samples == evaluated.available
        return evaluation_refusals(self.metric, self.whole["baseline"], complete, self.names, allow)

    def _references(self, candidate: Candidate) -> dict[str, Outcomes]:
        """What the variant is compared with: what ran beside it, or else what was evaluated by itself."""
        found = dict(self.whole)
        for reference in candidate.evaluated.references:
            found[reference.role] = Outcomes.read(self.work.path(reference.outcomes))
        champion = self.request.champion
        if champion is not None and champion.artifact.file.digest == candidate.artifact.file.digest:
            del found["champion"]  # it is the champion: nothing can be lost
        return found

    def _read(self, candidate: Candidate) -> Outcomes:
        return Outcomes.read(self.work.path(candidate.evaluated.outcomes))

    def _explained(self, measured: Measured, verdict: Verdict) -> Verdict:
        """The verdict with what a person wants to know: which samples flipped, which classes lost."""
        if verdict.drop is None or measured.outcomes is None:
            return self._with_sentence(verdict)
        comparison = compare(self.metric, measured.references["baseline"], measured.outcomes, measured.design)
        policy, names = self.request.policy, self.names
        unit = abs(verdict.baseline or 0.0) if policy.drop == "relative" else 1.0
        changed = flips(comparison.first, comparison.second, self.metric, policy.max_drop * unit)
        losses = class_losses(comparison, names, policy.confidence)
        files = {"flipped": changed.csv(names)} | ({"classes": classes_csv(losses)} if losses else {})
        files |= {"slices": slices_csv(verdict.slices)} if verdict.slices else {}
        explained = verdict.model_copy(
            update={
                "agreement": agreement(comparison.first, comparison.second),
                "classes": losses[:_CLASSES],
                "slices": verdict.slices[:_SLICES],
                "flipped": len(changed),
                "flips": changed.worst(_FLIPS),
                "explanation": tuple(
                    self.work.keep_bytes(content, f"{verdict.variant}-{name}.csv") for name, content in files.items()
                ),
            }
        )
        return self._with_sentence(explained)

    def _with_sentence(self, verdict: Verdict) -> Verdict:
        return verdict.model_copy(update={"sentence": sentence(verdict, self.metric, self.request.policy)})


def _value_of(outcomes: Outcomes, metric: MetricFacts, value: object) -> float | None:
    if metric.per_sample:
        return float(outcomes.score.mean()) if outcomes.score is not None and len(outcomes) else None
    assert callable(value)
    try:
        return float(value(outcomes.output, outcomes.target))
    except ValueError:  # the verdicts say that there is none
        return None
