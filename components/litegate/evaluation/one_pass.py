"""One pass over the data for several files, some of which are to see all samples, and some as many as decide.

All that may end early go along one random order, side by side: each ends where it would if it were alone, and what it
is compared with goes on as long as any of them is undecided. Nothing is evaluated twice: what a file gave on a sample
counts for all that need it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from litegate.datasets import Dataset, in_reading_order
from litegate.evaluation.blocks import Plan, as_rows
from litegate.evaluation.kept import Kept, Seen
from litegate.evaluation.lockstep import BATCH
from litegate.evaluation.pool import Pool
from litegate.outcomes.columns import Outcomes
from litegate.records import Stopping
from litegate.spec.metric_facts import MetricFacts

__all__ = ["HostPart", "OnePass", "Part"]

Array = np.ndarray[Any, np.dtype[Any]]
Demand = tuple[int, Array | range]
"""A file, by its number, and samples that it is to see."""


@dataclass(frozen=True)
class HostPart:
    """The same files, run by the host on more samples.

    Attributes:
        file, references: as in `Part`.
        order: the samples.
    """

    file: int
    references: Mapping[str, int]
    order: Array | range

    @property
    def files(self) -> set[int]:
        """All that it needs."""
        return {self.file, *self.references.values()}


@dataclass
class Part:
    """One file with what it is compared with, and how far it is to go.

    Attributes:
        file, references: numbers of files; references by role.
        host: what the host runs beside it, all of whose samples are seen before any decision.
        control: the same of the control variate, where that is another than the host.
        count: how many samples of its plan it has seen, once it has ended; None before.
    """

    name: str
    file: int
    references: Mapping[str, int]
    plan: Plan
    stopping: Stopping | None
    host: HostPart | None = None
    control: HostPart | None = None
    count: int | None = None

    @property
    def files(self) -> set[int]:
        """All that it needs."""
        return {self.file, *self.references.values()}.union(*(each.files for each in self._not_judging))

    @property
    def demands(self) -> list[Demand]:
        """What it sees from beginning to end: its own plan, and the host's."""
        return [(self.file, self.plan.order), *self.demands_of_host]

    @property
    def demands_of_host(self) -> list[Demand]:
        """Those of the host and of the control variate."""
        return [(file, each.order) for each in self._not_judging for file in sorted(each.files)]

    @property
    def _not_judging(self) -> list[HostPart]:
        return [each for each in (self.host, self.control) if each is not None]


@dataclass
class OnePass:
    """Runs parts over the data.

    Attributes:
        metric: of all of them.
        kept: what the files give goes there.
    """

    pool: Pool
    parts: Sequence[Part]
    metric: MetricFacts
    kept: Kept
    _of_host: dict[str, tuple[Outcomes | None, dict[str, Outcomes]]] = field(default_factory=dict)

    @property
    def dataset(self) -> Dataset:
        """That all of them see."""
        return self.kept.dataset

    def run(self) -> None:
        """Until every part has ended, or a file that it needs has failed."""
        early = [part for part in self.parts if part.stopping is not None]
        fixed = [part for part in self.parts if part.stopping is None]
        self._evaluate(*self._rest([demand for part in early for demand in part.demands_of_host]))
        self._side_by_side(early, fixed)
        self._to_the_end(fixed)

    def run_shard(self, number: int, of: int) -> Array | range:
        """One of the shards, from 1, into which the samples are cut: where a batch of the whole pass begins.

        Returns:
            Its samples. No part has ended by then.
        """
        samples, wanted = self._rest([demand for part in self.parts for demand in part.demands])
        batches = -(-len(samples) // BATCH)
        start, end = (batches * at // of * BATCH for at in (number - 1, number))
        shard = samples[start:end]
        self._evaluate(shard, {file: None if rows is None else rows[start:end] for file, rows in wanted.items()})
        return shard

    def seen(self, part: Part) -> dict[str, Seen]:
        """Of a part that has ended: its own under its name, those of its references by role."""
        assert part.count is not None
        return self._of(part, part.count)

    def seen_by_host(self, part: Part) -> dict[str, Seen]:
        """The same of what the host has run; nothing if it has run nothing."""
        return self._beside(part, part.host)

    def seen_by_control(self, part: Part) -> dict[str, Seen]:
        """The same of the control variate, where that is another than the host."""
        return self._beside(part, part.control)

    def _beside(self, part: Part, beside: HostPart | None) -> dict[str, Seen]:
        if beside is None:
            return {}
        files = {part.name: beside.file, **beside.references}
        return {name: Seen(self.kept, file, beside.order) for name, file in files.items()}

    def _side_by_side(self, parts: list[Part], fixed: list[Part]) -> None:
        begin = 0
        while undecided := [part for part in parts if part.count is None and not self._failed(part)]:
            end = min(count for part in undecided for count in part.plan.counts if count > begin)
            longest = max(undecided, key=lambda part: len(part.plan.order))
            wanted: dict[int, Array | None] = dict.fromkeys(set().union(*(part.files for part in undecided)))
            samples = in_reading_order(self.dataset, longest.plan.order[begin:end])
            for part in fixed:
                if not self._failed(part):
                    _want(wanted, part.file, self._in_plan(samples, part))
            self._evaluate(samples, wanted)
            for part in undecided:
                if end in part.plan.counts and not self._failed(part) and self._ends(part, end):
                    part.count = end
            begin = end

    def _to_the_end(self, parts: list[Part]) -> None:
        """What each still lacks."""
        alive = [part for part in parts if not self._failed(part)]
        self._evaluate(*self._rest([demand for part in alive for demand in part.demands]))
        for part in parts:
            part.count = len(part.plan.order)

    def _rest(self, demands: list[Demand]) -> tuple[Array | range, dict[int, Array | None]]:
        """Samples that some files still lack, and which of them each lacks."""
        everything = range(len(self.dataset.ids))
        rest = np.zeros((len(demands), len(everything)), bool)
        for row, (file, order) in zip(rest, demands, strict=True):
            row[as_rows(order)] = True
            row &= ~self.kept.has_seen(file, everything)
        found = rest.any(axis=0)
        samples = in_reading_order(self.dataset, everything if found.all() else np.flatnonzero(found))
        wanted: dict[int, Array | None] = {}
        for row, (file, _) in zip(rest, demands, strict=True):
            _want(wanted, file, row if isinstance(samples, range) else row[samples])
        return samples, wanted

    def _in_plan(self, samples: Array | range, part: Part) -> Array:
        planned = np.zeros(len(self.dataset.ids), bool)
        planned[as_rows(part.plan.order)] = True
        found: Array = planned[as_rows(samples)]
        return found

    def _evaluate(self, samples: Array | range, wanted: Mapping[int, Array | None]) -> None:
        if len(samples):
            self.pool.evaluate(samples, wanted, self.kept)

    def _failed(self, part: Part) -> bool:
        return bool(part.files & self.pool.failures.keys())

    def _ends(self, part: Part, count: int) -> bool:
        if count == part.plan.counts[-1]:
            return True
        from litegate.gate.stopping import decided

        assert part.stopping is not None
        seen = {name: each.outcomes() for name, each in self._of(part, count).items()}
        candidate, *references = seen.items()
        plan = part.plan
        known = (plan.class_samples, plan.largest_group, plan.slice_samples)
        host = self._outcomes_of_host(part)
        return decided(part.stopping, self.metric, candidate[1], dict(references), len(plan.counts), *known, *host)

    def _outcomes_of_host(self, part: Part) -> tuple[Outcomes | None, dict[str, Outcomes]]:
        """They do not change any more once a decision is sought."""
        if part.name not in self._of_host:
            seen = self.seen_by_control(part) or self.seen_by_host(part)
            host = {name: each.outcomes() for name, each in seen.items()}
            self._of_host[part.name] = host.pop(part.name, None), host
        return self._of_host[part.name]

    def _of(self, part: Part, count: int) -> dict[str, Seen]:
        files = {part.name: part.file, **part.references}
        order = part.plan.order[:count]
        return {name: Seen(self.kept, file, order) for name, file in files.items()}


def _want(wanted: dict[int, Array | None], file: int, rows: Array) -> None:
    """Have a file see these samples too."""
    known = wanted.get(file, np.zeros(len(rows), bool))
    if known is not None and rows.any():
        wanted[file] = None if (known | rows).all() else known | rows
