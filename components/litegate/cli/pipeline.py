"""`litegate run` and `litegate demo`."""

from __future__ import annotations

import sys
import time
from collections.abc import Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass
from functools import cache, partial
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from litegate.bell import bell_in, ring
from litegate.cli.attempt import Attempt, reported
from litegate.cli.dags import check_local_inputs, check_required, new_run, wait_for_dag
from litegate.cli.offering import check_owner, offer_spec
from litegate.cli.outcome import Outcome
from litegate.cli.serving import served
from litegate.cli.under_way import look, pinned, wait_for
from litegate.errors import NoAnswer, StackError
from litegate.pipeline.overriding import PROMOTE, REMEASURE, given_values, overridden
from litegate.spec import Spec, load_spec
from litegate.stack import Home, Stack
from litegate.stack.airflow_api import AirflowApi, RunId
from litegate.stack.ports import Asked

if TYPE_CHECKING:
    from litegate.records import Resolved

__all__ = ["Wishes", "demo", "run"]

_DEMO = "digits"
_EVENT_LIMIT = 60
_SET = "--set"


@dataclass(frozen=True)
class Wishes:
    """What a person asks of a run beside its spec file.

    Attributes:
        remeasure: measure latencies anew; no run that is under way is then joined.
        given: `key=value`, values in place of the spec's; nothing of such an override run is promoted.
        promote: promote what passes, if no value is given.
        replace: let the file take the place of another one with the same `model.name`.
        ports: of the servers.
        required: variants that have to pass, and decide the exit code.
    """

    remeasure: bool = False
    given: tuple[str, ...] = ()
    promote: bool = True
    replace: bool = False
    ports: Asked | None = None
    required: tuple[str, ...] = ()

    def conf(self, spec: Spec) -> dict[str, Any]:
        """What a run is started with, as the form of its DAG would send it.

        Raises:
            SpecError: a value that is given is wrong.
        """
        values = given_values(spec, self.given, _SET)
        no_promotion = {PROMOTE: False} if values or not self.promote else {}
        return values | no_promotion | ({REMEASURE: True} if self.remeasure else {})


@dataclass(frozen=True)
class _Begin:
    """A run that is to begin, or to be found under way.

    Attributes:
        spec: as the file has it.
        conf: what the run is started with.
    """

    path: Path
    spec: Spec
    conf: Mapping[str, Any]
    wishes: Wishes

    @property
    def dag(self) -> str:
        return f"quantize__{self.spec.model.name}"

    def resolved(self, home: Home, stack: Stack) -> Resolved | None:
        """Its inputs as they are now; None if that cannot be told, or if nothing that is under way would do."""
        if self.wishes.remeasure:
            return None
        spec, overrides = overridden(self.spec, self.conf, _SET)
        return pinned(home, stack, spec, self.path, overrides)

    def check_owner(self, home: Home, dags_folder: Path | None = None) -> None:
        if not self.wishes.replace:
            check_owner(home, self.path, self.spec.model.name, dags_folder)


def run(home: Home, path: Path, target: Path | None, wishes: Wishes) -> int:
    """Quantize, gate and promote the model of a spec file; returns the exit code."""
    attempt = Attempt(home, required=wishes.required)

    def work() -> Outcome:
        spec = load_spec(path)
        attempt.model = spec.model.name
        begin = _Begin(path, spec, wishes.conf(spec), wishes)
        changed, overrides = overridden(spec, begin.conf, _SET)
        check_required(changed, wishes.required)
        if overrides is not None:
            print(f"an override run, of which nothing is promoted: {overrides}", file=sys.stderr)
        check_local_inputs(spec)
        begin.check_owner(home)
        with served(attempt, wishes.ports) as (airflow, stack):
            _join_or_begin(attempt, airflow, stack, begin)
            from litegate.cli.following import act  # while the run begins: it loads all that can come of one

            return act(attempt, airflow, stack)

    return reported(work, attempt, target)


def demo(home: Home, target: Path | None, ports: Asked | None = None) -> int:
    """Train the digits example and follow the quantize run that this starts; returns the exit code."""
    attempt = Attempt(home, _DEMO)

    def work() -> Outcome:
        with served(attempt, ports) as (airflow, stack):
            with _alone(home, _DEMO):
                failure = _train(attempt, airflow, stack)
            from litegate.cli.following import act

            return failure or act(attempt, airflow, stack)

    return reported(work, attempt, target)


def _join_or_begin(attempt: Attempt, airflow: AirflowApi, stack: Stack, begin: _Begin) -> None:
    now, dags_folder = cache(partial(begin.resolved, attempt.home, stack)), Path(stack.dags_folder)
    model = begin.spec.model.name
    while True:
        with _alone(attempt.home, model):
            begin.check_owner(attempt.home, dags_folder)
            found = look(airflow, begin.dag, now)
            if found.same is not None:
                attempt.follows(airflow, found.same, own=False)
                print(f"joined {found.same.run}, which is under way with the same inputs", file=sys.stderr)
                return
            if found.busy is None:
                digest = offer_spec(attempt.home, begin.path, model, dags_folder)
                wait_for_dag(airflow, attempt.home.root, begin.dag, digest)
                _begin(attempt, airflow, begin.dag, begin.conf)
                return
        wait_for(airflow, found.busy)  # others may join it meanwhile


def _begin(attempt: Attempt, airflow: AirflowApi, dag: str, conf: Mapping[str, Any] = MappingProxyType({})) -> RunId:
    run = new_run(dag)
    airflow.unpause(dag)
    attempt.conf = conf
    attempt.follows(airflow, run, own=True, confirmed=False)
    try:
        airflow.trigger(run, conf)
    except NoAnswer:
        raise
    except StackError:
        attempt.refused()
        raise
    attempt.confirmed = True
    ring(bell_in(attempt.home.root))
    return run


def _train(attempt: Attempt, airflow: AirflowApi, stack: Stack) -> Outcome | None:
    """Let the example be trained, and follow the quantize run that its model begins; the outcome if that fails.

    What an earlier demo has begun, and nobody follows any more, is taken up where it is.
    """
    prepare, retrain, quantize = (f"{stage}__{_DEMO}" for stage in ("prepare", "retrain", "quantize"))
    under_way = {dag: airflow.under_way(dag) for dag in (quantize, retrain, prepare)}
    if under_way[quantize]:
        _take_up_or_begin(attempt, airflow, quantize, under_way[quantize])
        return None
    path = Path(stack.dags_folder) / "examples" / f"{_DEMO}.yaml"
    check_owner(attempt.home, path, _DEMO, Path(stack.dags_folder))
    digest = offer_spec(attempt.home, path, _DEMO, Path(stack.dags_folder))
    wait_for_dag(airflow, attempt.home.root, prepare)
    for dag in (retrain, quantize):
        wait_for_dag(airflow, attempt.home.root, dag, digest)
    airflow.unpause(quantize)
    from litegate.cli.ended import outcome_of, read_failures
    from litegate.cli.following import follow_attempt

    for dag in (retrain,) if under_way[retrain] else (prepare, retrain):
        run, own = _take_up_or_begin(attempt, airflow, dag, under_way[dag])
        if follow_attempt(attempt, airflow) != "success":
            return outcome_of(_DEMO, None, None, read_failures(airflow, run, airflow.tasks(run)))
    attempt.follows(airflow, _created_by(airflow, run), own)
    return None


def _take_up_or_begin(attempt: Attempt, airflow: AirflowApi, dag: str, under_way: list[RunId]) -> tuple[RunId, bool]:
    """The run of a DAG, and whether this command began it."""
    if not under_way:
        return _begin(attempt, airflow, dag), True
    print(f"joined {under_way[0].run} of {dag}, which is under way", file=sys.stderr)
    attempt.follows(airflow, under_way[0], own=False)
    return under_way[0], False


def _created_by(airflow: AirflowApi, retrain: RunId) -> RunId:
    """The quantize run that the new model has started."""
    deadline = time.monotonic() + _EVENT_LIMIT
    while time.monotonic() < deadline:
        for made in airflow.created_runs(retrain):
            if made.dag == f"quantize__{_DEMO}":
                return made
        time.sleep(0.5)
    raise StackError(f"the new model of {retrain.run} started no run of quantize__{_DEMO} within {_EVENT_LIMIT} s")


def _alone(home: Home, model: str) -> AbstractContextManager[None]:
    """Two commands do not begin a run of one model at once: the second finds the first one's."""
    return home.lock(
        f"model-{model}", lambda: print(f"waiting for another command to begin its run of {model}", file=sys.stderr)
    )
