"""What steps need for a request: which Python, and which of the modules that they import."""

from __future__ import annotations

from litegate import engines, records, runtimes
from litegate.variants import FINE_TUNING, LITERT_QUANTIZER, RECOVERY, TF_CONVERTER

__all__ = [
    "of_benchmark",
    "of_evaluation",
    "of_quantization",
    "of_shard",
    "of_smoke_run",
    "searches",
    "where_it_is_calibrated",
    "where_it_is_made",
    "where_it_is_run",
]

_SEARCH = ("litegate.recovery", "litegate.engines.mixed_precision", "litegate.runtimes.activations")
_SEARCHING = ("litegate.recovery.recovering", *_SEARCH[1:])
_TRAINING = ("litegate.fine_tuning",)

_Evaluations = records.EvaluateRequest | records.EvaluateFilesRequest | records.ShardRequest | records.ShardFilesRequest
Runs = _Evaluations | records.SmokeRequest | records.BenchmarkRequest


def where_it_is_calibrated(request: records.CalibrateRequest) -> str:
    """The environment of the engine."""
    return engines.engine_row(request.engine).environment


def where_it_is_made(request: records.QuantizeRequest) -> str:
    """The environment of the engine; LiteRT opens a file that was given, and its quantizer searches for one."""
    if request.given is not None or request.engine == FINE_TUNING:
        return "tensorflow"
    if request.engine == RECOVERY:
        return engines.ENGINES[LITERT_QUANTIZER].environment
    return engines.engine_row(request.engine, request.variant).environment


def where_it_is_run(request: Runs) -> str:
    """The environment of the runtime."""
    return runtimes.runtime_row(request.runtime).environment


def of_quantization(request: records.CalibrateRequest | records.QuantizeRequest) -> tuple[str, ...]:
    """Engines that do not make the file, and search and training, where nothing is searched or trained."""
    if request.engine == RECOVERY:
        return (*engines.unused_modules(LITERT_QUANTIZER), *_TRAINING)
    if request.engine == FINE_TUNING:
        return (*engines.unused_modules(TF_CONVERTER), *_SEARCHING)
    return (*engines.unused_modules(request.engine), *_SEARCH, *_TRAINING)


def searches(request: records.QuantizeRequest) -> bool:
    """Whether the file is searched for, which takes minutes."""
    return request.recover is not None


def of_smoke_run(request: records.SmokeRequest) -> tuple[str, ...]:
    """Runtimes that do not run the file, and compilers that do not place its operators."""
    return runtimes.unused_modules(request.runtime, runtimes.REFERENCE, compiled=bool(request.accelerator))


def of_benchmark(request: records.BenchmarkRequest) -> tuple[str, ...]:
    """Runtimes that do not run the file."""
    return runtimes.unused_modules(request.runtime)


def of_evaluation(request: records.EvaluateRequest) -> tuple[str, ...]:
    """Runtimes that do not run the file; and only an evaluation that may end early asks the gate by a policy."""
    gate = () if request.stopping else ("litegate.gate", "litegate.spec.gate")
    return (*gate, *runtimes.unused_modules(*request.runtimes))


def of_shard(request: records.ShardRequest) -> tuple[str, ...]:
    """As of the evaluation of which it is a part."""
    return of_evaluation(request.file)
