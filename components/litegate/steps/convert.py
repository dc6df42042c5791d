"""Step `convert`: the source model to a SavedModel, and that to the float32 baseline, by one route for all.

Between the two the data are looked at: what no conversion could use is said before one begins.
"""

from __future__ import annotations

from collections.abc import Iterator
from importlib.metadata import version
from itertools import chain
from pathlib import Path

import tensorflow as tf

from litegate.inspection.tflite import describe, names_of, operators
from litegate.lint.beforehand import check_data
from litegate.records import Artifact, Converted, ConvertRequest
from litegate.source.causes import not_converted
from litegate.source.converted import check_converted, check_tensors, lacks_values
from litegate.source.forms import Form, forms
from litegate.source.signatures import signatures_of
from litegate.variants import BASELINE
from litegate.work.step_work import Work

__all__ = ["run"]

_FREE_BATCH = "TensorList"
"""In the converter's message where it cannot tell the shape of what a recurrent layer collects."""


def run(request: ConvertRequest, work: Work) -> Converted:
    """Convert the source model without quantization.

    Raises:
        DataError: the data do not fit the model, or their labels do not fit metric and output.
        ModelError: the model may not or cannot be loaded, exported or converted.
        SpecError: the model has several signatures, and the spec names none of them.
    """
    model = request.model
    work.say("convert: loading %s (%s)", model.uri, model.format)
    root = work.tree(model.files, "source")
    where = f"model.uri {model.uri}"
    candidates = forms(root, model, work.folder, request.fixed_batch)
    first = next(candidates)
    if request.data is not None:
        check_data(request.data, signatures_of(first.saved_model, where), work)
    form, content = _convert(chain([first], candidates), where, work, request.fixed_batch)
    check_converted(form.saved_model, operators(content), where)
    signatures = describe(content)
    check_tensors(signatures, f"model.uri {model.uri}")
    for key, signature in signatures.items():
        work.say("convert: signature %s: %s -> %s", key, names_of(signature.inputs), names_of(signature.outputs))
    artifact = Artifact(variant=BASELINE, file=work.keep_bytes(content, f"{BASELINE}.tflite"), signatures=signatures)
    work.say("convert: float32 baseline, %s bytes, sha256 %s", f"{len(content):,}", artifact.file.digest[:12])
    files = model.files if form.saved_model == root else work.keep_tree(form.saved_model)
    change = {"converted_with": form.change} if form.change else {}
    return Converted(artifact=artifact, saved_model=files, tools=_tools() | change | {"isolation": work.isolation})


def _convert(candidates: Iterator[Form], where: str, work: Work, fixed_batch: bool) -> tuple[Form, bytes]:
    """The first form that is whole and has no loop, which calibration cannot go through, else the first at all."""
    looped = partial = refusal = None
    for form in candidates:
        if fixed_batch and _takes_any_batch(form, where):
            continue
        try:
            content = _tflite(form.saved_model)
        except Exception as error:
            refusal = refusal or error
            if _FREE_BATCH not in str(error):
                break
            continue
        found = operators(content)
        if lacks_values(found):
            partial = partial or (form, content)
        elif "WHILE" in found:
            looped = looped or (form, content)
        else:
            return _chosen(form, content, work)
    if other := looped or partial:
        return _chosen(*other, work)
    raise not_converted(refusal or "it has no form that can be tried", where) from refusal


def _chosen(form: Form, content: bytes, work: Work) -> tuple[Form, bytes]:
    if form.change:
        work.say("convert: with %s: as it is its target cannot run it, or it is not converted as a whole", form.change)
    return form, content


def _takes_any_batch(form: Form, where: str) -> bool:
    signatures = filter(None, signatures_of(form.saved_model, where).values())
    return any(-1 in spec.shape[:1] for signature in signatures for spec in signature.inputs.values())


def _tflite(saved_model: Path) -> bytes:
    content: bytes = tf.lite.TFLiteConverter.from_saved_model(str(saved_model)).convert()
    return content


def _tools() -> dict[str, str]:
    return {name: version(name) for name in ("tensorflow", "keras", "tf_keras", "ai-edge-litert", "numpy")}
