"""What begins the runs of a spec: its model, as an asset that is watched, and its cron expressions."""

from __future__ import annotations

from pathlib import Path

from airflow.sdk import Asset, AssetOrTimeSchedule, AssetWatcher, CronTriggerTimetable

from litegate.spec import Spec
from litegate_airflow.events.watch import ModelTrigger

__all__ = ["model_asset", "model_schedule", "retrain_schedule"]

Schedule = list[Asset] | AssetOrTimeSchedule


def model_asset(spec: Spec, aws_conn_id: str | None = None) -> Asset:
    """The source model as an asset, with its watcher: every DAG that names it must, or Airflow drops the watcher.

    Named by its URI: Airflow activates only one name for a URI, and several specs may share a model.
    """
    uri, watch = spec.model.uri, spec.model.watch
    # A query or a fragment is no part of an asset's identity; in a name of S3 they mean nothing.
    name = uri.replace("?", "%3F").replace("#", "%23") if "://" in uri else Path(uri).as_uri()
    watchers = [] if watch is None else [AssetWatcher(name="model", trigger=ModelTrigger(uri, watch, aws_conn_id))]
    return Asset(name=name, uri=name, group="model", watchers=watchers)


def model_schedule(spec: Spec, aws_conn_id: str | None = None) -> Schedule:
    """When the model changes, and by the spec's cron expression if it has one."""
    assets = [model_asset(spec, aws_conn_id)]
    if spec.schedule is None:
        return assets
    return AssetOrTimeSchedule(timetable=CronTriggerTimetable(spec.schedule, timezone="UTC"), assets=assets)


def retrain_schedule(spec: Spec) -> CronTriggerTimetable | None:
    """By the cron expression of the spec's `retrain`; None where there is none."""
    if spec.retrain is None or spec.retrain.schedule is None:
        return None
    return CronTriggerTimetable(spec.retrain.schedule, timezone="UTC")
