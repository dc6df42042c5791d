"""Step `gate`: gather the outcomes and the facts for the gate, let it judge all variants, and explain its verdicts."""

from __future__ import annotations

from collections.abc import Collection

from litegate.gate.bootstrap import Undefined
from litegate.gate.contrasts import Design
from litegate.gate.disagreement import BothWays, cause_of, disagreement
from litegate.gate.explain import agreement, class_losses, classes_csv, flips, sentence, slices_csv
from litegate.gate.file_facts import refusals
from litegate.gate.verdicts import Measured, compare, judge
from litegate.lint.complete import evaluation_refusals
from litegate.metrics.loading import load_metric
from litegate.outcomes.columns import Outcomes, Unpaired
from litegate.presentation.disagreements import cause
from litegate.records import Candidate, Disagreement, GateRequest, Reason, Verdict, Verdicts
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
        self.by_host = {"baseline": self._host_of(request.baseline)}
        self.by_control = dict(self.by_host)
        self.meaningless = self._meaningless()
        if request.champion is not None:
            self.whole["champion"] = self._read(request.champion)
            self.by_host["champion"] = self._host_of(request.champion)
            self.by_control["champion"] = self._control_of(request.champion)

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
            disagreement=self._disagreement(self.request.baseline, outcomes, self.by_host["baseline"]),
        )
        return self._with_sentence(verdict)

    def variants(self) -> list[Verdict]:
        """Every variant that was asked for, in the order of the spec."""
        candidates = {candidate.artifact.variant: candidate for candidate in self.request.candidates}
        measured = [self._measured(name, candidates.get(name)) for name in self.request.variants]
        request = self.request
        verdicts = judge(request.policy, self.metric, measured, self.value, request.seed, self.names, request.untried)
        found = [self._explained(each, verdict) for each, verdict in zip(measured, verdicts, strict=True)]
        pairs = zip(measured, found, strict=True)
        return [self._compared(each, verdict, candidates.get(each.variant)) for each, verdict in pairs]

    def _measured(self, name: str, candidate: Candidate | None) -> Measured:
        if candidate is None:
            return Measured(name, None, None, self.whole, refusals=self._refusals(name))
        evaluated, file = candidate.evaluated, candidate.artifact.file
        references = self._references(candidate)
        return Measured(
            name,
            file.digest,
            self._read(candidate),
            references,
            Design(evaluated.design, evaluated.analyses, evaluated.largest_group),
            evaluated.available,
            evaluated.class_samples,
            self._refusals(name),
            evaluated.slice_samples,
            self._control_of(candidate),
            self._control_references(candidate, references),
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

    def _host_of(self, candidate: Candidate) -> Outcomes | None:
        """What the host gave of a file beside the target; None where it ran nothing."""
        host = candidate.evaluated.host
        return None if host is None else Outcomes.read(self.work.path(host.outcomes))

    def _control_of(self, candidate: Candidate) -> Outcomes | None:
        """The control variate: the host's outcomes, or those of another runtime in their place."""
        control = candidate.evaluated.control
        own = None if control is None else control.outcomes
        return self._host_of(candidate) if own is None else Outcomes.read(self.work.path(own))

    def _control_references(self, candidate: Candidate, roles: Collection[str]) -> dict[str, Outcomes]:
        """The same of what the variant is compared with: by the host, where the variant's is the host's."""
        control = candidate.evaluated.control
        by_host = control is None or control.outcomes is None
        named = {
            each.role: each.host if by_host else each.control or each.host for each in candidate.evaluated.references
        }
        found = dict(self.by_host if by_host else self.by_control)
        found |= {role: Outcomes.read(self.work.path(file)) for role, file in named.items() if file is not None}
        return {role: outcomes for role, outcomes in found.items() if role in roles and outcomes is not None}

    def _host_baseline(self, candidate: Candidate) -> Outcomes | None:
        """What the host gave of float32 on the samples on which it ran the variant."""
        references = {each.role: each.host for each in candidate.evaluated.references}
        own = references.get("baseline")
        return self.by_host["baseline"] if own is None else Outcomes.read(self.work.path(own))

    def _disagreement(
        self, candidate: Candidate, outcomes: Outcomes | None, by_host: Outcomes | None
    ) -> Disagreement | None:
        """How the target's runtime and the host differ; None where they are one, or nothing can be said."""
        host = candidate.evaluated.host
        if host is None or host.beside == host.title or by_host is None or outcomes is None or not len(outcomes):
            return None
        ways = BothWays(outcomes, by_host, host.beside, host.title)
        try:
            return disagreement(ways, self.metric, self.request.policy.confidence, self.value, self.request.seed)
        except (Unpaired, Undefined):
            return None

    def _compared(self, measured: Measured, verdict: Verdict, candidate: Candidate | None) -> Verdict:
        """The verdict with how host and target differ, and which of them it is owed to."""
        if candidate is None:
            return verdict
        baseline, host = self._host_baseline(candidate), self._host_of(candidate)
        found = self._disagreement(candidate, measured.outcomes, host)
        if found is None or host is None or baseline is None:
            return verdict
        if verdict.state == "failed":
            by_host = compare(self.metric, baseline, host, Design(), self.value, self.request.seed)
            found = cause_of(found, verdict, by_host, self.request.policy)
        said = cause(found, self.metric, self.request.policy)
        sentence = f"{verdict.sentence}; {said}" if said else verdict.sentence
        return verdict.model_copy(update={"disagreement": found, "sentence": sentence})

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
