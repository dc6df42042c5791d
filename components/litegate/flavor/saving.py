"""Save and log a .tflite file as an MLflow model."""

from __future__ import annotations

import logging
import os
import shutil
import sys
import threading
import warnings
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import cache
from importlib.metadata import version
from pathlib import Path
from typing import Any

import mlflow.pyfunc
import numpy as np
from mlflow.models import Model
from mlflow.models.model import ModelInfo

from litegate import records
from litegate.digest import digest_file, digest_json
from litegate.errors import ModelError
from litegate.flavor.schemas import model_signature, zeros
from litegate.inspection import tflite
from litegate.runtimes import litert

__all__ = ["FLAVOR_NAME", "get_default_pip_requirements", "log_model", "package_digest", "save_model"]

FLAVOR_NAME = "litert"
CODE = Path(__file__).with_name("python_model.py")
ADAPTER = Path(litert.__file__)
SAVING = threading.RLock()
"""MLflow keeps the code that it loads, and what stands in for `dbutils` meanwhile, in globals: one thread at a time."""

log = logging.getLogger("litegate")


def get_default_pip_requirements() -> list[str]:
    """All that a consumer needs to load or serve a model, in the versions of this environment."""
    return [f"{name}=={_version(name)}" for name in ("mlflow-skinny", "numpy", "pandas", "ai-edge-litert")]


@cache
def _version(package: str) -> str:
    """Of what this process has: it asks twice for each model."""
    return version(package)


def package_digest(file_name: str, signature_key: str, tensors: records.Signature) -> str:
    """SHA-256 of what `save_model` puts around a .tflite file of that name: equal ones make equal packages of it."""
    code = [digest_file(path) for path in (CODE, ADAPTER)]
    return digest_json([file_name, signature_key, tensors.to_json(), code, get_default_pip_requirements()])


def save_model(
    tflite_file: str | os.PathLike[str],
    path: str | os.PathLike[str],
    signature_key: str | None = None,
    *,
    tensors: records.Signature | None = None,
    input_example: Mapping[str, np.ndarray[Any, Any]] | None = None,
    num_threads: int = 1,
    mlflow_model: Model | None = None,
) -> None:
    """Write a folder that MLflow can load, serve and register.

    Args:
        tflite_file: any .tflite file; it keeps its name.
        path: the folder to write, which must not exist.
        signature_key: the signature to run; see `litegate.runtimes.litert.LiteRTModel`.
        tensors: what that signature takes and gives, if it is known: the file is then not opened here.
        input_example: by input name, samples to travel with the model. The default is one sample of zeros.
        num_threads: how many threads a consumer's interpreter uses.
        mlflow_model: what else the MLmodel file is to say.

    Raises:
        ModelError: the file is no LiteRT model, or has no such signature.
    """
    file, model = Path(tflite_file), Model() if mlflow_model is None else mlflow_model
    if tensors is None:
        signature_key, tensors = _read(file, signature_key)
    facts = {"signature_key": signature_key, "tflite_sha256": digest_file(file), "num_threads": num_threads}
    model.add_flavor(FLAVOR_NAME, data=f"artifacts/{file.name}", **facts)
    with SAVING, _quiet_mlflow():
        mlflow.pyfunc.save_model(
            path=path,
            mlflow_model=model,
            python_model=str(CODE),
            artifacts={"tflite": str(file), "adapter": str(ADAPTER)},
            signature=model_signature(tensors),
            input_example=_example(tensors, file) if input_example is None else dict(input_example),
            pip_requirements=get_default_pip_requirements(),
            model_config=facts,
        )
    _without_local_paths(model, Path(path))


def log_model(
    tflite_file: str | os.PathLike[str],
    name: str | None = None,
    signature_key: str | None = None,
    *,
    input_example: Mapping[str, np.ndarray[Any, Any]] | None = None,
    num_threads: int = 1,
    **options: Any,
) -> ModelInfo:
    """Log a .tflite file to the active run, or to none, as `mlflow.<flavor>.log_model` does for other models.

    Args:
        name: of the logged model; the file's own, if left out.
        options: all else that `mlflow.models.Model.log` takes: `registered_model_name`, `params`, `tags`, `run_id`, ...

    Raises:
        ModelError: the file is no LiteRT model, or has no such signature.
    """
    file = Path(tflite_file)
    signature_key, tensors = _read(file, signature_key)  # or a bad file would leave an empty logged model behind
    with SAVING, _quiet_mlflow():
        return Model.log(
            artifact_path=None,
            name=name or file.stem.replace(".", "-"),
            flavor=sys.modules[__name__],
            flavor_name=FLAVOR_NAME,
            **({"model_type": FLAVOR_NAME} | options),
            tflite_file=file,
            signature_key=signature_key,
            tensors=tensors,
            input_example=input_example,
            num_threads=num_threads,
        )


def _read(file: Path, signature_key: str | None) -> tuple[str | None, records.Signature]:
    """The key and the tensors of the signature to run; the key is None where the file has no signatures."""
    try:
        model = litert.LiteRTModel(file.read_bytes(), signature_key)
    except (OSError, ValueError) as error:
        raise ModelError(str(file), "a LiteRT model with that signature", str(error)) from error
    return model.signature or None, tflite.signature_of(model)


def _example(tensors: records.Signature, file: Path) -> dict[str, Any] | None:
    example = zeros(tensors)
    if example is None:
        log.info("%s: no input example, for its inputs are too large to be written as JSON", file.name)
    return example


@contextmanager
def _quiet_mlflow() -> Iterator[None]:
    """Nothing is guessed from the current folder, no pip is started, and what we know is not warned of."""
    wanted = {"MLFLOW_SKIP_PIP_REQUIREMENTS_CHECK": "true", "MLFLOW_UV_AUTO_DETECT": "false"}
    before = {name: os.environ.get(name) for name in wanted}
    chatty = [logging.getLogger(name) for name in ("mlflow.utils.environment", "mlflow.pyfunc")]
    levels = [logger.level for logger in chatty]
    os.environ |= wanted
    for logger in chatty:
        logger.setLevel(logging.ERROR)  # they miss pip, and say that they check the example
    try:
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", ".*input example was not provided")
            yield
    finally:
        for logger, level in zip(chatty, levels, strict=True):
            logger.setLevel(level)
        for name, value in before.items():
            os.environ.pop(name, None) if value is None else os.environ.update({name: value})


def _without_local_paths(model: Model, folder: Path) -> None:
    flavor = model.flavors["python_function"]
    flavor["model_code_path"] = CODE.name
    for artifact in flavor["artifacts"].values():
        artifact["uri"] = artifact["path"]
    model.save(folder / "MLmodel")
    for compiled in folder.rglob("__pycache__"):
        shutil.rmtree(compiled)
