"""What was seen beside the target, as records: by the host, and by the control variate where that is another."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from litegate.evaluation.kept import Seen
from litegate.records import ControlOutcomes, EvaluateRequest, FileRef, HostOutcomes, ReferenceOutcomes
from litegate.runtimes import runtime_row
from litegate.variants import CHAMPION
from litegate.work.step_work import Work

__all__ = ["Beside", "control_outcomes", "host_outcomes", "kept", "reference_outcomes"]


class Beside(NamedTuple):
    """By the name of the file, and of what it is compared with by the role.

    Attributes:
        refused: why the file could not be run as the control variate that was asked for; empty where it could.
    """

    host: Mapping[str, Seen]
    control: Mapping[str, Seen]
    refused: str


def host_outcomes(file: EvaluateRequest, work: Work, beside: Beside, kernels: Mapping[str, str]) -> HostOutcomes | None:
    """What the host gave of a file; None where it is the one that counts.

    Args:
        kernels: what computed, in a word, by the name of the runtime.
    """
    if file.host is None:
        return None
    seen = beside.host[file.artifact.variant]
    return HostOutcomes(
        runtime=file.host,
        title=runtime_row(file.host).title,
        beside=runtime_row(file.runtime).title,
        kernels=kernels[file.host],
        samples=len(seen),
        outcomes=kept(work, seen, "host-outcomes.npz"),
    )


def control_outcomes(
    file: EvaluateRequest, work: Work, beside: Beside, kernels: Mapping[str, str]
) -> ControlOutcomes | None:
    """The control variate of a file, which is said; None where nothing but the host was asked for."""
    if file.control is None or file.host is None:
        return None
    variant, refused = file.artifact.variant, beside.refused
    runtime = file.host if refused else file.control
    title = runtime_row(runtime).title
    work.say("evaluate %s: %s is the control variate%s", variant, title, f", for {refused}" if refused else "")
    return ControlOutcomes(
        runtime=runtime,
        title=title,
        kernels=kernels[runtime],
        outcomes=None if refused else kept(work, beside.control[variant], "control-outcomes.npz"),
        refused=refused,
    )


def reference_outcomes(
    file: EvaluateRequest, work: Work, seen: Mapping[str, Seen], beside: Beside
) -> tuple[ReferenceOutcomes, ...]:
    """What the file is compared with, on the samples that the target saw, and on those that ran beside it."""

    def found(outcomes: Mapping[str, Seen], role: str, of: str) -> FileRef | None:
        return kept(work, outcomes[role], f"{role}-{of}outcomes.npz") if role in outcomes else None

    controlled = {role: each for role, each in beside.control.items() if role == CHAMPION}
    return tuple(
        ReferenceOutcomes(
            role=reference.role,
            artifact_digest=reference.artifact.file.digest,
            outcomes=kept(work, seen[reference.role], f"{reference.role}-outcomes.npz"),
            host=found(beside.host, reference.role, "host-"),
            control=found(controlled, reference.role, "control-"),
        )
        for reference in file.references
    )


def kept(work: Work, seen: Seen, name: str) -> FileRef:
    """A file with what was seen."""
    return work.keep(seen.write(work.folder / "outcomes"), name)
