"""Requests for files of runtimes that do what the files say, run in this process and those that it forks."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from litegate.digest import digest_bytes
from litegate.outcomes.columns import Outcomes
from litegate.pipeline.shards import shard_request
from litegate.records import (
    Artifact,
    DataRef,
    EvaluateFilesRequest,
    EvaluateRequest,
    FileEvaluation,
    FileRef,
    FileShards,
    Reference,
)
from litegate.steps import evaluate, evaluate_shard
from litegate.work.step_work import Work

__all__ = ["CONTROLLED", "FINE", "ON_TARGET", "SAMPLES", "WORSE", "Passes", "same"]

SAMPLES = 700
FINE = "nothing -1 0"
WORSE = "nothing -1 1"
"""Another class for every sample."""


class Passes:
    """Requests for files of the runtime `faulty`."""

    def __init__(self, folder: Path, data: DataRef) -> None:
        self.data, self.work = data, Work(folder, folder / "cache")

    def artifact(self, content: str, variant: str = "int8") -> Artifact:
        file = FileRef(name="f", digest=digest_bytes(content.encode()), bytes=len(content))
        self.work.path(file).parent.mkdir(parents=True, exist_ok=True)
        self.work.path(file).write_bytes(content.encode())
        return Artifact(variant=variant, file=file, signatures={})

    def request(self, content: str, beside: tuple[str, ...] = (), **keys: Any) -> EvaluateRequest:
        roles = ("baseline", "champion")
        references = [
            Reference(role=role, artifact=self.artifact(other)) for role, other in zip(roles, beside, strict=False)
        ]
        return EvaluateRequest(
            artifact=self.artifact(content),
            data=self.data,
            metric="top1",
            seed=3,
            references=tuple(references),
            **{"max_samples": None, "runtime": "faulty"} | keys,
        )

    def run(self, *requests: EvaluateRequest) -> list[Any]:
        return list(evaluate.run(EvaluateFilesRequest(files=requests), self.work).files)

    def outcomes(self, file: FileRef) -> Outcomes:
        return Outcomes.read(self.work.outputs / file.digest)

    def shard(self, *requests: EvaluateRequest, number: int = 1, of: int = 1) -> FileShards:
        """What a shard gives; its files are then where later steps find them."""
        found = evaluate_shard.run(shard_request(requests, number, of), self.work)
        for path in self.work.outputs.glob("*") if self.work.outputs.exists() else ():
            self.work.path(FileRef(name="f", digest=path.name, bytes=0)).write_bytes(path.read_bytes())
        return found


def same(one: FileEvaluation, other: FileEvaluation) -> bool:
    """Whether two evaluations say the same, but for how long they took."""
    return one.model_copy(update={"seconds": 0.0}) == other.model_copy(update={"seconds": 0.0})


ON_TARGET: dict[str, Any] = {"runtime": "elsewhere", "host": "faulty"}
CONTROLLED = ON_TARGET | {"control": "nearer", "target_samples": 90}
