"""Step `convert`: the source model to a SavedModel, and that to the float32 baseline, by one route for all.

Between the two the data are looked at: what no conversion could use is said before one begins.
"""

from __future__ import annotations

from importlib.metadata import version
from itertools import chain

from litegate.inspection.given_file import check_answers
from litegate.inspection.tflite import describe, describe_unopened, names_of, operators
from litegate.lint.beforehand import check_data
from litegate.records import Artifact, Converted, ConvertRequest
from litegate.source.converted import check_converted, check_tensors
from litegate.source.kinds import MODEL_FILES
from litegate.source.signatures import signatures_of
from litegate.variants import BASELINE
from litegate.work.step_work import Work

__all__ = ["run"]


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
    if model.format == "tflite":
        return _as_it_is(request, (root / MODEL_FILES[model.format]).read_bytes(), where, work)
    from litegate.source.conversion import converted, forms  # TensorFlow, which a .tflite file does without

    candidates = forms(root, model, work.folder, request.fixed_batch)
    first = next(candidates)
    if request.data is not None:
        check_data(request.data, signatures_of(first.saved_model, where), work)
    form, content = converted(chain([first], candidates), where, work.say, operators, request.fixed_batch)
    check_converted(form.saved_model, operators(content), where)
    artifact = _baseline(content, where, work)
    files = model.files if form.saved_model == root else work.keep_tree(form.saved_model)
    change = {"converted_with": form.change} if form.change else {}
    tools = _tools("tensorflow", "keras", "tf_keras")
    return Converted(artifact=artifact, saved_model=files, tools=tools | change | {"isolation": work.isolation})


def _as_it_is(request: ConvertRequest, content: bytes, where: str, work: Work) -> Converted:
    """A .tflite file is the baseline, and there is nothing to convert; the inspection says whether it is float32."""
    check_answers(content, where)
    if request.data is not None:
        check_data(request.data, describe_unopened(content), work)
    artifact = _baseline(content, where, work)
    return Converted(artifact=artifact, saved_model=(), tools=_tools() | {"isolation": work.isolation})


def _baseline(content: bytes, where: str, work: Work) -> Artifact:
    signatures = describe(content)
    check_tensors(signatures, where)
    for key, signature in signatures.items():
        work.say("convert: signature %s: %s -> %s", key, names_of(signature.inputs), names_of(signature.outputs))
    file = work.keep_bytes(content, f"{BASELINE}.tflite")
    work.say("convert: float32 baseline, %s bytes, sha256 %s", f"{len(content):,}", file.digest[:12])
    return Artifact(variant=BASELINE, file=file, signatures=signatures)


def _tools(*names: str) -> dict[str, str]:
    return {name: version(name) for name in (*names, "ai-edge-litert", "numpy")}
