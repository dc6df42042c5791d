"""The Airflow DAGs of all spec files: to quantize, to train, to requalify; and the form with which a person decides.

They are in one file, so that whoever adds a spec file can have Airflow read it again, which takes a DAG that is there.
"""

from __future__ import annotations

import os
from pathlib import Path

from litegate_airflow.dags import (
    Owner,
    clean_dag,
    decision_dag,
    example_dags,
    quantize_dags,
    requalify_dags,
    retrain_dags,
)

HERE = Path(__file__).parent
SPECS = HERE / "model_specs"
OWNER = Owner.of_environment()

quantize_dags(SPECS, OWNER)
requalify_dags(SPECS, OWNER)
retrain_dags(SPECS, OWNER)
example_dags(SPECS, HERE / "examples" / "digits.yaml", OWNER)
decision_dag(SPECS, OWNER)
if schedule := os.environ.get("LITEGATE_CLEAN_SCHEDULE"):
    clean_dag(days=int(os.environ.get("LITEGATE_CLEAN_DAYS", "30")), schedule=schedule, owner=OWNER)
