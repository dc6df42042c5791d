"""From the source model to the file `fine_tuned`: wrapped, trained, unwrapped, converted."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import keras

from litegate.engines import engine_row, load_engine
from litegate.engines.engine import Calibration, Engine, SourceModel
from litegate.errors import BadInput, ModelError, StepFailed
from litegate.failures import FailureKind
from litegate.fine_tuning.training import find_ranges, not_finite, train
from litegate.fine_tuning.training_data import training_folder
from litegate.fine_tuning.wrapping import Wrapped, fake_quantized
from litegate.inspection import count, mismatch, read_file
from litegate.inspection.tflite import operators
from litegate.records import FineTuneRequest, FineTuning, ModelRef, Tuned
from litegate.recovery.tuning import Tuner
from litegate.runtimes.litert import choose_signature
from litegate.source.conversion import converted, forms
from litegate.source.loading import load_keras
from litegate.user_code.entry_point import load_function
from litegate.user_code.source import check_source
from litegate.variants import TF_CONVERTER, VARIANTS, Recipe
from litegate.work.step_work import Work

__all__ = ["fine_tuned"]

_WHERE = "the fine-tuned model"
_KERAS, _FLOAT32 = "fine_tuned.keras", "fine_tuned_float32.tflite"
_MOST_NAMED = 8


def fine_tuned(
    request: FineTuneRequest, source: SourceModel, calibration: Calibration, work: Work
) -> tuple[bytes, FineTuning]:
    """Train with fake quantization, and convert what comes of it as the source model was.

    Args:
        source: the model as it was converted before, which the file is compared with.

    Raises:
        BadInput: the user's code or data cannot be used, or its weights are not finite.
        ModelError: the model cannot be trained, or not be converted afterwards.
        Refused: the converter makes no such file.
        StepFailed: the file is not quantized as the base is.
    """
    return _FineTuning(request, source, calibration, work).run()


@dataclass(frozen=True)
class _FineTuning:
    request: FineTuneRequest
    source: SourceModel
    calibration: Calibration
    work: Work

    def run(self) -> tuple[bytes, FineTuning]:
        """The file, and how it came to be."""
        key = choose_signature(tuple(self.calibration.samples), self.request.signature)
        features = self.calibration.samples[key]
        tuner = Tuner(self.source.float32, features, key, self.request.output, self.request.classifies)
        before = tuner.measure(self._quantized(self.source))
        began = time.monotonic()
        wrapped, model = self._trained(features)
        seconds = time.monotonic() - began
        whole = self._converted(model)
        content = self._quantized(whole)
        return content, self._record(wrapped, before, tuner.measure(content), seconds, whole)

    def _trained(self, features: Mapping[str, Any]) -> tuple[Wrapped, ModelRef]:
        """The model that was trained, as layers and as a file."""
        check_source(self.request.code, "fine_tune.entry_point")
        function = load_function(self.request.code.reference, self.request.code.folder)
        root = self.work.tree(self.request.model.files, "source")
        plain = _loaded(root, self.request.model)
        wrapped = fake_quantized(plain, f"model.uri {self.request.model.uri}")
        self._say(wrapped)
        find_ranges(wrapped.model, features)
        folder = training_folder(self.request.training, self.work)
        train(function, wrapped.model, folder, self.request.arguments, self.request.seed, self.request.code.reference)
        if where := not_finite(plain):
            raise BadInput(self.request.code.reference, "finite weights after training", f"NaN or infinity in {where}")
        self._save(plain, _loaded(root, self.request.model))
        return wrapped, self.request.model.model_copy(update={"uri": _KERAS, "format": "keras"})

    def _save(self, trained: Any, fresh: Any) -> None:
        """The weights in a model that nothing was put around: what was trained has more connections by now."""
        named = [[(each.path, tuple(each.shape)) for each in model.weights] for model in (trained, fresh)]
        if named[0] != named[1]:
            raise BadInput(self.request.code.reference, "a model with the weights that it was given", "others")
        fresh.set_weights(trained.get_weights())
        self._root.mkdir()
        fresh.save(self._root / "model.keras")

    @property
    def _root(self) -> Path:
        return self.work.folder / "fine_tuned"

    def _converted(self, model: ModelRef) -> SourceModel:
        """By the route of the source model, in the form that comes of it."""
        folder = self.work.folder / "forms"
        found = forms(self._root, model, folder, self.request.fixed_batch)
        form, float32 = converted(found, _WHERE, self.work.say, operators, self.request.fixed_batch)
        return SourceModel(form.saved_model, float32)

    @property
    def _recipe(self) -> Recipe:
        recipe = VARIANTS[self.request.base].recipe
        assert recipe is not None
        return recipe

    @property
    def _engine(self) -> Engine:
        return load_engine(engine_row(TF_CONVERTER, self.request.base))

    def _quantized(self, source: SourceModel) -> bytes:
        content = self._engine.make(source, self._recipe, self.calibration, self.work.say)
        problem = mismatch(count(read_file(content)), VARIANTS[self.request.base])
        if problem:
            detail = f"the converter gave no {self.request.base}: {problem}"
            raise StepFailed("quantize", FailureKind.WRONG_SCHEME, detail)
        return content

    def _say(self, wrapped: Wrapped) -> None:
        self.work.say("fine_tuned: 8 bits are simulated in %d layers: %s", len(wrapped.rounded), _few(wrapped.rounded))
        if wrapped.left:
            self.work.say("fine_tuned: computed in float as before: %s", _few(wrapped.left))

    def _record(self, wrapped: Wrapped, before: Tuned, after: Tuned, seconds: float, whole: SourceModel) -> FineTuning:
        self.work.say("fine_tuned: loss %.4g in place of %.4g, trained for %.0f s", after.loss, before.loss, seconds)
        return FineTuning(
            base=self.request.base,
            layers=wrapped.rounded,
            left=wrapped.left,
            samples=self.calibration.count,
            before=before,
            after=after,
            seconds=round(seconds, 1),
            model=self.work.keep(self._root / "model.keras", _KERAS),
            float32=self.work.keep_bytes(whole.float32, _FLOAT32),
        )


def _loaded(root: Path, model: ModelRef) -> Any:
    """The model in Keras 3, by the same checks as for the conversion."""
    loaded, _ = load_keras(root, model)
    if not isinstance(loaded, keras.Model):
        expected = "a model that Keras 3 can load, for fine_tune puts its layers between those of Keras 3"
        raise ModelError(f"model.uri {model.uri}", expected, "one of Keras 2: load it with Keras 3 and save it again")
    return loaded


def _few(names: tuple[str, ...]) -> str:
    more = f" and {len(names) - _MOST_NAMED} more" if len(names) > _MOST_NAMED else ""
    return ", ".join(names[:_MOST_NAMED]) + more if names else "none"
