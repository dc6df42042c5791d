"""The spec: one YAML file a model, parsed once into frozen records.

An unknown key, a wrong type or a value out of range is a `SpecError` that names the key, what it
may be and what it was. Nothing here touches the network or the file system beyond the spec itself.
"""

from __future__ import annotations

from litegate.spec.approval import Approval
from litegate.spec.changes import schema_of, value_of, with_values
from litegate.spec.choices import MIN_SAMPLES, EvaluationCode, Format, LintCode
from litegate.spec.device import Device
from litegate.spec.fine_tune import FineTune
from litegate.spec.gate import Gate, Limits, gate_problem, limits_problem
from litegate.spec.inputs import (
    Calibration,
    Data,
    Detection,
    Evaluation,
    GivenFile,
    GroupedData,
    Model,
)
from litegate.spec.notify import Event, Notification
from litegate.spec.reading import load_spec, parse_spec, spec_digest, with_absolute_uris
from litegate.spec.recover import Recover
from litegate.spec.reference import reference_page
from litegate.spec.registry import Registry
from litegate.spec.requalify import Requalify
from litegate.spec.retrain import Retrain
from litegate.spec.schema import file_schema
from litegate.spec.section import slice_field
from litegate.spec.whole import Spec

__all__ = [
    "MIN_SAMPLES",
    "Approval",
    "Calibration",
    "Data",
    "Detection",
    "Device",
    "Evaluation",
    "EvaluationCode",
    "Event",
    "FineTune",
    "Format",
    "Gate",
    "GivenFile",
    "GroupedData",
    "Limits",
    "LintCode",
    "Model",
    "Notification",
    "Recover",
    "Registry",
    "Requalify",
    "Retrain",
    "Spec",
    "file_schema",
    "gate_problem",
    "limits_problem",
    "load_spec",
    "parse_spec",
    "reference_page",
    "schema_of",
    "slice_field",
    "spec_digest",
    "value_of",
    "with_absolute_uris",
    "with_values",
]
