"""How litegate writes to MLflow: runs, logged models, the registry, and the notes that people read there."""

import os
import sys
import warnings
from importlib.util import find_spec

# MLflow reads these when it is imported or called: nothing leaves the host, nothing is guessed from the
# current folder, no pip is started to check requirements that we pin, and a dead server is noticed in half a minute.
for _name, _value in {
    "MLFLOW_DISABLE_TELEMETRY": "true",
    "MLFLOW_DISABLE_AGENT_HINT": "1",
    "MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR": "false",
    "MLFLOW_HTTP_REQUEST_MAX_RETRIES": "4",
    "MLFLOW_SKIP_PIP_REQUIREMENTS_CHECK": "true",
    "MLFLOW_SUPPRESS_PRINTING_URL_TO_STDOUT": "true",
    "MLFLOW_UV_AUTO_DETECT": "false",
}.items():
    os.environ.setdefault(_name, _value)

# MLflow 3.17 warns about its own classes when `mlflow.pyfunc` is imported.
warnings.filterwarnings("ignore", ".*Any type hint is inferred as AnyType", UserWarning)

# MLflow tries to import Databricks' runtime several times for each of its requests, which searches all of `sys.path`;
# where there is none, Python is told once.
if "dbruntime" not in sys.modules and find_spec("dbruntime") is None:
    sys.modules["dbruntime"] = None  # type: ignore[assignment]
