"""The tasks of a run in Airflow: names, order, the steps that they run, what they need, what people read about them.

Nothing else spells the id of a task.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from litegate.variants import BASELINE, CHAMPION

__all__ = ["APPROVE", "EACH", "LOOKUP_CACHE", "REQUALIFICATION", "TASKS", "Task", "task_of"]

EACH = "each"
"""Stands where a variant's name does, for a task that is mapped over the quantized variants."""


@dataclass(frozen=True)
class Task:
    """A task of a run.

    Attributes:
        id: its name in Airflow, unless a DAG gives it another.
        steps: that it runs, in their order; none for one that asks a person or looks up results.
        page: what it does and what it leaves, as Markdown.
        of: the variant that it works on, or `EACH`; empty if it works for the run as a whole.
        needs: ids of the tasks whose results it cannot do without; those that they need are not named again.
    """

    id: str
    steps: tuple[str, ...]
    page: str
    of: str = ""
    needs: tuple[str, ...] = ()

    @property
    def name(self) -> str:
        """The id within the task group."""
        return self.id.rpartition(".")[2]


def task_of(step: str, variant: str = "", tasks: Sequence[Task] | None = None) -> Task:
    """The task that runs a step, of a quantize run if no others are given.

    Args:
        variant: the one that it runs it for; empty where it works for the run as a whole.

    Raises:
        KeyError: no task does.
    """
    of = variant if variant in ("", BASELINE, CHAMPION) else EACH
    for task in TASKS if tasks is None else tasks:
        if step in task.steps and task.of == of:
            return task
    raise KeyError(step, of)


TASKS = (
    Task(
        "resolve",
        ("resolve",),
        """
Reads the spec file, with what a person has changed in the form of a manual run, and pins the model and both datasets
by digest. Whatever is wrong with the spec is said here.

**Leaves** the spec with all digests (XCom `resolved`).
""",
    ),
    Task(
        "read_ledger",
        ("read_ledger",),
        """
Reads how far the ledger of the registered model is, so that a run that began later comes after this one whatever any
clock says. Asked again for the same run it is what it was.

**Leaves** the number of entries.
""",
        needs=("resolve",),
    ),
    Task(
        "fetch_champion",
        ("fetch_champion",),
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

**Leaves** the names of the variants that something is missing of, over which the tasks of `variant` are mapped, and
the results of the others (XCom `cached`).
""",
        needs=("resolve",),
    ),
    Task(
        "convert",
        ("convert",),
        """
Converts the source model to the float32 baseline, without any quantization. The model is looked at before it is
loaded: what could run code or touch files is refused.

**Leaves** the baseline and the SavedModel that every variant is quantized from.
""",
        needs=("resolve",),
    ),
    Task(
        "sample",
        ("sample",),
        """
Chooses the representative samples from the calibration data, stratified by label, by the spec's seed, and checks that
they fit the model's inputs.

**Leaves** the samples as a file, and how many there are of each label.
""",
        needs=("convert",),
    ),
    Task(
        "lint",
        ("lint",),
        """
Looks at the representative samples before anything is calibrated on them: scale and range against the evaluation
data, outliers, constants, labels that are missing, samples that are in both datasets.

**Leaves** its findings. An error that the spec does not allow ends the run.
""",
        needs=("sample",),
    ),
    Task(
        "check_conversion",
        ("conversion_check",),
        """
Runs the source model and the float32 baseline on the representative samples. If they do not agree, the conversion is
wrong and nothing after it would mean anything.

**Leaves** the largest difference, and on how many samples both predict the same.
""",
        needs=("sample",),
    ),
    Task(
        "inspect_baseline",
        ("inspect", "smoke"),
        """
Reads from the bytes of the baseline what it is, and runs it once. A model that is quantized already is refused.

**Leaves** the inspection, and the smoke run (XCom `smoke`).
""",
        of=BASELINE,
        needs=("sample",),
    ),
    Task(
        "evaluate_baseline",
        ("evaluate",),
        """
Runs the baseline over the evaluation data on all cores. The log says how far it has come.

**Leaves** the outcome of every sample, which each variant is paired with.
""",
        of=BASELINE,
        needs=("convert",),
    ),
    Task(
        "benchmark_baseline",
        ("benchmark",),
        """
Measures the latency of the baseline on this host, one sample at a time, while nothing else of the pool runs.

**Leaves** the median and the 95th percentile.
""",
        of=BASELINE,
        needs=("sample",),
    ),
    Task(
        "evaluate_champion",
        ("evaluate",),
        """
Runs today's champion over the same evaluation data. Skipped while nothing has been promoted.

**Leaves** the outcome of every sample.
""",
        of=CHAMPION,
        needs=("fetch_champion",),
    ),
    Task(
        "calibrate",
        ("calibrate",),
        """
Runs the float model on the representative samples once, for all variants that are calibrated, where this is known to
give the same files as a calibration for each of them. If it is not known, or this fails, each calibrates by itself.

**Leaves** the calibrated model, and the variants that are quantized from it.
""",
        needs=("sample",),
    ),
    Task(
        "variant.quantize",
        ("quantize",),
        """
Quantizes one variant, from the calibrated model where that holds for it, else from the SavedModel, with the settings of
the LiteRT documentation. A converter that crashes fails this variant alone, and the gate says so.

**Leaves** the .tflite file.
""",
        of=EACH,
        needs=("sample",),
    ),
    Task(
        "variant.inspect",
        ("inspect", "smoke"),
        """
Reads from the bytes of the file what it is: an `int8` with float operators inside is no `int8`, and fails. Then runs
it on a few samples, also on the reference kernels.

**Leaves** the inspection, and the smoke run (XCom `smoke`).
""",
        of=EACH,
        needs=("variant.quantize",),
    ),
    Task(
        "variant.evaluate",
        ("evaluate",),
        """
Runs the variant over the evaluation data on all cores. The log says how far it has come. If the spec lets it end
early, it stops when the samples seen so far decide the verdict.

**Leaves** the outcome of every sample.
""",
        of=EACH,
        needs=("variant.quantize",),
    ),
    Task(
        "variant.benchmark",
        ("benchmark",),
        """
Measures the variant's latency on this host, one sample at a time, while nothing else of the pool runs.

**Leaves** the median and the 95th percentile.
""",
        of=EACH,
        needs=("variant.quantize",),
    ),
    Task(
        "gate",
        ("gate",),
        """
Compares each variant with the baseline on the same samples, and tests every clause of the policy. It judges what there
is: a variant whose tasks failed is failed.

**Leaves** a verdict for every variant, with its reasons.
""",
        needs=("inspect_baseline", "evaluate_baseline", "variant.evaluate"),
    ),
    Task(
        "select",
        ("select",),
        """
Picks the best of the variants that passed, by the rule that the spec names.

**Leaves** its name, or none, and why.
""",
        needs=("gate",),
    ),
    Task(
        "register",
        ("register",),
        """
Records everything in MLflow: a run for the whole, one for each variant with its logged model, and a registered version
of what was selected, unless it is an override run. From here on every task of the run links to its page in MLflow.

**Leaves** the table of results.
""",
        needs=("select", "lint", "check_conversion"),
    ),
    Task(
        "promote",
        ("promote",),
        """
Makes what was selected champion: the registry's alias moves to it. Fails or is skipped, as the spec says, where
nothing passed the gate; is skipped for an override run.

**Leaves** who is champion now, and who was before.
""",
        needs=("register", "read_ledger"),
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
        ("decide",),
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
        ("snapshot",),
        """
Reads the spec file and pins the fresh data by digest.

**Leaves** the spec and the digest.
""",
    ),
    Task(
        "fetch_champion",
        ("fetch_champion_evidence",),
        """
Fetches today's champion and the baseline that it was promoted against. Skipped, with all that follows, where nothing
was promoted yet.

**Leaves** both files, and what the data looked like that calibrated the champion.
""",
        needs=("snapshot",),
    ),
    Task(
        "evaluate_baseline",
        ("evaluate",),
        """
Runs the baseline over the fresh data on all cores. The log says how far it has come.

**Leaves** the outcome of every sample.
""",
        of=BASELINE,
        needs=("fetch_champion",),
    ),
    Task(
        "evaluate_champion",
        ("evaluate",),
        """
Runs the champion over the same samples.

**Leaves** the outcome of every sample.
""",
        of=CHAMPION,
        needs=("fetch_champion",),
    ),
    Task(
        "drift",
        ("drift",),
        """
Compares the fresh data with those that calibrated the champion, and what it predicts with what it predicted then.

**Leaves** each comparison with its limit.
""",
        needs=("evaluate_champion",),
    ),
    Task(
        "gate",
        ("gate",),
        """
Compares the champion with the baseline on the same samples, by the limits of the section `requalify`.

**Leaves** the verdict.
""",
        needs=("evaluate_baseline", "evaluate_champion"),
    ),
    Task(
        "record",
        ("requalify",),
        """
Adds a point to the trend in MLflow.

**Leaves** the run that holds it.
""",
        needs=("drift", "gate"),
    ),
    Task(
        "act",
        ("act",),
        """
Alerts, or rolls the champion back, as the spec says: where a limit is proved to be broken, a class is lost, or the data
have drifted.

**Leaves** what was concluded; it is red where somebody is to look.
""",
        needs=("record",),
    ),
)
"""Those of a requalification, in such an order too."""
