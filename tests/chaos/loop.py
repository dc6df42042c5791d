"""A loop of runs whose processes are killed, and what is looked at after each."""

from __future__ import annotations

import os
import random
import time
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

from mlflow import MlflowClient

from litegate.errors import StackError
from litegate.stack.airflow_api import AirflowApi, RunId
from litegate.stack.patience import Patience
from tests.chaos.checks import Finding, Promotion, Wrong, registry_findings, unfinished, workspace_findings
from tests.chaos.kills import Bag, killing
from tests.chaos.models import Models
from tests.chaos.tally import Tally
from tests.chaos.world import Ended, World

__all__ = ["Loop", "promoted", "told_by"]

_NAMES = ("left", "right")
_SHORTEST, _LONGEST = 5.0, 60.0
"""Seconds over which kills are spread: half of what the run before took, for one that is killed takes longer."""
_PAIR_EVERY = 5
"""Every so many runs of a model are two DAG runs at once."""
_PATIENCE = 300.0
"""Seconds in which a killed API server is started again."""


class Loop:
    """Runs and kills in a world, and counts.

    Args:
        say: gets a line for each thing that happens.
        most, least: kills in one run.
    """

    def __init__(
        self,
        world: World,
        models: Models,
        tally: Tally,
        chance: random.Random,
        say: Callable[[str], None],
        most: int = 8,
        least: int = 1,
    ) -> None:
        self.world, self.models, self.tally, self.chance, self.say = world, models, tally, chance, say
        self.bag = Bag(world.kinds, chance)
        self.rounds, self.most, self.least = 0, most, least
        self._spread = _SHORTEST
        self.told: list[Promotion] = []

    def segment(self, kills: int) -> None:
        """Start everything, make so many kills over a loop of runs, look at all that must hold, and end everything."""
        self.say("starting the servers")
        self.world.start()
        self._found(self._left_in_mlflow())
        until = self.tally.kills.total() + kills
        while (left := until - self.tally.kills.total()) > 0:
            self._round(left)
        self._found(self._by_the_command())
        self._stop()

    def finish(self) -> None:
        """What killed processes have left is gone after the next start."""
        self.say("starting the servers once more")
        for path in self.world.left_behind():
            os.utime(path, (0, 0))  # a start leaves alone what is younger than a minute
        self.world.start()
        self._found(self._left_in_mlflow())
        self._found(Finding(Wrong.BY_HAND, f"{path} was left behind") for path in self.world.left_behind())
        self._stop()

    def _stop(self) -> None:
        self.world.stop()
        running = self.world.left_running()
        self._found(Finding(Wrong.BY_HAND, f"{each.pid} still runs after the stop: {each.name()}") for each in running)

    def _round(self, left: int) -> None:
        """A run, or two at once, with kills in its course, and what must hold then."""
        name, turn = _NAMES[self.rounds % len(_NAMES)], self.rounds // len(_NAMES)
        self.rounds += 1
        spec = self.models.spec(name, turn)
        most = min(self.most, left)
        plan = self.bag.draw(self.chance.randint(min(self.least, most), most), self._spread)
        began = time.monotonic()
        with killing(self.world, plan, self.chance) as made:
            ended = self._pair(name) if turn % _PAIR_EVERY == _PAIR_EVERY - 1 else [self.world.run(spec)]
        self.bag.put_back([each.kind for each in plan[len(made) :]])
        self.tally.killed(made)
        self.tally.runs += len(ended)
        took, killed = time.monotonic() - began, ", ".join(map(str, made)) or "nothing"
        self._spread = min(_LONGEST, max(_SHORTEST, took / 2))
        self.say(f"{name} {turn}: {self._how(ended)} after {took:.0f} s; killed: {killed}")
        self._recover()
        if not all(promoted(each) for each in ended):
            ended = [*(each for each in ended if promoted(each)), self._once_more(spec)]
        self.told += [told_by(each) for each in ended if promoted(each)]
        self._found(self._in_the_stores())
        self.say(str(self.tally))

    def _pair(self, name: str) -> list[Ended]:
        """Two DAG runs of one model at once, begun by Airflow itself."""
        runs = [RunId(f"quantize__{name}", f"at-once-{self.rounds}-{each}") for each in range(2)]
        with AirflowApi(*self.world.airflow_login, Patience(limit=_PATIENCE)) as airflow:
            for run in runs:
                airflow.trigger(run)
        return [self.world.follow(run) for run in runs]

    def _once_more(self, spec: Path) -> Ended:
        """The one retry that a run has."""
        self.tally.retried += 1
        ended = self.world.run(spec)
        self.say(f"its retry: {self._how([ended])}")
        if not promoted(ended):
            self._found([Finding(Wrong.BY_HAND, f"run {self.tally.runs}: {ended.output[-1500:]}")])
        return ended

    def _recover(self) -> None:
        try:
            self.world.recover()
        except StackError as error:
            self._found([Finding(Wrong.BY_HAND, str(error))])

    def _how(self, ended: list[Ended]) -> str:
        return " and ".join("promoted" if promoted(each) else f"exit code {each.code}" for each in ended)

    def _in_the_stores(self) -> Iterator[Finding]:
        client = MlflowClient(self.world.mlflow_url)
        for name in _NAMES:
            yield from registry_findings(client, name, [each for each in self.told if each.model == name])
        yield from workspace_findings(self.world.objects())

    def _left_in_mlflow(self) -> Iterator[Finding]:
        client = MlflowClient(self.world.mlflow_url)
        for name in _NAMES:
            yield from unfinished(client, name)

    def _by_the_command(self) -> Iterator[Finding]:
        """What litegate itself says: aliases as the promotion log has them, champions that can be verified."""
        for name in sorted({each.model for each in self.told}):
            state = self.world.litegate("history", name, result=self.world.root / "history.json")
            if state.code or state.result["found"] != state.result["aliases"]:
                yield Finding(Wrong.PROMOTED, f"the aliases of {name} are not those of its log: {state.output}")
            for command in (("reconcile", name), ("verify", name, "--allow-unsigned")):
                asked = self.world.litegate(*command)
                if asked.code:
                    yield Finding(Wrong.BY_HAND, f"litegate {' '.join(command)}: {asked.output}")

    def _found(self, findings: Iterable[Finding]) -> None:
        self.tally.found(findings, self.say)


def promoted(ended: Ended) -> bool:
    """Whether a run has told its user so."""
    return ended.code == 0 and ended.result is not None and ended.result["state"] == "promoted"


def told_by(ended: Ended) -> Promotion:
    """What a run that has promoted told its user."""
    said = ended.result
    selected = said["champion"]
    return Promotion(said["model"], f"{said['dag']}/{said['run']}", selected["version"], selected["digest"])
