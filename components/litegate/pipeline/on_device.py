"""What a real device is to run: files and samples, made by the steps that a run has too, so that it finds them."""

from __future__ import annotations

from collections.abc import Iterable

from typing_extensions import override

from litegate.errors import SpecError
from litegate.pipeline.evaluation import sample_choice
from litegate.pipeline.local import LocalRun, Watcher
from litegate.pipeline.requests import calibrated_variants
from litegate.pipeline.results import Results
from litegate.pipeline.tasks import Job
from litegate.records import DeviceSamples, DeviceSamplesRequest, ResolveRequest
from litegate.settings import Settings
from litegate.variants import BASELINE

__all__ = ["DeviceRun", "device_samples_request"]

_UPFRONT = (Job("convert"), Job("sample"))
_SAMPLES = Job("device_samples")


def device_samples_request(results: Results) -> DeviceSamplesRequest:
    """All samples that any file of the spec would see: what a device gives counts for whatever of it is judged."""
    resolved = results.resolved()
    choices = (sample_choice(resolved.spec, name) for name in (BASELINE, *resolved.spec.quantized_variants))
    return DeviceSamplesRequest(
        data=resolved.evaluation,
        artifact=results.converted().artifact,
        choices=tuple(dict.fromkeys(choices)),
        preprocess=resolved.preprocess,
        signature=resolved.spec.evaluation.signature,
    )


class DeviceRun(LocalRun):
    """The part of a run that makes some files, and then the samples for a device; nothing is judged.

    Args:
        request, places, watch: as of a `LocalRun`.
        variants: which files; float32 may be among them.

    Raises:
        SpecError: the spec has no such variant, or no device.
    """

    def __init__(
        self, request: ResolveRequest, places: Settings, variants: Iterable[str], watch: Watcher = lambda *_: None
    ) -> None:
        super().__init__(request, places, watch)
        self.variants, known = tuple(dict.fromkeys(variants)), (BASELINE, *request.spec.quantized_variants)
        for name in self.variants:
            if name not in known:
                raise SpecError("VARIANT", f"one of the spec's: {', '.join(known)}", repr(name))
        if request.spec.evaluation.device is None:
            raise SpecError("evaluation.device", "the device whose evidence is asked for", "null")

    @property
    def samples(self) -> DeviceSamples:
        """Those for the device, once it has run."""
        return self.results.one(DeviceSamples, _SAMPLES.step)

    @property
    @override
    def steps(self) -> int:
        """How many steps it has."""
        return 1 + len(_UPFRONT) + (1 if self._calibrated else 0) + len(self._quantized) + 1

    @override
    def _after_resolve(self) -> None:
        for job in _UPFRONT:
            self._step(job)
        if self._calibrated:
            self._calibrate()
        for name in self._quantized:
            self._step(Job("quantize", name))
        self._step(_SAMPLES, device_samples_request(self.results))

    @property
    def _quantized(self) -> tuple[str, ...]:
        return tuple(name for name in self.variants if name != BASELINE)

    @property
    def _calibrated(self) -> bool:
        return bool(set(calibrated_variants(self.request.spec)) & set(self.variants))
