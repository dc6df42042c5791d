"""What a parent of the service's steps has asked once, its forks do not ask again."""

from __future__ import annotations

import subprocess
import sys

import pytest

pytestmark = pytest.mark.e2e

FORKED = """
import sys
from importlib.util import find_spec
from litegate.steps.preloading import preload
preload("service")

import importlib_metadata
from mlflow.tracking.request_header.registry import resolve_request_headers
from mlflow.utils.requirements_utils import warn_dependency_requirement_mismatches

class Watched:
    def find_spec(self, name, path=None, target=None):
        looked_for.append(name)

looked_for, read = [], []
sys.meta_path.insert(0, Watched())
importlib_metadata.packages_distributions = lambda: read.append("all packages") or {}
headers = resolve_request_headers()
warn_dependency_requirement_mismatches(["numpy"])
print("User-Agent" in headers, looked_for, read, find_spec("IPython") is None or sys.modules["IPython"])
"""


def test_a_request_looks_for_nothing_and_a_model_reads_no_package() -> None:
    done = subprocess.run([sys.executable, "-c", FORKED], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] == "True [] [] True"
