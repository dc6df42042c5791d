"""What the forks of Airflow's servers find done."""

from __future__ import annotations

import json
import subprocess
import sys
from types import SimpleNamespace

import jsonschema
import pytest
from jsonschema.exceptions import SchemaError

from litegate_airflow.prepared import check_schemas_once


@pytest.fixture
def validator() -> SimpleNamespace:
    """Counts what it checks."""
    checked: list[object] = []

    def check(schema: object, *_: object) -> None:
        checked.append(schema)
        jsonschema.Draft202012Validator.check_schema(schema)

    return SimpleNamespace(check_schema=check, checked=checked)


def test_a_schema_is_checked_once_and_an_equal_one_not_again(validator):
    check_schemas_once([validator])
    for _ in range(2):
        validator.check_schema({"type": "integer", "minimum": 1})
        validator.check_schema({"minimum": 1, "type": "integer"})
    validator.check_schema({"type": "integer", "minimum": 2})
    assert validator.checked == [{"minimum": 1, "type": "integer"}, {"minimum": 2, "type": "integer"}]


def test_a_wrong_schema_is_refused_each_time(validator):
    check_schemas_once([validator])
    for _ in range(2):
        with pytest.raises(SchemaError, match="'many' is not valid"):
            validator.check_schema({"type": "many"})


@pytest.mark.parametrize("asked", [({"type": "integer", "default": {1, 2}},), ({"type": "integer"}, "formats")])
def test_what_is_no_json_or_asked_otherwise_is_checked_each_time(validator, asked):
    check_schemas_once([validator])
    for _ in range(2):
        validator.check_schema(*asked)
    assert validator.checked == [asked[0], asked[0]]


PREPARED = """
import json, sys
from litegate_airflow.prepared import prepare
prepare()
from airflow.sdk.execution_time import comms
from airflow.sdk.execution_time.comms import CommsDecoder, VariableResult
import jsonschema
from airflow.sdk import Param
from airflow.sdk.exceptions import ParamValidationError
from litegate_airflow.ui.form import form
from litegate.spec import parse_spec
from litegate_airflow.prepared import _SPEC
loaded = set(sys.modules)
one, other = CommsDecoder(socket=None), CommsDecoder(socket=None)
kept = one.body_decoder is one.err_decoder is other.body_decoder
answer = one.body_decoder.validate_python({"key": "k", "value": "v", "type": "VariableResult"})
assert answer == VariableResult(key="k", value="v"), answer
assert comms.TypeAdapter(int).validate_python("3") == 3
fields = form(parse_spec(_SPEC))
refused = []
for key, value in (("gate.max_drop", "much"), ("promote", 3)):
    try:
        fields[key].resolve(value)
    except ParamValidationError as error:
        refused.append(key)
print(json.dumps([kept, refused, "jinja2.ext" in loaded, sorted(set(sys.modules) - loaded)]))
"""


def test_values_and_answers_are_validated_as_before_and_nothing_is_left_to_be_loaded():
    done = subprocess.run([sys.executable, "-c", PREPARED], check=True, capture_output=True, text=True)
    assert json.loads(done.stdout.splitlines()[-1]) == [True, ["gate.max_drop", "promote"], True, []]
