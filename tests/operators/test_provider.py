"""Airflow finds the provider without importing anything of it that could fail."""

from __future__ import annotations

import subprocess
import sys

from litegate_airflow.get_provider_info import get_provider_info


def test_the_provider_is_described_by_its_distribution_name() -> None:
    assert get_provider_info()["package-name"] == "litegate"


def test_discovery_imports_nothing_but_the_standard_library() -> None:
    script = """
import sys
import litegate_airflow.get_provider_info
names = {name.partition(".")[0] for name in sys.modules} - set(sys.stdlib_module_names)
print(sorted(names & {"airflow", "litegate", "pydantic", "yaml", "numpy"}))
"""
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
