"""What a task read and made, as OpenLineage has it: source model, datasets, versions. Needs Airflow's provider for it.

https://openlineage.io/docs/spec/naming: a namespace for where things are, and a name in it.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, NamedTuple
from urllib.parse import urlsplit

from litegate.records import Resolved
from litegate.storage.opening import local_path
from litegate.surroundings import variables

if TYPE_CHECKING:
    from airflow.providers.openlineage.extractors import OperatorLineage

__all__ = ["Thing", "operator_lineage", "sources", "version"]


class Thing(NamedTuple):
    """A model or a dataset, and which state of it.

    Attributes:
        version: the digest of what is in files, the number of a registered version.
        kind: `MODEL` or `FILE`.
    """

    namespace: str
    name: str
    version: str
    kind: str


def sources(resolved: Resolved) -> tuple[Thing, ...]:
    """What a run begins with."""
    model = _in_storage(resolved.model.uri, resolved.model.digest, "MODEL")
    return (
        model,
        *(_in_storage(data.uri, data.digest, "FILE") for data in (resolved.calibration, resolved.evaluation)),
    )


def version(registry: str, number: int) -> Thing:
    """A version of a registered model."""
    found = urlsplit(variables().get("MLFLOW_TRACKING_URI", ""))
    host = found.netloc.rpartition("@")[2]  # never a password
    return Thing(f"mlflow://{host}", registry, str(number), "MODEL")


def operator_lineage(inputs: Sequence[Thing], outputs: Sequence[Thing]) -> OperatorLineage[Any, Any]:
    """The same in the provider's own terms."""
    from airflow.providers.openlineage.extractors import OperatorLineage

    return OperatorLineage(inputs=[*map(_dataset, inputs)], outputs=[*map(_dataset, outputs)])


def _in_storage(uri: str, digest: str, kind: str) -> Thing:
    path = local_path(uri)
    if path is not None:
        return Thing("file", str(path), digest, kind)
    found = urlsplit(uri)
    return Thing(f"{found.scheme}://{found.netloc}", found.path.lstrip("/"), digest, kind)


def _dataset(thing: Thing) -> Any:
    from openlineage.client.event_v2 import Dataset
    from openlineage.client.facet_v2 import dataset_type_dataset, dataset_version_dataset

    facets = {
        "version": dataset_version_dataset.DatasetVersionDatasetFacet(datasetVersion=thing.version),
        "datasetType": dataset_type_dataset.DatasetTypeDatasetFacet(datasetType=thing.kind),
    }
    return Dataset(namespace=thing.namespace, name=thing.name, facets=facets)
