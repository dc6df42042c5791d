"""`--dry-run` of `litegate run` and `litegate compare`: what would be computed, what is there, and about how long."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from litegate.cli.init import use_home
from litegate.cli.output import answer
from litegate.cli.progress import Progress
from litegate.pipeline.overriding import given_values
from litegate.pipeline.planning import Plan, Planned, Planning
from litegate.records import ResolveRequest
from litegate.settings import settings
from litegate.spec import Spec, load_spec, with_values
from litegate.stack import Home

__all__ = ["dry_run", "dry_run_of_file"]

_NAMED = 5
_CHAMPION = "gate.max_drop_from_champion: a run evaluates the champion too, which is not looked up here"
_REGISTERS = "a run also registers and promotes what passes, and Airflow takes about a second for each task"


def dry_run_of_file(home: Home, path: Path, target: Path | None, remeasure: str, given: Sequence[str] = ()) -> int:
    """What `litegate run` would do for a spec file; it starts no server. Returns the exit code.

    Args:
        given: `key=value`, values in place of the spec's.

    Raises:
        BadInput: the spec, the model or the data cannot be used.
    """
    spec = load_spec(path)
    spec = with_values(spec, given_values(spec, given, "--set"), "--set")
    notes = [_REGISTERS]
    if spec.gate.max_drop_from_champion is not None:
        notes.append(_CHAMPION)
    use_home(home)
    return dry_run(spec, path.resolve().parent, target, remeasure, notes)


def dry_run(spec: Spec, base: Path, target: Path | None, remeasure: str, notes: Sequence[str] = ()) -> int:
    """What a run for a spec would do, with the workspace that the environment names; returns the exit code.

    Args:
        base: the folder that relative paths of the spec are seen from.
        remeasure: not empty if latencies are to be measured anew.
        notes: what else is to be said.

    Raises:
        BadInput: the spec, the model or the data cannot be used.
    """
    request = ResolveRequest(spec=spec, folder=str(base.resolve()), remeasure=remeasure)
    with Progress(f"looking up what is there of {spec.model.name}"):
        plan = Planning(request, settings()).plan()
    answer(_as_json(spec, plan, notes), target, lambda: _show(spec, plan, notes))
    return 0


def _as_json(spec: Spec, plan: Plan, notes: Sequence[str]) -> dict[str, Any]:
    return {
        "model": spec.model.name,
        "found": len(plan.steps) - len(plan.to_compute),
        "to_compute": len(plan.to_compute),
        "seconds": None if plan.to_compute and len(plan.without_time) == len(plan.to_compute) else plan.seconds,
        "without_time": [str(step.job) for step in plan.without_time],
        "steps": [
            {
                "step": step.job.step,
                "variant": step.job.variant or None,
                "state": "found" if step.found else "compute",
                "seconds": step.seconds,
            }
            for step in plan.steps
        ],
        "notes": list(notes),
    }


def _show(spec: Spec, plan: Plan, notes: Sequence[str]) -> None:
    for step in plan.steps:
        name = f"{step.job.variant or 'all'}: {step.job.step}"
        print(f"  {name:<36} {'found' if step.found else f'compute  {_time(step)}'}")
    print(f"{spec.model.name}: {summary(plan)}")
    for note in notes:
        print(f"note: {note}")


def _time(step: Planned) -> str:
    return "no time known" if step.seconds is None else f"about {_seconds(step.seconds)}"


def summary(plan: Plan) -> str:
    """The plan in one sentence."""
    steps, missing, unknown = len(plan.steps), len(plan.to_compute), plan.without_time
    if not missing:
        return f"all {steps} results are there, and nothing would be computed"
    would = f"at most {missing} of {steps} steps would be computed"
    if len(unknown) == missing:
        return f"{would}; no earlier run has left times of them, so how long it takes is not known"
    about = f"{would}, in about {_seconds(plan.seconds)} by the times of earlier runs"
    if not unknown:
        return about
    named = ", ".join(str(step.job) for step in unknown[:_NAMED])
    more = f" and {len(unknown) - _NAMED} more" if len(unknown) > _NAMED else ""
    return f"{about}, without {named}{more}, of which none has left a time"


def _seconds(found: float) -> str:
    if found < 120:
        return f"{found:.1f} s" if found < 10 else f"{found:.0f} s"
    return f"{found / 60:.0f} min" if found < 7200 else f"{found / 3600:.1f} h"
