"""The refused operators against TensorFlow's own registry."""

from __future__ import annotations

import re
import subprocess

import pytest

from litegate.settings import settings
from litegate.source.operators import risk_of

LIST = """
from tensorflow.core.framework.op_def_pb2 import OpList
from tensorflow.python.client.pywrap_tf_session import TF_GetAllOpList, TF_GetBuffer
operators = OpList()
operators.ParseFromString(TF_GetBuffer(TF_GetAllOpList()))
for each in operators.op:
    words = [argument.name for argument in (*each.attr, *each.input_arg)]
    print(each.name, int(each.is_stateful), ",".join(words) or "-")
"""

REVIEWED = re.compile(
    "|".join(
        (
            # Savers: in every SavedModel; refused where the model itself runs them.
            "SaveV2|MergeV2Checkpoints|Restore(V2|Slice)?|ShardedFile(name|spec)",
            # Numbers kept in memory: variables, tables, arrays, stacks, queues, accumulators, boosted trees.
            "_?(Var|Variable|VarHandles?|VarIsInitialized|Assign|ReadVariable|Temporary|DestroyTemporary).*",
            "Resource.*|DestroyResourceOp|StubResourceHandleOp|MakeWeakResourceHandle|IsResourceHandle.*|DisableCopyOnRead",
            "Scatter.*|TensorArray.*|Stack(V2|Push.*|Pop.*|Close.*)?|.*Queue.*|Barrier.*|.*Accumulator.*",
            ".*HashTable.*|LookupTable.*|InitializeTable(V2)?|BoostedTrees.*|IsBoostedTrees.*",
            "(Ordered)?Map(Clear|IncompleteSize|Peek|Size|Stage|Unstage|UnstageNoKey)|Stage.*|Unstage",
            "Mutex.*|ConsumeMutexLock|(Add|Take)Many.*|AddSparse.*|.*MemoryCache|DeviceIndex|DevicePlacementOp",
            # Random numbers and what is not the same twice.
            ".*Random.*|.*Rng.*|.*SeedGenerator|Multinomial|TruncatedNormal|Stateful.*|.*Uniform.*CandidateSampler",
            ".*CandidateSampler|SampleDistortedBoundingBox.*|Skipgram|NegTrain|NonDeterministicInts|Timestamp",
            "ParameterizedTruncatedNormal|StatelessRandomGetAlg|CudnnRNN.*",
            # Control flow, checks, and what TensorFlow tests itself with.
            "_?(If|While|Case)|RiscWhile|Assert|CheckNumerics.*|GuaranteeConst|.*PartitionedCall|XlaIf|XlaWhile",
            "Empty|DeepCopy|_(Arg|Retval|DeviceArg|DeviceRetval|ParallelConcatStart|ScopedAllocator.*)|Stub.*",
            ".*GraphDefVersion|.*GraphVersion|TestAttr|DummyIterationCounter|DtypeWithDefaultOp|GlobalIterId|Sleep(Identity)?Op|SyncDevice",
            "IsTensorFloat32Enabled|GetMinibatch.*|ConvertToCooTensor|StoreMinibatch.*|ComputeDedup.*|ThreadPoolHandle",
            "Experimental(ThreadPool|StatsAggregator)Handle|StatsAggregatorHandle.*|StatsAggregatorSummary",
            "ExperimentalStatsAggregatorSummary|UpdateTaskIdAndGlobalCoreArray|Conditional.*|SparseConditional.*",
            "XlaCallModule|XlaDequantize|XlaSparseCore.*|XlaRecv.*|_XlaRecv.*|_XlaAot.*|_HostCast|XlaSpmd.*",
            "GlobalShuffle.*|ListSnapshot.*|.*TensorFromTensors.*|RiscSort",
            # Named after files, and only numbers or text.
            "(Audio|Histogram|Image|Merge|Scalar|Tensor)Summary(V2)?|BoostedTrees.*|CTC.*|Gather.*|Benchmark.*",
        )
    )
)


@pytest.mark.e2e
def test_every_operator_with_a_state_or_a_path_is_refused_or_was_reviewed() -> None:
    done = subprocess.run([settings().pythons["tensorflow"], "-c", LIST], capture_output=True, text=True, check=True)
    rows = [line.split() for line in done.stdout.splitlines()]
    assert len(rows) > 1000
    paths = re.compile(r"(^|,)(\w*file\w*|\w*path\w*|\w*dir|address\w*|url\w*|memory_region_name)(,|$)")
    risky = [name for name, stateful, words in rows if stateful == "1" or paths.search(words)]
    assert [name for name in risky if risk_of(name) is None and not REVIEWED.fullmatch(name)] == []


@pytest.mark.parametrize(
    ("operator", "risk"),
    [
        ("WriteFile", "writes files"),
        ("PrintV2", "writes files"),
        ("DebugIdentityV3", "writes files"),
        ("CreateSummaryFileWriter", "writes files"),
        ("WriteScalarSummary", "writes files"),
        ("ReadFile", "reads files"),
        ("TFRecordDatasetV2", "reads files"),
        ("FixedUnigramCandidateSampler", "reads files"),
        ("ImmutableConst", "reads files"),
        ("EagerPyFunc", "runs Python"),
        ("RpcServerStart", "opens connections"),
        ("_HostSend", "opens connections"),
        ("TPUExecute", "runs on an accelerator"),
    ],
)
def test_what_reaches_beyond_the_model_is_refused(operator: str, risk: str) -> None:
    assert risk_of(operator) == risk


@pytest.mark.parametrize(
    "operator",
    ["Conv2D", "ReadVariableOp", "SaveV2", "RestoreV2", "While", "TensorListReserve", "StaticRegexFullMatch", "NoOp"],
)
def test_what_sound_models_hold_is_not(operator: str) -> None:
    assert risk_of(operator) is None
