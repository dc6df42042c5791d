"""What the registry's pages say of a model and of its versions: the verdict, the table, and how to use it."""

from __future__ import annotations

from collections.abc import Sequence

from mlflow.entities import Run

from litegate.presentation.markdown import code, fit, plain
from litegate.presentation.results_note import headline, results
from litegate.records import RegisterRequest, Signature, VariantRow
from litegate.report import table_rows
from litegate.runtimes.litert import choose_signature
from litegate.tracking import notes
from litegate.tracking.views import link, view_link

__all__ = ["model_card", "version_card"]


def model_card(request: RegisterRequest) -> str:
    """What a registered model is, for its own page."""
    spec = request.resolved.spec
    return "\n\n".join(
        (
            f"**{plain(spec.model.name)}** as LiteRT files: each version is a quantized variant that passed the gate. "
            f"The alias *{plain(spec.registry.alias)}* is on the one to ship.",
            code(_usage(request, request.baseline.artifact.signatures)),
        )
    )


def version_card(
    request: RegisterRequest, row: VariantRow, rows: Sequence[VariantRow], parent: Run, number: int
) -> str:
    """The verdict on one version, all variants as a table, how to use it; what MLflow cannot hold is cut.

    Args:
        row: the version's own.
        parent: the pipeline run.
        number: the version's.
    """
    baseline, experiment_id = table_rows.baseline_of(request), parent.info.experiment_id
    start = f"experiments/{experiment_id}/runs"
    pages = (
        f"[Report]({link(f'{start}/{parent.info.run_id}/artifacts/{notes.REPORT}')})",
        f"[Pipeline run]({link(f'{start}/{parent.info.run_id}')})",
        f"[Run of {row.variant}]({link(f'{start}/{row.mlflow_run_id}')})",
        f"[Charts]({view_link(experiment_id)})",
        *(f"[{plain(name.capitalize())}]({url})" for name, url in sorted(request.links.items())),
    )
    table, _, sentences = results(baseline, rows).partition("\n\n")
    candidate = next(item for item in request.candidates if item.artifact.variant == row.variant)
    usage = code(_usage(request, candidate.artifact.signatures))
    same = [each.variant for each in rows if each.digest == row.digest and each.variant != row.variant]
    also = f"The same bytes were judged as {', '.join(same)} too." if same else ""
    parts = (
        f"**{plain(headline(row))}**",
        *filter(None, [also]),
        " · ".join(pages),
        table,
        _evidence(request),
        usage,
        f"The file alone, its digest checked: `litegate get {request.resolved.spec.registry.name} --version {number}`.",
        sentences,
    )
    return fit("\n\n".join(parts), notes.NOTE_LIMIT, "the pipeline run's artifact result.json has all of it")


def _usage(request: RegisterRequest, signatures: dict[str, Signature]) -> str:
    spec = request.resolved.spec
    signature = signatures[choose_signature(tuple(signatures), spec.evaluation.signature)]
    features = ", ".join(f"{name!r}: {name.split(':')[0]}" for name in signature.inputs)
    shapes = "; ".join(
        f"{name}: {'float32' if tensor.scale else tensor.dtype} ({', '.join(_sizes(tensor.shape))})"
        for name, tensor in signature.inputs.items()
    )
    return (
        "import mlflow  # pip install mlflow-skinny numpy pandas ai-edge-litert\n"
        f'model = mlflow.pyfunc.load_model("models:/{spec.registry.name}@{spec.registry.alias}")\n'
        f"model.predict({{{features}}})  # {shapes}"
    )


def _sizes(shape: tuple[int, ...]) -> list[str]:
    return ["batch", *("any" if size == -1 else str(size) for size in shape[1:])]


def _evidence(request: RegisterRequest) -> str:
    """What was asked for, and what it was measured on."""
    resolved = request.resolved
    spec = resolved.spec
    asked = {"max_drop": spec.gate.max_drop, "confidence": spec.gate.confidence}
    asked |= spec.gate.model_dump(exclude_defaults=True)
    policy = ", ".join(f"{name} {value}" for name, value in asked.items())
    return (
        f"Target {spec.target}; policy: {plain(policy)}. Judged on `{resolved.evaluation.uri}` "
        f"({resolved.evaluation.digest[:12]}), calibrated with {request.samples.samples} samples of "
        f"`{resolved.calibration.uri}` ({resolved.calibration.digest[:12]}), "
        f"from `{resolved.model.uri}` ({resolved.model.digest[:12]})."
    )
