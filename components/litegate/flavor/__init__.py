"""A LiteRT flavor for MLflow: log, load and serve .tflite files, with neither TensorFlow nor pickle.

What is logged has two flavors. `python_function` is what `mlflow.pyfunc.load_model` and `mlflow models serve`
use; it brings its own code, and needs mlflow-skinny, numpy, pandas and ai-edge-litert. `litert` names the file,
its digest and its signature, for `load_model` here and for whoever only wants the file.
"""

from __future__ import annotations

from litegate.flavor.loading import load_model
from litegate.flavor.saving import FLAVOR_NAME, get_default_pip_requirements, log_model, package_digest, save_model

__all__ = ["FLAVOR_NAME", "get_default_pip_requirements", "load_model", "log_model", "package_digest", "save_model"]
