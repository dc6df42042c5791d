"""Record a whole run in MLflow, whatever its outcome, and a version of what was selected."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any, Literal

from mlflow.entities import LoggedModel, Run

from litegate import records
from litegate.attestation.signing import signer
from litegate.digest import digest_bytes, digest_json
from litegate.errors import StoreError
from litegate.execution.confinement import named
from litegate.execution.environments import attested_environments
from litegate.gate.explain import read_classes
from litegate.gate.outcome import run_outcome
from litegate.gate.selection import refuted_digests
from litegate.presentation.c_source import firmware_files
from litegate.presentation.recoveries import not_made
from litegate.records import (
    Candidate,
    Champion,
    ClassLoss,
    FileRef,
    RegisteredAlias,
    RegisterRequest,
    RunResult,
    VariantRow,
    Verdict,
)
from litegate.report import Pictures, render, table_rows
from litegate.report.drawing import drawing
from litegate.runtimes.litert import choose_signature
from litegate.tracking import artifacts, cards, fields, models, notes, registry, run_data, runs, views
from litegate.tracking.at_once import at_once
from litegate.tracking.attesting import Attesting
from litegate.tracking.ledger import Ledger
from litegate.tracking.overrides import marked
from litegate.tracking.verdict_files import verdict_files
from litegate.variants import TARGETS, variant_of
from litegate.work.step_work import Work

__all__ = ["run"]


def run(request: RegisterRequest, work: Work) -> RunResult:
    """Record the run, every variant and, if something was selected, its version; repeating it adds nothing.

    Raises:
        BadInput: the key that is to sign is none.
        StoreError: what was selected is not what passed the gate, or MLflow does not hold its bytes.
    """
    _check_selection(request)
    signer()  # a key that is none is told before anything is written
    recorder = _Recorder(request, work)
    with recorder.open():
        recorder.start()
        with drawing(request, recorder.result((), None), recorder.classes()) as pictures:
            rows = tuple(at_once([partial(recorder.variant, verdict) for verdict in request.verdicts]))
            result = recorder.result(rows, recorder.version(rows))
            recorder.finish(result, pictures())
    work.say("%s: %s", result.outcome, runs.page(recorder.parent))
    return result


class _Recorder:
    """Writes one request to MLflow, part by part."""

    def __init__(self, request: RegisterRequest, work: Work) -> None:
        self.request, self.work, self.spec = request, work, request.resolved.spec
        self.overrides = request.resolved.overrides
        self.client = runs.connect()
        self.baseline = table_rows.baseline_of(request)
        self.candidates = _by_variant(request)
        self.outcomes = table_rows.outcomes_of(request)
        self.model_ids: dict[str, str] = {}
        name = self.spec.model.name
        note = partial(notes.experiment_note, name, self.spec.registry.name)
        trend = views.trend(fields.metric_name(self.baseline))
        experiment = runs.experiment(self.client, f"quantize/{name}", note, trend)
        self.runs = runs.Runs(self.client, experiment, request.run_key)
        self.calibration = run_data.dataset(request.resolved.calibration, request.samples.available)
        self.evaluation = run_data.dataset(request.resolved.evaluation, request.baseline.evaluated.available)

    @contextmanager
    def open(self) -> Iterator[None]:
        """The run for the whole, as long as it is being recorded."""
        request, name = self.request, self.spec.model.name
        tags = {"model": name, "target": self.spec.target} | fields.trigger_tags(request.resolved.trigger)
        tags |= {f"tools.{tool}": version for tool, version in request.tools.items()}
        tags |= fields.origin_tags(request.origin)
        opened, began = f"quantize-{name}-{digest_json(request.run_key)[:8]}", fields.began(request.origin)
        with self.runs.recording(fields.run_inputs(request), opened, tags, began=began) as self.parent:
            yield

    def start(self) -> None:
        """What was asked for, what holds for all variants, and which files of the workspace are behind this run.

        Those stay as long as one of its versions does.
        """
        files, client, run = _named_files(self.request), self.client, self.parent
        artifacts.upload(client, run, {runs.FILES_ARTIFACT: json.dumps(files, indent=2)})
        run_data.log_datasets(client, run, calibration=self.calibration, evaluation=self.evaluation)
        facts = fields.run_params(self.request), fields.run_metrics(self.request)
        run_data.log(client, run, *facts, tags={runs.FILES: digest_json(files)})

    def variant(self, verdict: Verdict) -> VariantRow:
        """A child run for one variant, with its logged model if there is a file; one that is whole stays as it is."""
        candidate, name = self.candidates.get(verdict.variant), verdict.variant
        content = [record.model_dump_json() for record in (candidate, verdict) if record]
        tags = marked(fields.variant_tags(self.request, candidate, verdict), self.overrides)
        status, uri = "FINISHED" if candidate else "FAILED", None
        params = fields.variant_params(name, self.spec.engine_of(name))
        with self.runs.recording(content, name, tags, self.parent.info.run_id, status) as child:
            if candidate:
                model = self._whole(child) or self._record(child, candidate, verdict, tags, params)
                self.model_ids[name] = model.model_id
                uri = models.artifact_uri(model, self._file_name(candidate))
            else:
                run_data.log(self.client, child, params)
                artifacts.upload(self.client, child, verdict_files(self.work, verdict))
        self.work.say("%s: recorded as %s", name, verdict.state)
        model_id, outcome = self.model_ids.get(name), self.outcomes[name]
        return table_rows.variant_row(candidate, verdict, outcome, uri, child.info.run_id, model_id)

    def version(self, rows: tuple[VariantRow, ...]) -> Champion | None:
        """The registered version of the selected variant, once MLflow is known to hold its bytes.

        An override run registers none.
        """
        row = next((row for row in rows if row.variant == self.request.selection.variant), None)
        if row is None or self.overrides is not None:
            return None
        model_id, digest = self.model_ids[row.variant], str(row.digest)
        stored = models.stored_digest(f"models:/{model_id}", self.work.folder)
        if stored != digest:
            raise StoreError(f"MLflow holds other bytes for {row.variant}: expected {digest}, got {stored}")
        reference = fields.drift_reference(self.request, row.variant)
        child = self.client.get_run(str(row.mlflow_run_id))
        said = self._attesting(child, row.variant)
        kept: dict[str, artifacts.Content] = {notes.DRIFT_REFERENCE: reference.model_dump_json(indent=2)}
        artifacts.upload(self.client, child, kept | said.artifacts)
        run_data.tag(self.client, child.info.run_id, said.run_tags, child.data.tags)
        number = registry.ensure_version(
            self.client,
            self.spec.registry.name,
            model_id,
            str(row.mlflow_run_id),
            fields.version_tags(self.request, row, rows) | said.version_tags,
            partial(cards.version_card, self.request, row, rows, self.parent),
        )
        registry.introduce(self.client, self.spec.registry.name, cards.model_card(self.request))
        models.name_output(self.client, self.parent, model_id)
        return Champion(variant=row.variant, version=number, digest=digest)

    def _attesting(self, child: Run, variant: str) -> Attesting:
        """What outsiders are told of the version."""
        candidate = self.candidates[variant]
        shipped = {
            f"{notes.FIRMWARE}/{name}": digest_bytes(each) for name, each in self._firmware_files(candidate).items()
        }
        return Attesting(
            request=self.request,
            verdict=next(verdict for verdict in self.request.verdicts if verdict.variant == variant),
            candidate=candidate,
            run=child,
            parent_id=self.parent.info.run_id,
            subjects={self._file_name(candidate): candidate.artifact.file.digest} | shipped,
            ledger=Ledger(self.client, RegisteredAlias.of(self.spec.registry)).head(),
            environments=attested_environments(),
        )

    def classes(self) -> dict[str, tuple[ClassLoss, ...]]:
        """What each variant loses of every class, from the files that explain its verdict."""
        names = self.request.baseline.evaluated.classes
        return {
            verdict.variant: read_classes(self.work.path(file).read_bytes(), names)
            for verdict in self.request.verdicts
            for file in verdict.explanation
            if file.name == f"{verdict.variant}-classes.csv"
        }

    def result(self, rows: tuple[VariantRow, ...], selected: Champion | None) -> RunResult:
        """What the step hands back and MLflow keeps."""
        return RunResult(
            model=self.spec.model.name,
            outcome="override_run" if self.overrides else "selected" if selected else self.nothing_selected,
            selected=selected,
            baseline=self.baseline,
            variants=rows,
            experiment_id=self.runs.experiment_id,
            mlflow_run_id=self.parent.info.run_id,
            confidence=self.spec.gate.confidence,
            warnings=table_rows.data_warnings(self.request),
            not_made=not_made(self.request.assessments),
            report=runs.artifact_page(self.parent, notes.REPORT),
        )

    @property
    def nothing_selected(self) -> Literal["rejected", "undecided", "failed"]:
        """What the run came to where no version was selected."""
        outcome = run_outcome(self.outcomes)
        return "rejected" if outcome == "passed" else outcome

    def finish(self, result: RunResult, pictures: Pictures) -> None:
        """The outcome and the whole result on the parent run; earlier tries that differ are outdated."""
        run_id, lint = self.parent.info.run_id, self.request.lint
        verdicts = records.Verdicts(verdicts=self.request.verdicts)
        texts: dict[str, artifacts.Content] = {
            "result.json": result.model_dump_json(indent=2),
            "verdicts.json": verdicts.model_dump_json(indent=2),
            notes.REPORT: render(self.request, result, pictures),
        }
        if lint is not None:
            texts[notes.LINT] = lint.model_dump_json(indent=2)
        artifacts.upload(self.client, self.parent, texts)
        selected = result.selected.variant if result.selected else "none"
        warned = {"lint.warnings": notes.lint_warnings(lint)} if lint else {}
        if check := "; ".join(self.request.conversion_check.warnings):
            warned["conversion_check.warnings"] = check
        note = notes.run_note(result, self.request.selection.why, self.request.links, lint)
        outcome = {"outcome": result.outcome, "selected": selected, run_data.NOTE: note} | warned
        run_data.tag(self.client, run_id, marked(outcome, self.overrides))
        self.client.update_run(
            run_id, name=f"selected {selected}" if result.selected else result.outcome.replace("_", " ")
        )
        self.runs.supersede_others()
        metric = fields.metric_name(self.baseline)
        views.save_view(self.client, self.runs.experiment_id, run_id, metric)

    def _whole(self, child: Run) -> LoggedModel | None:
        """The logged model of a run that an earlier try has recorded to its end: there is nothing to add."""
        return models.logged_model(self.client, child) if child.info.status == "FINISHED" else None

    def _record(
        self, child: Run, candidate: Candidate, verdict: Verdict, tags: dict[str, str], params: dict[str, object]
    ) -> LoggedModel:
        """All that is known of a variant; its logged model."""
        used = {"calibration": self.calibration} if variant_of(verdict.variant).calibrated else {}
        run_data.log_datasets(self.client, child, evaluation=self.evaluation, **used)
        key = choose_signature(tuple(candidate.artifact.signatures), self.spec.evaluation.signature)
        model = models.ensure_model(
            self.client,
            child,
            self._named_file(candidate),
            (key, candidate.artifact.signatures[key]),
            {name: str(value) for name, value in params.items()},
            tags,
            shared=self.overrides is None,  # the model of an override run says that it is one
        )
        metrics = fields.variant_metrics(candidate, verdict, self.baseline)
        run_data.log(self.client, child, params, metrics, model, self.evaluation)
        kept = verdict_files(self.work, verdict) | _inspected(candidate) | _recovered(candidate)
        kept |= _fine_tuned(candidate) | self._firmware(candidate)
        artifacts.upload(self.client, child, kept)
        return model

    def _firmware(self, candidate: Candidate) -> dict[str, artifacts.Content]:
        return {f"{notes.FIRMWARE}/{name}": kept for name, kept in self._firmware_files(candidate).items()}

    def _firmware_files(self, candidate: Candidate) -> dict[str, bytes]:
        """What the firmware is made with, of what was selected for a device that has one."""
        variant = candidate.artifact.variant
        if not TARGETS[self.spec.target].firmware or variant != self.request.selection.variant:
            return {}
        content = self.work.path(candidate.shipped).read_bytes()
        return firmware_files(f"{self.spec.model.name}-{variant}", candidate, content)

    def _named_file(self, candidate: Candidate) -> Path:
        path = self.work.folder / self._file_name(candidate)
        if not path.exists():
            shutil.copyfile(self.work.path(candidate.artifact.file), path)
        return path

    def _file_name(self, candidate: Candidate) -> str:
        return f"{self.spec.model.name}-{candidate.artifact.variant}.tflite"


def _named_files(request: RegisterRequest) -> list[dict[str, Any]]:
    refs = sorted(set(named(request, FileRef)), key=lambda ref: (ref.name, ref.digest))
    return [ref.to_json() for ref in refs]


def _inspected(candidate: Candidate) -> dict[str, artifacts.Content]:
    """What the file is and how it behaved, as an artifact."""
    found = {"inspection": candidate.inspection, "smoke": candidate.smoke}
    content = {name: record.to_json() for name, record in found.items() if record}
    return {notes.INSPECTION: json.dumps(content, indent=2)} if content else {}


def _recovered(candidate: Candidate) -> dict[str, artifacts.Content]:
    """How the file was searched for, as an artifact."""
    found = candidate.artifact.recovery
    return {notes.RECOVERY: found.model_dump_json(indent=2)} if found else {}


def _fine_tuned(candidate: Candidate) -> dict[str, artifacts.Content]:
    """How the model was trained for quantization, as an artifact."""
    found = candidate.artifact.fine_tuning
    return {notes.FINE_TUNING: found.model_dump_json(indent=2)} if found else {}


def _by_variant(request: RegisterRequest) -> dict[str, Candidate]:
    return {item.artifact.variant: item for item in (request.baseline, *request.candidates)}


def _check_selection(request: RegisterRequest) -> None:
    """Every verdict is about the very file at hand, and what was selected passed."""
    candidates = _by_variant(request)
    for verdict in request.verdicts:
        candidate, selected = candidates.get(verdict.variant), verdict.variant == request.selection.variant
        if candidate and verdict.digest not in (None, candidate.artifact.file.digest):
            raise StoreError(f"the verdict of {verdict.variant} is about another file: {verdict.digest}")
        if selected and (candidate is None or verdict.digest is None or verdict.state != "passed"):
            raise StoreError(f"{verdict.variant} was selected, but its verdict is {verdict.state}")
        if selected and verdict.digest in refuted_digests(request.verdicts):
            raise StoreError(f"{verdict.variant} was selected, but another variant of the same bytes failed")
    names = {verdict.variant for verdict in request.verdicts}
    if request.selection.variant and request.selection.variant not in names:
        raise StoreError(f"{request.selection.variant} was selected, but there is no verdict about it")
