"""How much each operator of a quantized file adds to its error, read from what both files compute on the same samples.

A file is run with all its tensors kept, and each is compared with float32's of the same name. With s the float32 values
of a tensor and e the differences, the noise of a channel is min(1, sum(e^2) / sum(s^2)), that of a tensor the mean
over its channels (the last axis), and its signal-to-noise ratio -10 log10 of that, in decibels. The mean over channels
is what finds a channel that is too small for the step of its tensor; one ratio of the whole tensor hides it behind the
large ones, which cause it.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from litegate.recovery.network import Network
from litegate.runtimes.activations import Activations
from litegate.runtimes.batches import batches

__all__ = ["Noise", "Sensitivity", "Sums", "ranks"]

Array = np.ndarray[Any, np.dtype[Any]]

_SAMPLES = 32
"""They are enough for sums over all positions of a tensor, and each is run with all its tensors kept."""


@dataclass(frozen=True)
class Noise:
    """What an operator's outputs have of it.

    Attributes:
        share: of the signal, 0 to 1; of several outputs the largest.
        added: that, less the share of the noisiest input.
        error: root mean square error in quantization steps; None where no output is quantized.
    """

    share: float
    added: float
    error: float | None

    @property
    def snr_db(self) -> float:
        """The signal-to-noise ratio in decibels; infinite without noise."""
        return -10 * math.log10(self.share) if self.share > 0 else math.inf


class Sensitivity:
    """Compares files of one model with its float32 file, tensor by tensor.

    Args:
        float32: its bytes.
        network: of the signature that is run.
        features: samples by input name, of shape (samples, ...), of which the first are used.
        signature: its key.
        batch: how many samples the model takes at once.
    """

    def __init__(
        self, float32: bytes, network: Network, features: Mapping[str, Array], signature: str, batch: int
    ) -> None:
        self._float32, self._network, self._signature = float32, network, signature
        few = {name: value[:_SAMPLES] for name, value in features.items()}
        self._batches = list(batches(few, batch))
        self._names = {name for node in network.nodes for name in (*node.inputs, *node.outputs)}

    def noise(self, content: bytes) -> dict[int, Noise]:
        """The noise of each node by its number, as far as the file has the node's outputs.

        Raises:
            RuntimeError, ValueError: the file cannot be run.
        """
        both = (content, self._float32)
        files = [Activations(each, self._signature, self._network.graph, self._names) for each in both]
        sums: dict[str, Sums] = {}
        for batch in self._batches:
            ours, theirs = (file.run(batch) for file in files)
            for name in ours.keys() & theirs.keys():
                if ours[name].shape == theirs[name].shape:
                    sums.setdefault(name, Sums()).add(ours[name], theirs[name])
        return dict(self._noise(sums, files[0].steps))

    def _noise(self, sums: Mapping[str, Sums], steps: Mapping[str, float]) -> Iterator[tuple[int, Noise]]:
        for number, node in enumerate(self._network.nodes):
            outputs = [name for name in node.outputs if name in sums]
            if outputs:
                share = max(sums[name].share for name in outputs)
                before = max((sums[name].share for name in node.inputs if name in sums), default=0.0)
                yield number, Noise(share, share - before, _in_steps(outputs, sums, steps))


def ranks(noise: Mapping[int, Noise]) -> list[int]:
    """Nodes by the noise that they add, the worst first."""
    return sorted(noise, key=lambda number: (-noise[number].added, number))


def _in_steps(outputs: Sequence[str], sums: Mapping[str, Sums], steps: Mapping[str, float]) -> float | None:
    found = [sums[name].error / steps[name] for name in outputs if name in steps]
    return max(found, default=None)


class Sums:
    """Squares of a tensor's values and of its differences, by channel, over all that was added."""

    def __init__(self) -> None:
        self._signal: Array | None = None
        self._noise: Array | None = None
        self._count = 0

    def add(self, ours: Array, theirs: Array) -> None:
        """Add real values of shape (batch, ..., channels) of a file, and float32's."""
        channels = theirs.shape[-1] if theirs.ndim > 1 else 1
        signal = theirs.astype(np.float64).reshape(-1, channels)
        noise = np.square(ours.astype(np.float64).reshape(-1, channels) - signal).sum(axis=0)
        squares = np.square(signal).sum(axis=0)
        self._signal = squares if self._signal is None else self._signal + squares
        self._noise = noise if self._noise is None else self._noise + noise
        self._count += signal.size

    @property
    def share(self) -> float:
        """The noise, of 1; channels that are silent in both files do not count."""
        assert self._signal is not None
        assert self._noise is not None
        heard = (self._signal > 0) | (self._noise > 0)
        if not heard.any():
            return 0.0
        with np.errstate(divide="ignore"):
            shares = self._noise[heard] / self._signal[heard]
        return float(np.minimum(np.nan_to_num(shares, nan=1.0), 1.0).mean())

    @property
    def error(self) -> float:
        """Root mean square of the differences."""
        assert self._noise is not None
        return float(np.sqrt(self._noise.sum() / max(1, self._count)))
