"""What a consumer runs: this file is logged beside the .tflite and the adapter `litert.py`.

It is read as a file and never imported, and must need nothing but mlflow, numpy and the adapter: neither
litegate nor TensorFlow is there when a registered model is loaded.
"""

import hashlib
import importlib.util
import inspect
import sys
import threading
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
from mlflow.models import set_model
from mlflow.pyfunc.model import PythonModel, PythonModelContext


class LiteRTPythonModel(PythonModel):  # type: ignore[misc]  # mlflow is not type-checked
    """Values in, values out, by tensor name; safe to call from several threads.

    Attributes:
        model: the adapter's `LiteRTModel`, for whoever wants raw arrays; one thread at a time.
    """

    def load_context(self, context: PythonModelContext) -> None:
        """Open the .tflite that was logged, and no other."""
        config = context.model_config
        content = Path(context.artifacts["tflite"]).read_bytes()
        if hashlib.sha256(content).hexdigest() != config["tflite_sha256"]:
            raise ValueError("the .tflite is not the one that was logged: its SHA-256 differs")
        adapter = _load(Path(context.artifacts["adapter"]))
        self.model = adapter.LiteRTModel(content, config["signature_key"], int(config["num_threads"]))
        self._lock = threading.Lock()

    # The hint is one that MLflow derives no schema from: the logged signature is the schema.
    def predict(self, model_input: np.ndarray, params: dict[str, Any] | None = None) -> dict[str, np.ndarray]:
        """Outputs by name for arrays by name, or for one array where there is one input.

        With the parameter `raw` they are what the file holds. MLflow has made the inputs the type of real values
        by then; those of one or two bytes are made what they were.
        """
        features = model_input if isinstance(model_input, dict) else {next(iter(self.model.inputs)): model_input}
        raw = bool(params and params["raw"])
        if raw:
            features = {name: _raw(name, values, self.model.inputs[name].dtype) for name, values in features.items()}
        with self._lock:
            outputs: dict[str, np.ndarray] = self.model.predict(features, raw)
        return outputs


def _raw(name: str, values: np.ndarray, dtype: np.dtype) -> np.ndarray:
    if values.dtype == dtype:
        return values
    limits = np.iinfo(dtype)
    if not np.all((values >= limits.min) & (values <= limits.max) & (values == np.rint(values))):
        raise ValueError(f"input {name!r}: expected raw values: whole numbers from {limits.min} to {limits.max}")
    return values.astype(dtype)


def _load(path: Path) -> ModuleType:
    """The adapter as a module of this load alone, as MLflow loads this file: two versions never mix."""
    spec = importlib.util.spec_from_file_location(f"{__name__}_adapter", path)
    if spec is None or spec.loader is None:
        raise ImportError(f"cannot load {path.name}")
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module  # dataclasses look their module up while it is executed
    spec.loader.exec_module(module)
    return module


# MLflow reads it at every call, and that takes longer than all that is done here.
LiteRTPythonModel.predict.__signature__ = inspect.signature(LiteRTPythonModel.predict)  # type: ignore[attr-defined]

set_model(LiteRTPythonModel())
