"""What each task does and what it leaves, for the people who look at it in Airflow."""

from __future__ import annotations

from collections.abc import Mapping

from airflow.sdk import DAG

__all__ = ["QUANTIZE", "REQUALIFY", "document"]

QUANTIZE = {
    "resolve": """
Reads the spec file, with what a person has changed in the form of a manual run, and pins the model and both data sets
by digest. Whatever is wrong with the spec is said here.

**Leaves** the spec with all digests (XCom `resolved`).
""",
    "recall": """
Looks up what earlier runs have found with the same inputs. If every result is there, all tasks up to the gate are
skipped.

**Leaves** the names of the variants that something is missing of, over which the tasks of `variant` are mapped, and
the results of the others (XCom `recalled`).
""",
    "convert": """
Converts the source model to the float32 baseline, without any quantization. The model is looked at before it is
loaded: what could run code or touch files is refused.

**Leaves** the baseline and the SavedModel that every variant is quantized from.
""",
    "sample": """
Chooses the representative samples from the calibration data, stratified by label, by the spec's seed, and checks that
they fit the model's inputs.

**Leaves** the samples as a file, and how many there are of each label.
""",
    "lint": """
Looks at the representative samples before anything is calibrated on them: scale and range against the evaluation
data, outliers, constants, labels that are missing, samples that are in both data sets.

**Leaves** its findings. An error that the spec does not allow ends the run.
""",
    "check_parity": """
Runs the source model and the float32 baseline on the representative samples. If they do not agree, the conversion is
wrong and nothing after it would mean anything.

**Leaves** the largest difference, and on how many samples both predict the same.
""",
    "read_ledger": """
Reads how far the ledger of the registered model is, so that a run that began later comes after this one whatever any
clock says. Asked again for the same run it is what it was.

**Leaves** the number of entries.
""",
    "inspect_baseline": """
Reads from the bytes of the baseline what it is, and runs it once. A model that is quantized already is refused.

**Leaves** the inspection, and the smoke run (XCom `smoke`).
""",
    "fetch_champion": """
Fetches the file that carries the registry's alias today, to compare with it.

**Leaves** its version and its file; neither where nothing was promoted yet.
""",
    "evaluate_baseline": """
Runs the baseline over the evaluation data on all cores. The log says how far it has come.

**Leaves** the outcome of every sample, which each variant is paired with.
""",
    "profile_baseline": """
Measures the latency of the baseline on this host, one sample at a time, while nothing else of the pool runs.

**Leaves** the median and the 95th percentile.
""",
    "evaluate_champion": """
Runs today's champion over the same evaluation data. Skipped while nothing has been promoted.

**Leaves** the outcome of every sample.
""",
    "variant.quantize": """
Quantizes one variant from the SavedModel, with the settings of the LiteRT documentation. A converter that crashes
fails this variant alone, and the gate says so.

**Leaves** the .tflite file.
""",
    "variant.inspect": """
Reads from the bytes of the file what it is: an `int8` with float operators inside is no `int8`, and fails. Then runs
it on a few samples, also on the reference kernels.

**Leaves** the inspection, and the smoke run (XCom `smoke`).
""",
    "variant.evaluate": """
Runs the variant over the evaluation data on all cores. The log says how far it has come. If the spec lets it end
early, it stops when the samples seen so far decide the verdict.

**Leaves** the outcome of every sample.
""",
    "variant.profile": """
Measures the variant's latency on this host, one sample at a time, while nothing else of the pool runs.

**Leaves** the median and the 95th percentile.
""",
    "gate": """
Compares each variant with the baseline on the same samples, and tests every clause of the policy. It judges what there
is: a variant whose tasks failed is failed.

**Leaves** a verdict for every variant, with its reasons.
""",
    "select": """
Picks the best of the variants that passed, by the rule that the spec names.

**Leaves** its name, or none, and why.
""",
    "register": """
Records everything in MLflow: a run for the whole, one for each variant with its logged model, and a registered version
of what was selected, unless the run is a trial. From here on every task of the run links to its page in MLflow.

**Leaves** the table of results.
""",
    "promote": """
Makes what was selected champion: the registry's alias moves to it. Fails or is skipped, as the spec says, where
nothing passed the gate; is skipped where the run is a trial.

**Leaves** who is champion now, and who was before.
""",
    "approve": """
Asks a person whether what passed the gate may be promoted, and waits. *Required Actions* shows the question, with the
table of all variants.

**Leaves** the answer, and who gave it.
""",
    "decide": """
Writes the answer into the ledger; after a yes the registry's alias moves.

**Leaves** the entry, and who is champion now. After a no the task fails or is skipped, as the spec says.
""",
}


REQUALIFY = {
    "pin": """
Reads the spec file and pins the fresh data by digest.

**Leaves** the spec and the digest.
""",
    "fetch_champion": """
Fetches today's champion and the baseline that it was promoted against. Skipped, with all that follows, where nothing
was promoted yet.

**Leaves** both files, and what the data looked like that calibrated the champion.
""",
    "evaluate_baseline": """
Runs the baseline over the fresh data on all cores. The log says how far it has come.

**Leaves** the outcome of every sample.
""",
    "evaluate_champion": """
Runs the champion over the same samples.

**Leaves** the outcome of every sample.
""",
    "drift": """
Compares the fresh data with those that calibrated the champion, and what it predicts with what it predicted then.

**Leaves** each comparison with its limit.
""",
    "gate": """
Compares the champion with the baseline on the same samples, by the limits of the section `requalify`.

**Leaves** the verdict.
""",
    "record": """
Adds a point to the trend in MLflow.

**Leaves** the run that holds it.
""",
    "act": """
Alerts, or rolls the champion back, as the spec says: where a limit is proved to be broken, a class is lost, or the data
have drifted.

**Leaves** what was concluded; it is red where somebody is to look.
""",
}


def document(dag: DAG, pages: Mapping[str, str]) -> None:
    """Give each task its page."""
    for task_id, task in dag.task_dict.items():
        task.doc_md = pages[task_id]  # type: ignore[misc]  # of an operator, never of a mapped one
