"""The tasks of a run in Airflow: names, order, the steps that they run, what they need, what people read about them.

Nothing else spells the id of a task.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from litegate.variants import BASELINE, CHAMPION, RECOVERIES

__all__ = [
    "APPROVE",
    "EACH",
    "EACH_RECOVERY",
    "LOOKUP_CACHE",
    "REQUALIFICATION",
    "TASKS",
    "Job",
    "Task",
    "task_of",
    "tasks_of",
]

EACH = "each"
"""Stands where a variant's name does: for each of the quantized variants that are made first."""

EACH_RECOVERY = "each recovery"
"""The same for each of those that are made only where others did not pass."""


class Job(NamedTuple):
    """A step, and the variant that it is run for: empty if for the run as a whole."""

    step: str
    variant: str = ""

    def __str__(self) -> str:
        return "/".join(filter(None, self))

    def for_each(self, variants: Iterable[str]) -> tuple[Job, ...]:
        """The same for each of these variants, if it is for several."""
        several = self.variant in (EACH, EACH_RECOVERY)
        return tuple(self._replace(variant=variant) for variant in variants) if several else (self,)


@dataclass(frozen=True)
class Task:
    """A task of a run.

    Attributes:
        id: its name in Airflow, unless a DAG gives it another.
        jobs: what it runs; nothing if it asks a person or looks up results.
        page: what it does and what it leaves, as Markdown.
        needs: ids of the tasks whose results it cannot do without; those that they need are not named again.
    """

    id: str
    jobs: tuple[Job, ...]
    page: str
    needs: tuple[str, ...] = ()

    @property
    def name(self) -> str:
        """The id within the task group."""
        return self.id.rpartition(".")[2]

    @property
    def of(self) -> str:
        """The variant that all its jobs are for, `EACH` or `EACH_RECOVERY`; empty if there is none."""
        variants = {job.variant for job in self.jobs}
        return variants.pop() if len(variants) == 1 else ""

    @property
    def mapped(self) -> bool:
        """Whether it works on one of several variants."""
        return self.of in (EACH, EACH_RECOVERY)

    def jobs_for(self, variant: str) -> tuple[Job, ...]:
        """Its jobs where it works on one of the quantized variants."""
        return tuple(one for job in self.jobs for one in job.for_each([variant]))


def task_of(step: str, variant: str = "", tasks: Sequence[Task] | None = None) -> Task:
    """The task that runs a step, of a quantize run if no others are given.

    Args:
        variant: the one that it runs it for; empty where it works for the run as a whole.

    Raises:
        KeyError: no task does.
    """
    job = Job(step, _place_of(variant))
    for task in TASKS if tasks is None else tasks:
        if job in task.jobs:
            return task
    raise KeyError(*job)


def tasks_of(step: str) -> tuple[Task, ...]:
    """The tasks of a quantize run that run a step for quantized variants."""
    return tuple(task for task in TASKS if {Job(step, EACH), Job(step, EACH_RECOVERY)} & set(task.jobs))


def _place_of(variant: str) -> str:
    """What stands for a variant in the table of tasks."""
    if variant in ("", BASELINE, CHAMPION, EACH_RECOVERY):
        return variant
    return EACH_RECOVERY if variant in RECOVERIES else EACH


TASKS = (
    Task(
        "resolve",
        (Job("read_ledger"), Job("resolve")),
        """
Reads the spec file, with what a person has changed in the form of a manual run, and pins the model and both datasets
by digest. Whatever is wrong with the spec is said here. Before that it reads how far the ledger of the registered model
is, so that a run that began later comes after this one whatever any clock says; asked again for the same run, that is
what it was.

**Leaves** the spec with all digests (XCom `resolved`), and the number of entries in the ledger (XCom `position`).
""",
    ),
    Task(
        "fetch_champion",
        (Job("fetch_champion"),),
        """
Fetches the file that carries the registry's alias today, to compare with it.

**Leaves** its version and its file; neither where nothing was promoted yet.
""",
        needs=("resolve",),
    ),
    Task(
        "lookup_cache",
        (),
        """
Looks up what earlier runs have found with the same inputs. If every result is there, all tasks up to the gate are
skipped.

**Leaves** the names of the variants that something is missing of, over which the tasks of each variant are mapped,
and the results of the others, with what `resolve` has left (XCom `cached`).
""",
        needs=("resolve",),
    ),
    Task(
        "convert",
        (Job("convert"),),
        """
Converts the source model to the float32 baseline, without any quantization. The model is looked at before it is
loaded: what could run code or touch files is refused. Then the data are: labels that the metric cannot judge the
output by, and samples that do not fit the inputs, are said before the conversion begins.

**Leaves** the baseline and the SavedModel that every variant is quantized from.
""",
        needs=("resolve",),
    ),
    Task(
        "sample",
        (Job("sample"),),
        """
Chooses the representative samples from the calibration data, stratified by label, by the spec's seed, and checks that
they fit the model's inputs.

**Leaves** the samples as a file, and how many there are of each label.
""",
        needs=("convert",),
    ),
    Task(
        "check",
        (Job("lint"), Job("conversion_check"), Job("inspect", BASELINE), Job("smoke", BASELINE)),
        """
Checks what everything else depends on, side by side:

- the representative samples, before anything is quantized by them: scale and range against the evaluation data,
  outliers, constants, labels that are missing, samples that are in both datasets. An error that the spec does not allow
  ends the run;
- the conversion: the source model and the float32 baseline are run on the representative samples. If they do not
  agree, the conversion is wrong and nothing after it would mean anything;
- the baseline: what it is by its bytes, and whether it runs. A model that is quantized already is refused.

**Leaves** the findings (`lint`), the largest difference (`conversion_check`), the inspection and the smoke run.
""",
        needs=("sample",),
    ),
    Task(
        "calibrate",
        (Job("calibrate"),),
        """
Runs the float model on the representative samples once, for all variants that are calibrated, where this is known to
give the same files as a calibration for each of them. If it is not known, or this fails, each calibrates by itself.

**Leaves** the calibrated model, and the variants that are quantized from it.
""",
        needs=("sample",),
    ),
    Task(
        "quantize",
        (Job("quantize", EACH), Job("inspect", EACH), Job("smoke", EACH)),
        """
Quantizes one variant, from the calibrated model where that holds for it, else from the SavedModel, with the settings of
the LiteRT documentation. Then it reads from the bytes of the file what it is: an `int8` with float operators inside is
no `int8`, and fails. Then it runs the file on a few samples, also on the reference kernels. A converter that crashes
fails this variant alone, and the gate says so.

**Leaves** the .tflite file (`quantize`), the inspection (`inspect`) and the smoke run (`smoke`).
""",
        needs=("sample",),
    ),
    Task(
        "evaluate_shard",
        (Job("evaluate_shard"),),
        """
Runs all files over one shard of the evaluation data, where the owner of this Airflow has them cut into several, so that
as many workers evaluate at a time. Each instance does what `evaluate` does without shards, on its part of the samples.
A file that crashes takes no other along. Files that were evaluated before are left out; the instance is skipped where
none is left, and where the spec lets variants end early, for what they see depends on what they saw.

**Leaves** for each file its outcomes on the shard, or why it has none.
""",
        needs=("quantize",),
    ),
    Task(
        "evaluate",
        (Job("evaluate", BASELINE), Job("evaluate", CHAMPION), Job("evaluate", EACH)),
        """
Runs all files over the evaluation data on all cores, in one pass: the baseline, today's champion if it is compared
with, and every variant that was quantized. The log says how far it has come. A file that crashes takes no other along;
if the spec lets variants end early, each stops when the samples seen so far decide its verdict. What instances of
`evaluate_shard` have found is merged, and not evaluated again.

**Leaves** the outcome of every sample for each file, and why files have none (`failures`).
""",
        needs=("quantize",),
    ),
    Task(
        "requantize",
        tuple(Job(step, EACH_RECOVERY) for step in ("assess", "quantize", "inspect", "smoke", "evaluate")),
        """
Recovers what 8 bits have lost, where the spec asks for it. First it judges what was evaluated so far, as the gate will,
but for latencies: where the variant that it would begin with has passed, it is skipped. Else it makes `recovered`, by a
search on the calibration samples whose log says what was tried, or, where that does not pass either, `fine_tuned`, by
the spec's own training with 8 bits simulated. It looks at the file's bytes, runs it, and evaluates it like the others.
A search that was killed goes on where it was when the task is tried again on the same worker.

**Leaves** why it was needed or not (`assess`), the .tflite file, the inspection, the smoke run, and the outcome of
every sample (`evaluate`).
""",
        needs=("evaluate",),
    ),
    Task(
        "benchmark",
        (Job("benchmark"),),
        """
Measures latencies on this host, one sample at a time, while nothing else of the pool runs: all files in turns, so that
what disturbs one disturbs all. A file that crashes loses its own latency alone. The log says how noisy the host was.

**Leaves** for each file the median, the 95th percentile, and its share of the baseline's latency with an interval.
""",
        needs=("evaluate",),
    ),
    Task(
        "gate",
        (Job("gate"), Job("select")),
        """
Compares each variant with the baseline on the same samples, and tests every clause of the policy. It judges what there
is: a variant whose tasks failed is failed. Then it picks the best of the variants that passed, by the spec's rule.

**Leaves** a verdict for every variant, with its reasons (`gate`), and the name of the best, and why it is (`select`).
""",
        needs=("check", "evaluate"),
    ),
    Task(
        "register",
        (Job("register"),),
        """
Records everything in MLflow: a run for the whole, one for each variant with its logged model, and a registered version
of what was selected, unless it is an override run. From here on every task of the run links to its page in MLflow.

**Leaves** the table of results.
""",
        needs=("gate",),
    ),
    Task(
        "promote",
        (Job("promote"),),
        """
Makes what was selected champion: the registry's alias moves to it. Fails or is skipped, as the spec says, where
nothing passed the gate; is skipped for an override run.

**Leaves** who is champion now, and who was before.
""",
        needs=("register",),
    ),
    Task(
        "approve",
        (),
        """
Asks a person whether what passed the gate may be promoted, and waits. *Required Actions* shows the question, with the
table of all variants.

**Leaves** the answer, and who gave it.
""",
        needs=("promote",),
    ),
    Task(
        "decide",
        (Job("decide"),),
        """
Writes the answer into the ledger; after a yes the registry's alias moves.

**Leaves** the entry, and who is champion now. After a no the task fails or is skipped, as the spec says.
""",
        needs=("approve",),
    ),
)
"""In the order in which they could run one by one."""

LOOKUP_CACHE = next(task for task in TASKS if task.id == "lookup_cache")
APPROVE = next(task for task in TASKS if task.id == "approve")
"""These two run no step."""

REQUALIFICATION = (
    Task(
        "snapshot",
        (Job("snapshot"),),
        """
Reads the spec file and pins the fresh data by digest.

**Leaves** the spec and the digest.
""",
    ),
    Task(
        "fetch_champion",
        (Job("fetch_champion_evidence"),),
        """
Fetches today's champion and the baseline that it was promoted against. Skipped, with all that follows, where nothing
was promoted yet.

**Leaves** both files, and what the data looked like that calibrated the champion.
""",
        needs=("snapshot",),
    ),
    Task(
        "evaluate_baseline",
        (Job("evaluate", BASELINE),),
        """
Runs the baseline over the fresh data on all cores. The log says how far it has come.

**Leaves** the outcome of every sample.
""",
        needs=("fetch_champion",),
    ),
    Task(
        "evaluate_champion",
        (Job("evaluate", CHAMPION),),
        """
Runs the champion over the same samples.

**Leaves** the outcome of every sample.
""",
        needs=("fetch_champion",),
    ),
    Task(
        "drift",
        (Job("drift"),),
        """
Compares the fresh data with those that calibrated the champion, and what it predicts with what it predicted then.

**Leaves** each comparison with its limit.
""",
        needs=("evaluate_champion",),
    ),
    Task(
        "gate",
        (Job("gate"),),
        """
Compares the champion with the baseline on the same samples, by the limits of the section `requalify`.

**Leaves** the verdict.
""",
        needs=("evaluate_baseline", "evaluate_champion"),
    ),
    Task(
        "record",
        (Job("requalify"),),
        """
Adds a point to the trend in MLflow.

**Leaves** the run that holds it.
""",
        needs=("drift", "gate"),
    ),
    Task(
        "act",
        (Job("act"),),
        """
Alerts, or rolls the champion back, as the spec says: where a limit is proved to be broken, a class is lost, or the data
have drifted.

**Leaves** what was concluded; it is red where somebody is to look.
""",
        needs=("record",),
    ),
)
"""Those of a requalification, in such an order too."""
