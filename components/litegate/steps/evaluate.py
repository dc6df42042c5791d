"""Step `evaluate`: run a .tflite file over the evaluation data and keep the outcome of every sample.

The samples are shared out among as many processes as there are cores, each with its own interpreter and
its own reader; none of them holds more than a batch, and only the outcomes come back.
"""

from __future__ import annotations

import io
import math
import multiprocessing
import os
import time
from collections.abc import Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass
from typing import Any

import numpy as np

from litegate.datasets import open_dataset
from litegate.datasets.features import FeatureReader
from litegate.datasets.sampling import choose
from litegate.errors import DataError, StepFailed
from litegate.litert import LiteRTModel
from litegate.process import die_with_parent
from litegate.records import Evaluated, EvaluateRequest, UserCode
from litegate.user_code import load_preprocess
from litegate.work import Work

__all__ = ["run"]

Array = np.ndarray[Any, np.dtype[Any]]
WHERE = "evaluation.uri"
_PER_PROCESS = 256
"""So few samples are not worth a process of their own."""


@dataclass(frozen=True)
class _Share:
    """What a process needs to evaluate its part of the samples."""

    content: bytes
    signature: str
    variant: str
    reader: FeatureReader
    preprocess: UserCode | None
    classes: int
    indices: Array


def run(request: EvaluateRequest, work: Work) -> Evaluated:
    """Evaluate `request.artifact`.

    Raises:
        DataError: the data cannot be read or does not fit the model.
        StepFailed: the model gave an output that is not finite.
    """
    artifact = request.artifact
    content = work.path(artifact.file).read_bytes()
    model = LiteRTModel(content, request.signature)
    dataset = open_dataset(request.data, work, WHERE, model.inputs)
    if dataset.labels is None:
        raise DataError(f"{WHERE} {request.data.uri}", f"labels, which {request.metric} needs", "none")
    classes = _classes(model)
    _check_labels(dataset.labels, dataset.classes, classes, f"{WHERE} {request.data.uri}")
    chosen = choose(dataset.ids, request.max_samples, request.seed)
    reader = FeatureReader(dataset, model.inputs, model.signature, WHERE)
    begin = time.perf_counter()
    shares = [
        _Share(content, model.signature, artifact.variant, reader, request.preprocess, classes, part)
        for part in _parts(chosen)
    ]
    parts = _in_processes(shares, work, len(chosen))
    indices, labels, predictions = (np.concatenate(column) for column in zip(*parts, strict=True))
    seconds = time.perf_counter() - begin
    correct = labels == predictions
    value = float(correct.mean())
    work.say(
        "evaluate %s: %s %.4f on %d samples, %.1f s, %.0f samples/s, %d processes",
        *(artifact.variant, request.metric, value, len(chosen), seconds, len(chosen) / seconds, len(shares)),
    )
    outcomes = {"index": indices, "label": labels, "prediction": predictions, "correct": correct}
    return Evaluated(
        variant=artifact.variant,
        artifact_digest=artifact.file.digest,
        metric=request.metric,
        value=value,
        samples=len(chosen),
        outcomes=work.keep_bytes(_npz(outcomes), f"{artifact.variant}-outcomes.npz"),
        seconds=seconds,
        kernels=model.kernels,
    )


def _classes(model: LiteRTModel) -> int:
    if len(model.outputs) != 1:
        raise DataError("evaluation.metric", "a model with one output for top1", f"outputs {', '.join(model.outputs)}")
    shape = next(iter(model.outputs.values())).shape
    if len(shape) != 2:
        raise DataError("evaluation.metric", "an output of shape (batch, classes) for top1", f"{shape}")
    return shape[1]


def _check_labels(labels: Array, names: tuple[str, ...], classes: int, where: str) -> None:
    if names and len(names) != classes:
        found = f"{len(names)}: {', '.join(names)}"
        raise DataError(where, f"{classes} class folders, as many as the model has classes", f"{found:.300}")
    bad = np.flatnonzero((labels < 0) | (labels >= classes))
    if len(bad):
        found = f"{labels[bad[0]]} for sample {bad[0]} ({len(bad)} such labels)"
        raise DataError(where, f"labels from 0 to {classes - 1}", found)


def _parts(chosen: Array) -> list[Array]:
    """Equal parts, each a run of neighbours in the data set, one for each core."""
    count = max(1, min(len(os.sched_getaffinity(0)), math.ceil(len(chosen) / _PER_PROCESS)))
    return np.array_split(np.sort(chosen), count)


def _in_processes(shares: list[_Share], work: Work, total: int) -> list[tuple[Array, Array, Array]]:
    if len(shares) == 1:
        return [_evaluate(shares[0])]
    context = multiprocessing.get_context("spawn")
    done = context.Value("q", 0)
    with ProcessPoolExecutor(len(shares), context, _start_worker, (done,)) as pool:
        futures = [pool.submit(_evaluate, share) for share in shares]
        _report_progress(futures, done, shares[0].variant, work, total)
        try:
            return [future.result() for future in futures]
        except BrokenProcessPool:
            detail = f"a process that ran {shares[0].variant} died; its interpreter crashed or ran out of memory"
            raise StepFailed("evaluate", "crash", detail) from None


def _report_progress(futures: Sequence[Future[Any]], done: Any, variant: str, work: Work, total: int) -> None:
    begin, waiting = time.perf_counter(), set(futures)
    while waiting:
        finished, waiting = wait(waiting, timeout=5, return_when=FIRST_COMPLETED)
        if any(future.exception() for future in finished):
            return
        if waiting and done.value:
            rate = done.value / (time.perf_counter() - begin)
            left = (total - done.value) / rate
            work.say("evaluate %s: %d of %d samples, %.0f/s, %.0f s left", variant, done.value, total, rate, left)


_done: Any = None


def _start_worker(done: Any) -> None:
    global _done
    die_with_parent()
    _done = done


def _evaluate(share: _Share) -> tuple[Array, Array, Array]:
    """Index, label and prediction of every sample of a share."""
    model = LiteRTModel(share.content, share.signature)
    preprocess = load_preprocess(share.preprocess)
    rows = []
    for indices, labels, features in share.reader.batches(share.indices, preprocess):
        _check_labels(labels, (), share.classes, "preprocess")  # which may have changed them
        rows.append((indices, labels, _predictions(model, features, share.variant)))
        if _done is not None:
            with _done.get_lock():
                _done.value += len(indices)
    return tuple(np.concatenate(column) for column in zip(*rows, strict=True))  # type: ignore[return-value]


def _predictions(model: LiteRTModel, features: dict[str, Array], variant: str) -> Array:
    """Class of the largest output; an argmax over NaN would count as class 0."""
    (output,) = model.predict(features).values()
    if not np.isfinite(output).all():
        raise StepFailed("evaluate", "not_finite", f"{variant} gave NaN or infinity on real samples")
    classes: Array = output.argmax(axis=-1)
    return classes


def _npz(arrays: dict[str, Array]) -> bytes:
    buffer = io.BytesIO()
    np.savez_compressed(buffer, allow_pickle=False, **arrays)
    return buffer.getvalue()
