"""Which TensorFlow operators a model may not hold: those that reach beyond the numbers that go through it.

A SavedModel is a program (https://github.com/tensorflow/tensorflow/blob/master/SECURITY.md). Its initializers run as
it is loaded, so a look at the operators must come first. A test holds these patterns against TensorFlow's own
registry: every operator there that has a state or takes a path is either refused here or has been reviewed.
"""

from __future__ import annotations

import re
from types import MappingProxyType

__all__ = ["CHECKPOINT_WRITERS", "risk_of"]

CHECKPOINT_WRITERS = frozenset({"SaveV2", "MergeV2Checkpoints"})
"""In the saver of every SavedModel, which nothing here calls; refused where the model itself would run them."""

_RISKS = MappingProxyType(
    {
        risk: re.compile("|".join(patterns))
        for risk, patterns in {
            "runs Python": ("_?(Eager)?PyFunc(Stateless)?", "GeneratorDataset"),
            "writes files": (
                "WriteFile",
                "Save|SaveSlices|DistributedSave",
                "Print(V2)?",
                "DumpTensor|ImportEvent|CalibrationStatisticsSaver",
                "Debug.*",
                "Write.*Summary",
                ".*Summary.*Writer",
                "SummaryWriter",
                ".*DatasetToTFRecord",
                "SaveDataset.*|.*Snapshot.*",
            ),
            "reads files": (
                "ReadFile|MatchingFiles|ImmutableConst|RecordInput",
                "InitializeTableFromTextFile(V2)?|InitializeTableFromDataset",
                "LoadAndRemapMatrix|GenerateVocabRemapping",
                "(Fixed|AllCandidate|Learned|ThreadUnsafe)?UnigramCandidateSampler",
                "(Identity|WholeFile|TextLine|FixedLengthRecord|TFRecord|LMDB)Reader(V2)?",
                "Reader[A-Z].*",
                ".*Dataset.*",
                ".*Iterator.*",
            ),
            "opens connections": (
                "Rpc.*|DeleteRpc.*|RemoteCall|WorkerHeartbeat",
                "Collective.*|Nccl.*|_Nccl.*|AllToAll|CrossReplicaSum",
                "_?(Host)?(Send|Recv)",
                "FileSystemSetConfiguration",
                "DTensor.*|.*SessionHandle.*|.*SessionTensor",
            ),
            "runs on an accelerator": (
                ".*TPU.*",
                "_?Xla(HostCompute|Send|Recv|Launch|Run|Compile).*",
                "(In|Out)feed.*",
            ),
        }.items()
    }
)


def risk_of(operator: str) -> str | None:
    """What an operator does that a model may not, or None."""
    return next((risk for risk, pattern in _RISKS.items() if pattern.fullmatch(operator)), None)
