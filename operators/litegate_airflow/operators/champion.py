"""Fetch the champion: the file that carries the registry's alias today."""

from __future__ import annotations

from litegate_airflow.operators.step import StepOperator

__all__ = ["FetchChampionOperator"]


class FetchChampionOperator(StepOperator):
    """Returns a `ChampionFile`; a model that was never promoted has none, which is no failure."""

    step = "fetch_champion"
