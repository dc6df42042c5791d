"""Logged models that were written by different releases of litegate."""

from __future__ import annotations

import mlflow
import numpy as np

from litegate.flavor import saving
from litegate.steps import register

LATER_RELEASE = """
_dequantize = Tensor.dequantize
Tensor.dequantize = lambda self, values: _dequantize(self, values) + 100
"""


def test_each_model_runs_the_code_that_it_was_logged_with_even_in_one_process(
    mlflow_url, new_toy, tmp_path, monkeypatch
):
    later = tmp_path / "litert.py"
    later.write_text(saving.ADAPTER.read_text() + LATER_RELEASE)
    old, new = new_toy(), new_toy()
    register.run(old.request(), old.work)
    monkeypatch.setattr(saving, "ADAPTER", later)
    register.run(new.request(), new.work)

    image = np.linspace(-1, 1, 64, dtype="float32").reshape(1, 8, 8, 1)
    loaded = [mlflow.pyfunc.load_model(f"models:/{toy.name}/1") for toy in (old, new, old)]
    first, second, third = (model.predict(image)["scores"] for model in loaded)
    np.testing.assert_array_equal(first, third)
    np.testing.assert_allclose(second, first + 100)
    np.testing.assert_array_equal(loaded[0].predict(image)["scores"], first)
