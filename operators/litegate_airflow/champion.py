"""Fetch the champion: the file that carries the registry's alias today."""

from __future__ import annotations

from typing_extensions import override

from litegate.records import ChampionRequest
from litegate_airflow.run_records import RunRecords
from litegate_airflow.step import StepOperator

__all__ = ["FetchChampionOperator"]


class FetchChampionOperator(StepOperator):
    """Returns a `ChampionFile`; a model that was never promoted has none, which is no failure."""

    step = "champion"

    @override
    def request(self, records: RunRecords) -> ChampionRequest:
        registry = records.resolved().spec.registry
        return ChampionRequest(registry=registry.name, alias=registry.alias)
