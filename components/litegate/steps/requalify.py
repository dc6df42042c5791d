"""Step `requalify`: record a requalification in MLflow, and add its point to the trend."""

from __future__ import annotations

from mlflow import MlflowClient
from mlflow.entities import LoggedModelInput, Run

from litegate.digest import digest_json
from litegate.records import RegisteredAlias, Requalification, RequalifyRequest
from litegate.requalification import sentence_of
from litegate.tracking import artifacts, registry, requalify_fields, requalify_notes, run_data, runs
from litegate.tracking.trend import Trend
from litegate.tracking.verdict_files import verdict_files
from litegate.work.step_work import Work

__all__ = ["run"]


def run(request: RequalifyRequest, work: Work) -> Requalification:
    """Record it; a second time nothing is added, and the trend has no second point."""
    client, spec = runs.connect(), request.snapshot.spec
    name = spec.model.name
    experiment = runs.experiment(client, f"requalify/{name}", lambda _: requalify_notes.experiment_note(name))
    recorder = runs.Runs(client, experiment, request.run_key)
    sentence = sentence_of(request.champion.version, request.verdict)
    opened = f"requalify-{name}-{digest_json(request.run_key)[:8]}"
    tags = requalify_fields.tags(request, sentence)
    trend = Trend(client, experiment, RegisteredAlias.of(spec.registry))
    with recorder.recording(requalify_fields.content(request), opened, tags) as run:
        number = trend.number_of(run)
        result = _result(request, run, number, sentence)
        _record(client, run, request, result, work)
        recorder.supersede_others()
        trend.add(run, number, requalify_fields.metrics(request))
    work.say("%s; %s: %s", sentence, request.drift.sentence, runs.page(run))
    return result


def _result(request: RequalifyRequest, run: Run, number: int, sentence: str) -> Requalification:
    verdict = request.verdict
    return Requalification(
        number=number,
        version=request.champion.version,
        variant=verdict.variant,
        state=verdict.state,
        broken=verdict.broken,
        drifted=bool(request.drift.findings),
        sentence=sentence,
        drift=request.drift.sentence,
        experiment_id=run.info.experiment_id,
        mlflow_run_id=run.info.run_id,
    )


def _record(client: MlflowClient, run: Run, request: RequalifyRequest, result: Requalification, work: Work) -> None:
    data = run_data.dataset(request.snapshot.data, request.verdict.available)
    run_data.log_datasets(client, run, fresh=data)
    client.log_inputs(run.info.run_id, models=[LoggedModelInput(request.champion.model_id)])
    metrics = requalify_fields.metrics(request)
    note = {run_data.NOTE: requalify_notes.note(request, result)}
    run_data.log(client, run, requalify_fields.params(request), metrics, data=data, tags=note)
    found: dict[str, artifacts.Content] = {
        requalify_notes.DRIFT: request.drift.model_dump_json(indent=2),
        "result.json": result.model_dump_json(indent=2),
    }
    artifacts.upload(client, run, verdict_files(work, request.verdict) | found)
    client.set_model_version_tag(
        request.snapshot.spec.registry.name, str(result.version), registry.REQUALIFIED, result.sentence
    )
