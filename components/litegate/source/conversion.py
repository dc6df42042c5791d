"""From the forms of a source model to the float32 .tflite file, by TensorFlow's converter."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Set
from pathlib import Path

import tensorflow as tf

from litegate.source.causes import not_converted
from litegate.source.converted import lacks_values
from litegate.source.forms import Form, forms
from litegate.source.signatures import signatures_of

__all__ = ["converted", "forms"]

_FREE_BATCH = "TensorList"
"""In the converter's message where it cannot tell the shape of what a recurrent layer collects."""


def converted(
    candidates: Iterator[Form],
    where: str,
    say: Callable[..., None],
    operators: Callable[[bytes], Set[str]],
    fixed_batch: bool,
) -> tuple[Form, bytes]:
    """The first form that is whole and has no loop, which calibration cannot go through, else the first at all.

    Args:
        candidates: in the order in which they are tried.
        where: the spec key and the URI, for messages.
        say: takes a line of the log, with arguments as `logging` does.
        operators: names those of a .tflite file.
        fixed_batch: whether only a form of a fixed batch will do.

    Returns:
        The form, and the bytes of its .tflite file.

    Raises:
        ModelError: none can be converted.
    """
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
            return _chosen(form, content, say)
    if other := looped or partial:
        return _chosen(*other, say)
    raise not_converted(refusal or "it has no form that can be tried", where) from refusal


def _chosen(form: Form, content: bytes, say: Callable[..., None]) -> tuple[Form, bytes]:
    if form.change:
        say("convert: with %s: as it is its target cannot run it, or it is not converted as a whole", form.change)
    return form, content


def _takes_any_batch(form: Form, where: str) -> bool:
    signatures = filter(None, signatures_of(form.saved_model, where).values())
    return any(-1 in spec.shape[:1] for signature in signatures for spec in signature.inputs.values())


def _tflite(saved_model: Path) -> bytes:
    content: bytes = tf.lite.TFLiteConverter.from_saved_model(str(saved_model)).convert()
    return content
