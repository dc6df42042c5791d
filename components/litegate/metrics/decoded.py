"""Error rates of texts, which the user's decoder makes of the model's output and of the label.

The rate of a set is the sum of the edits over the sum of the lengths of the right texts (V. Levenshtein's distance,
Soviet Physics Doklady 10 (1966) 707-710, as speech recognition counts it), so what is kept of a sample are the two.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from litegate.errors import BadInput, DataError, SpecError
from litegate.metrics.base import NO_INPUTS, OUTPUT, Inputs, Metric, Outputs, judged_output
from litegate.records import UserCode
from litegate.spec.metric_facts import MetricFacts
from litegate.user_code.entry_point import load_function
from litegate.user_code.source import check_source

__all__ = ["decoded_metric", "edits", "error_rate"]

Array = np.ndarray[Any, np.dtype[Any]]
DECODER = "evaluation.decoder"


def decoded_metric(facts: MetricFacts, output: str | None = None, decoder: UserCode | None = None) -> Metric:
    """`wer` by words, which white space separates, or `cer` by characters.

    Args:
        output: name of the one that is decoded; None for the only one.
        decoder: `function(output, label)` of one sample, each without a batch axis; two texts, the model's and the
            right one. Only `value` works without it.

    Raises:
        SpecError: the decoder cannot be loaded, or its source is not what it was when the run began.
    """
    split = str.split if facts.name == "wer" else list
    decoded = _Decoded(facts.name, split, output, None if decoder is None else _loaded(decoder))
    needs = {} if output is None else {output: OUTPUT}
    return Metric(facts, decoded.columns, error_rate, output=output, needs=needs)


def error_rate(output: Array, target: Array) -> float:
    """Edits for each word or character of the right texts.

    Args:
        output: (n,) numbers of edits.
        target: (n,) numbers of words or characters.

    Raises:
        ValueError: the right texts have none.
    """
    total = int(np.sum(target))
    if total == 0:
        raise ValueError(f"{len(target)} samples have no word or character to be right about")
    return float(np.sum(output)) / total


def edits(one: Sequence[str], other: Sequence[str]) -> int:
    """The least number of insertions, deletions and substitutions that make the one of the other."""
    row = list(range(len(other) + 1))
    for at, own in enumerate(one, 1):
        before, row[0] = row[0], at
        for column, theirs in enumerate(other, 1):
            before, row[column] = (
                row[column],
                min(row[column] + 1, row[column - 1] + 1, before + (own != theirs)),
            )
    return row[-1]


def _loaded(code: UserCode) -> Callable[..., Any]:
    check_source(code, DECODER)
    try:
        return load_function(code.reference, code.folder)
    except BadInput as error:
        raise SpecError(DECODER, f"{error.expected} for {error.where}", error.got) from error


@dataclass(frozen=True)
class _Decoded:
    """A decoder, with what it gives checked."""

    name: str
    split: Callable[[str], list[str]]
    output: str | None
    decoder: Callable[..., Any] | None

    def columns(self, outputs: Outputs, labels: Array, _: Inputs = NO_INPUTS, /) -> dict[str, Array]:
        given = judged_output(outputs, self.name, self.output)
        pairs = [self._texts(one, label) for one, label in zip(given, labels, strict=True)]
        distances = [edits(found, right) for found, right in pairs]
        return {"output": np.array(distances, np.int64), "target": np.array([len(each[1]) for each in pairs], np.int64)}

    def _texts(self, output: Array, label: Array) -> tuple[list[str], list[str]]:
        if self.decoder is None:
            raise SpecError(DECODER, f"a function for {self.name}", "null")
        expected = "two texts, the model's and the right one"
        try:
            texts = self.decoder(output, label)
        except Exception as error:
            shapes = f"an output {output.shape} and a label {np.shape(label)}"
            raise DataError(DECODER, expected, f"{type(error).__name__}: {error} for {shapes}") from error
        if not (isinstance(texts, tuple | list) and len(texts) == 2 and all(isinstance(each, str) for each in texts)):
            raise DataError(DECODER, expected, f"{texts!r:.100}")
        return self.split(texts[0]), self.split(texts[1])
