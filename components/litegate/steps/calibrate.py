"""Step `calibrate`: one calibration for all variants that are calibrated, by the engine that the request names."""

from __future__ import annotations

from litegate.datasets.representative import load_samples
from litegate.engines import engine_row, load_engine
from litegate.engines.engine import Calibration, SourceModel
from litegate.records import Calibrated, CalibrateRequest
from litegate.variants import VARIANTS, Recipe, Variant
from litegate.work.step_work import Work

__all__ = ["run"]


def _calibrated(variant: Variant) -> Recipe | None:
    return variant.recipe if variant.calibrated else None


def run(request: CalibrateRequest, work: Work) -> Calibrated:
    """Calibrate, for whichever variants this is known to give the same files as a calibration for each of them.

    Raises:
        ValueError: there is no such engine.
    """
    row = engine_row(request.engine)
    recipes = [recipe for name, each in VARIANTS.items() if name in row.makes and (recipe := _calibrated(each))]
    model = SourceModel(
        saved_model=work.tree(request.saved_model, "saved_model"),
        float32=work.path(request.baseline.file).read_bytes(),
    )
    calibration = Calibration(load_samples(work.path(request.samples.file)), request.samples.samples)
    made = load_engine(row).calibrate(model, recipes, calibration, work.say)
    if made is None:
        return Calibrated(file=None, variants=())
    work.say("calibrate: one calibration for %s", ", ".join(made.recipes))
    return Calibrated(file=work.keep_bytes(made.content, "calibrated.tflite"), variants=made.recipes)
