"""What each step is asked: pure functions of the spec and of what earlier steps came to."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType

from litegate.gate.selection import select
from litegate.pipeline.evaluation import evaluate_files_request, judged, usual_runtime_of
from litegate.pipeline.gate_requests import final_gate_request
from litegate.pipeline.requalification import champion_request
from litegate.pipeline.results import Results
from litegate.records import (
    Artifact,
    BenchmarkRequest,
    CalibrateRequest,
    ChampionRequest,
    Chosen,
    ConversionCheckRequest,
    ConvertRequest,
    DataInUse,
    FineTuneRequest,
    InspectRequest,
    LintRequest,
    QuantizeRequest,
    Record,
    RecoverRequest,
    RegisterRequest,
    Resolved,
    RunOrigin,
    SampleRequest,
    Selection,
    SelectRequest,
    SmokeRequest,
)
from litegate.runtimes import runtime_row
from litegate.spec import Spec
from litegate.variants import BASELINE, FINE_TUNING, GIVEN, RECOVERY, TARGETS, TF_CONVERTER, variant_of

__all__ = ["REQUESTS", "calibrated_variants", "register_request", "request_of", "selection_of"]

_SMALL_ERROR = 0.05
"""Of the outputs of a model that does not classify, as a share of them."""
_IN_FLOAT = frozenset({"float32", "float16"})


def request_of(step: str, results: Results, variant: str = "") -> Record:
    """The request of a step.

    Args:
        variant: the one that it works on; empty where it works for the run as a whole.

    Raises:
        StepFailed: a step before it has no result.
    """
    return REQUESTS[step](results, variant)


def calibrated_variants(spec: Spec) -> tuple[str, ...]:
    """The variants of a spec that one calibration may serve: without any there is no step `calibrate`."""
    names = (name for name in spec.quantized_variants if variant_of(name).calibrated)
    return tuple(name for name in names if spec.engine_of(name) == TF_CONVERTER)


def register_request(
    results: Results, run_key: str, links: Mapping[str, str], origin: RunOrigin | None = None
) -> RegisterRequest:
    """Everything about a run, which is also what the report is made from.

    Args:
        run_key: names the run: what is recorded twice under one is recorded once.
        links: pages about it, by name.
        origin: when it began, who started it and what made it, where that is known.
    """
    return RegisterRequest(
        run_key=run_key,
        links=dict(links),
        origin=origin or RunOrigin(),
        resolved=results.resolved(),
        conversion_check=results.conversion_check(),
        samples=results.samples(),
        lint=results.lint(),
        tools=results.converted().tools,
        baseline=results.baseline(),
        candidates=results.candidates(),
        verdicts=results.verdicts(),
        assessments=results.assessments(),
        selection=results.selection(),
        gate=final_gate_request(results, ""),
    )


def selection_of(results: Results) -> Selection:
    """The best of the variants that passed, by the spec's rule: no step, for it needs nothing but small records."""
    rule = results.resolved().spec.select
    return select(SelectRequest(rule=rule, verdicts=results.verdicts(), candidates=results.candidates()))


def _champion(results: Results, _: str) -> ChampionRequest:
    return champion_request(results.resolved().spec.registry)


def _convert(results: Results, _: str) -> ConvertRequest:
    resolved = results.resolved()
    choice, evaluation = resolved.spec.calibration, resolved.spec.evaluation
    data = DataInUse(
        calibration=resolved.calibration,
        evaluation=resolved.evaluation,
        samples=choice.samples,
        seed=choice.seed,
        metric=resolved.metric,
        judged=judged(evaluation, decoder=None),
        preprocess=resolved.preprocess,
        signature=evaluation.signature,
        max_samples=evaluation.max_samples,
        allow=tuple(evaluation.allow),
    )
    return ConvertRequest(model=resolved.model, data=data, fixed_batch=TARGETS[resolved.spec.target].fixed_batch)


def _sample(results: Results, _: str) -> SampleRequest:
    resolved = results.resolved()
    choice = resolved.spec.calibration
    return SampleRequest(
        data=resolved.calibration,
        artifact=results.converted().artifact,
        samples=choice.samples,
        seed=choice.seed,
        preprocess=resolved.preprocess,
    )


def _lint(results: Results, _: str) -> LintRequest:
    resolved = results.resolved()
    choice, evaluation = resolved.spec.calibration, resolved.spec.evaluation
    return LintRequest(
        samples=results.samples(),
        artifact=results.converted().artifact,
        calibration=resolved.calibration,
        evaluation=resolved.evaluation,
        seed=choice.seed,
        preprocess=resolved.preprocess,
        signature=evaluation.signature,
        metric=evaluation.metric,
        metric_code=resolved.metric_code,
        judged=judged(evaluation, resolved.decoder),
        max_samples=evaluation.max_samples,
        allow=tuple(choice.allow),
        allow_evaluation=tuple(evaluation.allow),
    )


def _conversion_check(results: Results, _: str) -> ConversionCheckRequest:
    resolved = results.resolved()
    return ConversionCheckRequest(
        model=resolved.model,
        artifact=results.converted().artifact,
        samples=results.samples(),
        signature=resolved.spec.evaluation.signature,
        classifies=resolved.metric.classifies is True,
        chosen=_chosen(resolved),
        recorded=resolved.recorded,
    )


def _chosen(resolved: Resolved) -> Chosen:
    return Chosen(data=resolved.calibration, seed=resolved.spec.calibration.seed)


def _calibrate(results: Results, _: str) -> CalibrateRequest:
    converted, spec = results.converted(), results.resolved().spec
    first = calibrated_variants(spec)[0]
    return CalibrateRequest(
        saved_model=converted.saved_model,
        baseline=converted.artifact,
        samples=results.samples(),
        engine=spec.engine_of(first),
    )


def _quantize(results: Results, variant: str) -> QuantizeRequest:
    """It names what the file is made from, and nothing that it does not depend on."""
    resolved, converted, calibrated = results.resolved(), results.converted(), results.calibrated(variant)
    engine = resolved.spec.engine_of(variant)
    given = resolved.candidates.get(variant)
    by_recipe = given is not None and engine != GIVEN  # which may ask for samples, or not
    alone = calibrated is None and (variant_of(variant).calibrated or by_recipe)
    whole = calibrated is None and engine in (TF_CONVERTER, FINE_TUNING)
    return QuantizeRequest(
        variant=variant,
        saved_model=converted.saved_model if whole else (),
        baseline=converted.artifact,
        samples=results.samples() if alone else None,
        calibrated=calibrated,
        engine=engine,
        given=given,
        recover=_recover(resolved) if engine == RECOVERY else None,
        fine_tune=_fine_tune(resolved) if engine == FINE_TUNING else None,
    )


def _recover(resolved: Resolved) -> RecoverRequest | None:
    """The search, which is told nothing of the evaluation data.

    What it finds must be proved on other samples, so it is content with nothing beyond half of what may be lost.
    """
    spec, classifies = resolved.spec, resolved.metric.classifies is True
    if spec.recover is None:
        return None
    asked = spec.recover.max_disagreement
    return RecoverRequest(
        asked=spec.recover,
        limit=asked if asked is not None else spec.gate.max_drop / 2 if classifies else _SMALL_ERROR,
        seed=spec.calibration.seed,
        signature=spec.evaluation.signature,
        output=spec.evaluation.output,
        classifies=classifies,
    )


def _fine_tune(resolved: Resolved) -> FineTuneRequest | None:
    """The training, which is told nothing of the evaluation data."""
    spec = resolved.spec
    if spec.fine_tune is None or resolved.fine_tune_code is None or resolved.training is None:
        return None
    return FineTuneRequest(
        model=resolved.model,
        code=resolved.fine_tune_code,
        training=resolved.training,
        arguments=spec.fine_tune.arguments,
        base=spec.fine_tune.base,
        time_limit=spec.fine_tune.time_limit,
        fixed_batch=TARGETS[spec.target].fixed_batch,
        seed=spec.calibration.seed,
        signature=spec.evaluation.signature,
        output=spec.evaluation.output,
        classifies=resolved.metric.classifies is True,
    )


def _inspect(results: Results, variant: str) -> InspectRequest:
    spec = results.resolved().spec
    artifact = results.artifact(variant)
    return InspectRequest(
        artifact=artifact,
        made_from=artifact.made_from,
        baseline=None if variant == BASELINE else results.converted().artifact,
        source=spec.model.uri,
        target=spec.target,
    )


def _smoke(results: Results, variant: str) -> SmokeRequest:
    """On this host, whatever the device: a file that dies here is told before it is evaluated."""
    spec, artifact = results.resolved().spec, results.artifact(variant)
    runtime = usual_runtime_of(spec)
    return SmokeRequest(
        artifact=artifact,
        runtime=runtime,
        accelerator=TARGETS[spec.target].accelerator,
        baseline=None if variant == BASELINE else results.converted().artifact,
        trained=artifact.fine_tuning.float32 if artifact.fine_tuning else None,
        samples=results.samples(),
        in_float=variant == BASELINE or (variant in _IN_FLOAT and not runtime_row(runtime).vulkan),
        classifies=results.resolved().metric.classifies is True,
        source=spec.model.uri,
        chosen=_chosen(results.resolved()) if variant == BASELINE else None,
    )


def _benchmark(results: Results, _: str) -> BenchmarkRequest:
    """All files that were evaluated, each once: variants of equal bytes are equally fast."""
    resolved = results.resolved()
    files: dict[str, Artifact] = {}
    for artifact in (results.converted().artifact, *(item.artifact for item in results.candidates())):
        files.setdefault(artifact.file.digest, artifact)
    return BenchmarkRequest(
        files=tuple(files.values()),
        runtime=usual_runtime_of(resolved.spec),
        samples=results.samples(),
        signature=resolved.spec.evaluation.signature,
        remeasure=resolved.remeasure,
    )


REQUESTS: Mapping[str, Callable[[Results, str], Record]] = MappingProxyType(
    {
        "fetch_champion": _champion,
        "convert": _convert,
        "sample": _sample,
        "lint": _lint,
        "conversion_check": _conversion_check,
        "calibrate": _calibrate,
        "quantize": _quantize,
        "inspect": _inspect,
        "smoke": _smoke,
        "evaluate": evaluate_files_request,
        "benchmark": _benchmark,
        "gate": final_gate_request,
    }
)
"""By step; those of `resolve`, `register` and what follows need to know who runs the pipeline."""
