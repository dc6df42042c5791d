"""A client of Airflow's API for what is done once when it is set up, and for what only a test asks."""

from __future__ import annotations

import json
from typing import Any

from deploy.distributed.ceph import Keys
from litegate.stack.airflow_api import AirflowApi

__all__ = ["Airflow"]


class Airflow(AirflowApi):
    """A client of Airflow's API, which can also say where S3 and MLflow are."""

    def connect(self, name: str, kind: str, **values: Any) -> None:
        """Make a connection."""
        body = {"connection_id": name, "conn_type": kind, **values}
        self._send("POST", "connections", accept=(409,), json=body)

    def connect_to(self, s3: str, keys: Keys, role: str, mlflow: str) -> None:
        """Make the connections that the DAG file names; the keys may do nothing but assume the role."""
        services = {"s3": {"endpoint_url": s3}, "sts": {"endpoint_url": s3}}
        extra = json.dumps({"role_arn": role, "region_name": "us-east-1", "service_config": services})
        self.connect("s3_models", "aws", login=keys.access, password=keys.secret, extra=extra)
        host, _, port = mlflow.removeprefix("http://").partition(":")
        self.connect("mlflow_runs", "http", schema="http", host=host, port=int(port))

    def health(self) -> dict[str, Any]:
        """What Airflow says of its components."""
        return dict(self._send("GET", "monitor/health").json())

    def hosts_of(self, path: str) -> list[tuple[str, str]]:
        """Each task instance of a run with the name of the host that it ran on."""
        items = self._pages(f"{path}/taskInstances", "task_instances", {})
        return [(item["task_id"], item["hostname"]) for item in items]
