"""The operators: one thin module each, over a step. A DAG of one's own has them from here."""

from __future__ import annotations

from litegate_airflow.operators.approve import ApproveOperator
from litegate_airflow.operators.benchmark import BenchmarkOperator
from litegate_airflow.operators.calibrate import CalibrateOperator
from litegate_airflow.operators.champion import FetchChampionOperator
from litegate_airflow.operators.check import CheckOperator
from litegate_airflow.operators.clean import CleanOperator
from litegate_airflow.operators.convert import ConvertOperator
from litegate_airflow.operators.decide import DecideOperator
from litegate_airflow.operators.decide_approval import DecideApprovalOperator
from litegate_airflow.operators.evaluate import EvaluateOperator
from litegate_airflow.operators.evaluate_shard import EvaluateShardOperator
from litegate_airflow.operators.gate import GateOperator
from litegate_airflow.operators.lookup_cache import LookupCacheOperator
from litegate_airflow.operators.produce import PrepareDataOperator, TrainOperator
from litegate_airflow.operators.promote import PromoteOperator
from litegate_airflow.operators.quantize import QuantizeOperator
from litegate_airflow.operators.register import RegisterOperator
from litegate_airflow.operators.requalify import (
    ActOperator,
    DriftOperator,
    FetchChampionEvidenceOperator,
    RecordOperator,
    RequalifyEvaluateOperator,
    RequalifyGateOperator,
    SnapshotOperator,
)
from litegate_airflow.operators.requantize import RequantizeOperator
from litegate_airflow.operators.resolve import ResolveOperator
from litegate_airflow.operators.sample import SampleOperator
from litegate_airflow.operators.step import StepOperator, VariantOperator
from litegate_airflow.operators.wired import WiredOperator

__all__ = [
    "ActOperator",
    "ApproveOperator",
    "BenchmarkOperator",
    "CalibrateOperator",
    "CheckOperator",
    "CleanOperator",
    "ConvertOperator",
    "DecideApprovalOperator",
    "DecideOperator",
    "DriftOperator",
    "EvaluateOperator",
    "EvaluateShardOperator",
    "FetchChampionEvidenceOperator",
    "FetchChampionOperator",
    "GateOperator",
    "LookupCacheOperator",
    "PrepareDataOperator",
    "PromoteOperator",
    "QuantizeOperator",
    "RecordOperator",
    "RegisterOperator",
    "RequalifyEvaluateOperator",
    "RequalifyGateOperator",
    "RequantizeOperator",
    "ResolveOperator",
    "SampleOperator",
    "SnapshotOperator",
    "StepOperator",
    "TrainOperator",
    "VariantOperator",
    "WiredOperator",
]
