"""From a spec to a folder with the variants' files, the report and the result."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Sequence
from pathlib import Path

from litegate.comparison.folder import Folder
from litegate.errors import SpecError
from litegate.gate.explain import read_classes
from litegate.gate.outcome import run_outcome
from litegate.gate.selection import refuted_digests
from litegate.pipeline.local import LocalRun, Watcher
from litegate.pipeline.requests import register_request
from litegate.presentation.recoveries import not_made
from litegate.records import Candidate, Comparison, RegisterRequest, ResolveRequest
from litegate.report import drawn, render
from litegate.report.table_rows import baseline_of, data_warnings, outcomes_of, variant_row
from litegate.settings import Settings
from litegate.spec import Spec, with_values
from litegate.storage.workspace import Workspace
from litegate.variants import BASELINE, TARGETS

__all__ = ["Comparing", "without_champion"]

_WITHOUT_CHAMPION = (
    "gate.max_drop_from_champion was not tested: the champion is in MLflow's registry, which `litegate run` asks"
)


def without_champion(spec: Spec) -> tuple[Spec, tuple[str, ...]]:
    """The spec without what only a registry can say, and what is not tested for that."""
    if spec.gate.max_drop_from_champion is None:
        return spec, ()
    return with_values(spec, {"gate.max_drop_from_champion": None}, "the spec"), (_WITHOUT_CHAMPION,)


class Comparing:
    """One comparison.

    Args:
        spec: what is compared, on what, by which policy.
        base: the folder that relative paths of the spec are seen from.
        out: the folder for what it comes to; made if it is not there.
        places: where the workspace is, and the Python environments.
        required: variants that decide the outcome; if there are none, any that passes does.
        watch: is told how it goes on.
        remeasure: measure latencies anew, where stored ones would do.
        warm: waits for a warm parent that its caller keeps, and says where it is; None to keep one here.

    Raises:
        SpecError: a required variant is none of the spec's.
    """

    def __init__(
        self,
        spec: Spec,
        base: Path,
        out: Path,
        places: Settings,
        required: Sequence[str] = (),
        watch: Watcher = lambda *_: None,
        remeasure: bool = False,
        warm: Callable[[], Settings] | None = None,
    ) -> None:
        for name in required:
            if name not in spec.quantized_variants:
                raise SpecError("required", f"one of the variants {', '.join(spec.quantized_variants)}", repr(name))
        spec, self.not_tested = without_champion(spec)
        self.spec, self.required, self.places = spec, tuple(required), places
        self.folder = Folder(out.absolute(), spec.model.name)
        asks = uuid.uuid4().hex if remeasure else ""
        request = ResolveRequest(spec=spec, folder=str(base.resolve()), remeasure=asks)
        self.local = LocalRun(request, places, watch, warm)

    def run(self) -> Comparison:
        """Compare, and fill the folder.

        Raises:
            BadInput: the spec, the model or the data cannot be used.
            StepFailed: a step that every variant needs failed.
        """
        self.folder.clear(self.spec.quantized_variants)
        request = register_request(self.local.run(), run_key="", links={})
        workspace = Workspace(self.places.workspace, self.places.cache)
        files = {
            item.artifact.variant: self.folder.add(item, workspace.fetch(item.artifact.file), _passed(item, request))
            for item in (request.baseline, *request.candidates)
        }
        comparison = self._comparison(request, files)
        for item in request.candidates if TARGETS[self.spec.target].firmware else ():
            if item.artifact.variant == comparison.selected:
                self.folder.add_firmware(item, workspace.fetch(item.shipped))
        classes = {
            verdict.variant: read_classes(workspace.fetch(file).read_bytes(), request.baseline.evaluated.classes)
            for verdict in request.verdicts
            for file in verdict.explanation
            if file.name == f"{verdict.variant}-classes.csv"
        }
        self.folder.write(comparison, render(request, comparison, drawn(request, comparison, classes)))
        return comparison

    def _comparison(self, request: RegisterRequest, files: dict[str, Path]) -> Comparison:
        measured = {item.artifact.variant: item for item in (request.baseline, *request.candidates)}
        outcomes = outcomes_of(request)
        rows = tuple(
            variant_row(
                measured.get(each.variant), each, outcomes[each.variant], _named(files, each.variant), None, None
            )
            for each in request.verdicts
        )
        passed = tuple(item.artifact.variant for item in request.candidates if _passed(item, request))
        selected = request.selection.variant
        return Comparison(
            model=self.spec.model.name,
            outcome=run_outcome(outcomes, self.required),
            selected=selected,
            file=_named(files, selected),
            why=request.selection.why,
            may_ship=passed,
            required=self.required,
            baseline=baseline_of(request),
            variants=rows,
            confidence=self.spec.gate.confidence,
            warnings=data_warnings(request),
            not_made=not_made(request.assessments),
            not_tested=self.not_tested,
            report=str(self.folder.report),
            folder=str(self.folder.path),
        )


def _named(files: dict[str, Path], variant: str | None) -> str | None:
    return str(files[variant]) if variant in files else None


def _passed(candidate: Candidate, request: RegisterRequest) -> bool:
    """Whether it may ship; the baseline, which is what ships without quantization, may."""
    variant, digest = candidate.artifact.variant, candidate.artifact.file.digest
    if variant == BASELINE:
        return True
    verdicts = [(each.variant, each.digest, each.state) for each in request.verdicts]
    return (variant, digest, "passed") in verdicts and digest not in refuted_digests(request.verdicts)
