"""Step `convert`: the source model to a SavedModel, and that to the float32 baseline, by one route for all."""

from __future__ import annotations

from importlib.metadata import version
from pathlib import Path

import tensorflow as tf

from litegate.errors import ModelError
from litegate.records import Artifact, Converted, ConvertRequest
from litegate.source_model import export_saved_model
from litegate.tflite import describe, names_of
from litegate.variants import BASELINE
from litegate.work import Work

__all__ = ["run"]


def run(request: ConvertRequest, work: Work) -> Converted:
    """Convert the source model without quantization.

    Raises:
        ModelError: the model cannot be loaded, exported or converted.
    """
    model = request.model
    work.say("convert: loading %s (%s)", model.uri, model.format)
    saved_model = export_saved_model(work.tree(model.files, "source"), model, work.folder / "saved_model")
    content = _convert(saved_model, model.uri)
    signatures = describe(content)
    for key, signature in signatures.items():
        work.say("convert: signature %s: %s -> %s", key, names_of(signature.inputs), names_of(signature.outputs))
    artifact = Artifact(variant=BASELINE, file=work.keep_bytes(content, f"{BASELINE}.tflite"), signatures=signatures)
    work.say("convert: float32 baseline, %s bytes, sha256 %s", f"{len(content):,}", artifact.file.digest[:12])
    files = model.files if model.format == "saved_model" else work.keep_tree(saved_model)
    return Converted(artifact=artifact, saved_model=files, tools=_tools())


def _convert(saved_model: Path, uri: str) -> bytes:
    try:
        content: bytes = tf.lite.TFLiteConverter.from_saved_model(str(saved_model)).convert()
    except Exception as error:
        found = f"{type(error).__name__}: {' '.join(str(error).split())[:500]}"
        raise ModelError(f"model.uri {uri}", "a model that LiteRT's converter accepts", found) from error
    return content


def _tools() -> dict[str, str]:
    return {name: version(name) for name in ("tensorflow", "keras", "tf_keras", "ai-edge-litert", "numpy")}
