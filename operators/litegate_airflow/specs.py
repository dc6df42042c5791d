"""From spec files to what a DAG needs of them, light enough for every parse."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from pathlib import Path

from airflow.sdk import Asset, AssetOrTimeSchedule, CronTriggerTimetable
from croniter import croniter  # type: ignore[import-untyped]

from litegate.errors import BadInput, SpecError
from litegate.spec import Spec, load_spec

__all__ = ["SpecFile", "checked_spec", "model_asset", "model_schedule", "read_spec_files"]

Schedule = list[Asset] | AssetOrTimeSchedule


@dataclass(frozen=True)
class SpecFile:
    """A spec file and the DAG that it becomes; `spec` is None if the file is broken, and `problem` says why."""

    path: Path
    dag_id: str
    spec: Spec | None
    problem: str = ""


def read_spec_files(folder: Path) -> dict[str, SpecFile]:
    """The spec files of `folder` and of each folder in `LITEGATE_SPEC_FOLDERS`, by DAG id; the last one wins."""
    folders = [folder, *map(Path, filter(None, os.environ.get("LITEGATE_SPEC_FOLDERS", "").split(os.pathsep)))]
    found: dict[str, SpecFile] = {}
    for each in folders:
        found |= _read_folder(each)
    return found


def checked_spec(path: Path) -> Spec:
    """The spec, checked also for what only Airflow knows.

    Raises:
        SpecError: with the first thing that is wrong.
    """
    spec = load_spec(path)
    if spec.schedule is not None and not croniter.is_valid(spec.schedule):
        raise SpecError(f"{path}: schedule", "a cron expression, or a preset such as @daily", repr(spec.schedule))
    try:
        model_asset(spec)
    except ValueError as error:
        raise SpecError(f"{path}: model.uri", f"a valid asset URI ({error})", spec.model.uri) from None
    return spec


def model_asset(spec: Spec) -> Asset:
    """The source model as an asset.

    Named by its URI: Airflow activates only one name for a URI, and several specs may share a model.
    """
    uri = spec.model.uri if "://" in spec.model.uri else Path(spec.model.uri).as_uri()
    return Asset(name=uri, uri=uri, group="model")


def model_schedule(spec: Spec) -> Schedule:
    """When the model changes, and by the spec's cron expression if it has one."""
    assets = [model_asset(spec)]
    if spec.schedule is None:
        return assets
    return AssetOrTimeSchedule(timetable=CronTriggerTimetable(spec.schedule, timezone="UTC"), assets=assets)


def _read_folder(folder: Path) -> dict[str, SpecFile]:
    found: dict[str, SpecFile] = {}
    for path in sorted(folder.glob("*.yaml")):
        if path.exists():  # a link may lead nowhere
            item = _read(path)
            if item.dag_id in found:
                item = _broken(path, f"{path}: model.name is also that of {found[item.dag_id].path.name}")
            found[item.dag_id] = item
    return found


def _broken(path: Path, problem: str) -> SpecFile:
    stem = re.sub(r"[^A-Za-z0-9_.-]", "_", path.stem)
    return SpecFile(path, f"quantize__{stem}", None, problem)


def _read(path: Path) -> SpecFile:
    try:
        spec = checked_spec(path)
    except BadInput as error:
        return _broken(path, str(error))
    return SpecFile(path, f"quantize__{spec.model.name}", spec)
