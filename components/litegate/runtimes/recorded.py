"""A real device as a runtime: what it gave for each sample is looked up, and nothing is run here.

Samples are found by what they feed, so that none of those who ask need know of indices, and what the device was never
fed is an error and never another sample's answer. Names, types and quantization are read from the file by LiteRT.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from litegate.digest import digest_bytes
from litegate.errors import StepFailed
from litegate.failures import FailureKind
from litegate.runtimes.device_evidence import Evidence, fed_digests, read_evidence
from litegate.runtimes.evidence_checks import check_file, check_outputs
from litegate.runtimes.litert import LiteRTModel, check_features
from litegate.runtimes.runtime import Facts
from litegate.variants import DEVICE

__all__ = ["Recorded", "RecordedModel"]

Array = np.ndarray[Any, np.dtype[Any]]


class Recorded:
    """The runtime of one file's evidence; see `litegate.runtimes.runtime.Runtime`.

    Args:
        name: that of the runtime, `device:` and the device's.
        evidence: where it lies.
    """

    def __init__(self, name: str, evidence: Path) -> None:
        self._name, self._path = name, evidence

    def load(self, content: bytes, signature: str | None = None) -> RecordedModel:
        """The device's answers for a file.

        Raises:
            BadInput: the evidence is damaged, or of another file or device.
        """
        evidence = read_evidence(self._path, f"evidence of {self._name}")
        check_file(evidence, digest_bytes(content), self._name.removeprefix(DEVICE))
        return RecordedModel(self._name, evidence, LiteRTModel(content, signature))

    def facts(self, content: bytes) -> Facts:  # noqa: ARG002  the protocol has it
        """What ran the file there, in the lab's own words."""
        evidence = read_evidence(self._path, f"evidence of {self._name}")
        return Facts(evidence.runtime, kernels_of(self._name, evidence))


class RecordedModel:
    """One signature of a file as a device ran it.

    Raises:
        BadInput: the evidence has other outputs than the file.
    """

    def __init__(self, name: str, evidence: Evidence, interface: LiteRTModel) -> None:
        check_outputs(evidence, interface.outputs)
        self._name, self._evidence = name, evidence
        self.signature = interface.signature
        self.inputs, self.outputs = interface.inputs, interface.outputs
        self.kernels = kernels_of(name, evidence)
        fed = evidence.fed.tolist()
        self._rows = {fed[row]: row for row in reversed(range(len(fed)))}  # of equal samples the first

    def predict(self, features: Mapping[str, Array]) -> dict[str, Array]:
        """See `litegate.runtimes.runtime.Model`.

        Raises:
            StepFailed: the device was never fed one of the samples.
        """
        check_features(features, self.inputs)
        fed = fed_digests(features).tolist()
        rows = [self._rows[each] for each in fed if each in self._rows]
        if len(rows) < len(fed):
            self._refuse(len(fed) - len(rows), len(fed))
        outputs = self._evidence.outputs
        return {name: tensor.dequantize(outputs[name][rows]) for name, tensor in self.outputs.items()}

    def quantize(self, features: Mapping[str, Array]) -> dict[str, Array]:
        """Real values as the file's inputs want them."""
        return {name: tensor.quantize(features[name]) for name, tensor in self.inputs.items()}

    def invoke(self, quantized: Mapping[str, Array]) -> dict[str, Array]:  # noqa: ARG002  the protocol has it
        """Nothing can be run or timed here.

        Raises:
            RuntimeError: always.
        """
        raise RuntimeError(f"{self._name} is a record: it cannot be run here")

    def _refuse(self, unknown: int, size: int) -> None:
        what = f"{self._name} was never fed {unknown:,} of {size:,} samples"
        why = "data, `preprocess` or the choice of samples are not those that it was given"
        cure = "`litegate evidence request SPEC.yaml VARIANT DIR` gives them out again"
        raise StepFailed("evaluate", FailureKind.NO_EVIDENCE, f"{what}: {why}; {cure}")


def kernels_of(name: str, evidence: Evidence) -> str:
    """What computed, in a word: the device, and in brackets what ran there."""
    return f"{name} ({evidence.runtime})"
