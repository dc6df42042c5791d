"""Bias correction: what rounding does to a channel on average is taken back by the bias of its layer.

Rounded weights do not only make a layer noisy, they shift it: the mean of an output channel is another one than in
float32, and the layers after it see that shift in every sample. Layer by layer, in the order in which they run, the
mean difference on the samples is subtracted from the bias, with all layers before it corrected already (M. Nagel,
M. van Baalen, T. Blankevoort and M. Welling, "Data-Free Quantization Through Weight Equalization and Bias Correction",
ICCV 2019, section 4.2, here with samples in place of statistics). A bias has 32 bits, so this costs no byte.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from litegate.recovery.graph import CHANNEL_OUT, Graph, packed, unpacked
from litegate.runtimes.activations import Activations
from litegate.runtimes.batches import batches

__all__ = ["Means", "corrected"]

Array = np.ndarray[Any, np.dtype[Any]]

_SAMPLES = 100


class Means:
    """What tensors have on the samples, channel by channel.

    Args:
        signature: key of the one that is run.
        graph: the index of its graph in the file.
        features: the samples, by input name.
        batch: how many of them are run at once.
    """

    def __init__(self, signature: str, graph: int, features: Mapping[str, Array], batch: int) -> None:
        self.signature, self.graph = signature, graph
        few = {name: value[:_SAMPLES] for name, value in features.items()}
        self._batches = list(batches(few, batch))

    def of(self, content: bytes, names: set[str]) -> dict[str, Array]:
        """The mean of each channel, (channels,), by the name of the tensor, as far as the file has it.

        Raises:
            RuntimeError, ValueError: the file cannot be run.
        """
        file = Activations(content, self.signature, self.graph, names)
        found: dict[str, list[Array]] = {}
        for some in self._batches:
            for name, values in file.run(some).items():
                found.setdefault(name, []).append(values.reshape(-1, values.shape[-1]).mean(axis=0, dtype=np.float64))
        return {name: np.mean(each, axis=0) for name, each in found.items()}


def corrected(
    float32: bytes, quantized: Callable[[bytes], bytes], means: Means, in_time: Callable[[], bool]
) -> tuple[bytes, int] | None:
    """The float32 file with other biases, from which the quantized file is nearer to the one given, and their number.

    None where no layer has a bias of its own, or where there is no time for all of them.

    Args:
        quantized: makes the quantized file from a float32 file.

    Raises:
        RuntimeError, ValueError: a file cannot be run.
    """
    model = unpacked(float32)
    graph = Graph(model, means.graph)
    layers = [number for number in range(len(graph.graph.operators)) if _has_bias(graph, number)]
    wanted = means.of(float32, {graph.output(number) for number in layers})
    for number in layers:
        if not in_time():
            return None
        name = graph.output(number)
        found = means.of(quantized(packed(model)), {name})
        bias = graph.constant(number, 2)
        if bias is not None and name in found and found[name].shape == bias.shape:
            graph.replace(number, 2, bias - (found[name] - wanted[name]))
    return (packed(model), len(layers)) if layers else None


def _has_bias(graph: Graph, number: int) -> bool:
    return graph.kind(number) in CHANNEL_OUT and graph.constant(number, 2) is not None
