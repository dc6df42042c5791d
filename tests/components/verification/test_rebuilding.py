"""The file made again: the same bytes, other bytes, another processor, and what cannot be made again."""

from __future__ import annotations

import re
import uuid
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path

import pytest

from litegate.attestation.statements import predicate_of
from litegate.digest import digest_bytes
from litegate.execution.environments import attested_environments
from litegate.records import AttestedVersion, Evidence, LedgerHead, Recovery
from litegate.spec import Recover
from litegate.storage.workspace import Workspace
from litegate.verification.rebuilding import rebuilt
from litegate.verification.statement import Said
from tests.components.verification.conftest import changed, register_signed, without

pytestmark = pytest.mark.usefixtures("mlflow_url")


@pytest.fixture
def evidence(registered) -> Evidence:
    return Evidence.model_validate_json(registered.artifact("evidence.json").read_text())


@pytest.fixture
def said(registered) -> Said:
    request = registered.request
    (candidate,) = [each for each in request.candidates if each.artifact.variant == registered.variant]
    (verdict,) = [each for each in request.verdicts if each.variant == registered.variant]
    head = LedgerHead(ledger="m@champion", entries=0, head=None)
    version = predicate_of(
        request,
        verdict,
        candidate,
        evidence="",
        bom="",
        ledger=head,
        environments=attested_environments(),
        runs={},
    )
    return Said(version, {"m.tflite": candidate.artifact.file.digest}, version.spec_digest)


@pytest.fixture
def make(registered, evidence, tmp_path, warm_tensorflow):
    """Makes the file again by changed evidence, or for another statement."""

    def again(said: Said, evidence: Evidence = evidence):
        empty = tmp_path / uuid.uuid4().hex
        places = replace(
            registered.places, workspace=str(empty / "workspace"), cache=empty / "cache", scratch=empty / "new"
        )
        return rebuilt(evidence, said, Workspace(registered.places.workspace, empty / "fetched"), places)

    return again


def about(said: Said, **changes) -> Said:
    return replace(said, version=AttestedVersion.model_validate(said.version.model_dump() | changes))


@pytest.mark.parametrize("variant", ["int8", "dynamic_range"])
def test_the_command_makes_the_very_bytes_again(
    variant, models, places, mlflow_server, keys, verify, monkeypatch, warm_parents
):
    monkeypatch.setenv("LITEGATE_WARM", str(warm_parents))
    found = register_signed(models, places, mlflow_server, keys, variants=[variant])
    answer = verify("--rederive", "--allow-unsigned", model=found.name, key=None)
    assert answer.not_good == {}
    assert answer.said("rebuilt").startswith("identical, ")


def test_bytes_that_do_not_follow_from_the_source_are_told(make, said, registered):
    (other,) = [
        each.artifact.file for each in registered.request.candidates if each.artifact.file.digest != said.file[1]
    ]
    check = make(replace(said, subjects={"m.tflite": other.digest}))
    assert check.state == "bad"
    assert check.said.startswith("different: ")


def test_other_bytes_made_with_other_tools_prove_nothing(make, said):
    other = {name: {"distributions": "0" * 64, "lock": None} for name in said.version.environments}
    check = make(about(replace(said, subjects={"m.tflite": "0" * 64}), environments=other))
    assert check.state == "unknown"
    assert "other tools are installed here (service, tensorflow)" in check.said


def test_on_another_processor_nothing_is_compared(make, said):
    check = make(about(said, processor="riscv64 (000000000000)"))
    assert (check.state, check.said[:32]) == ("unknown", "not comparable: other processor ")


def test_a_file_that_was_given_or_trained_is_not_made_again(make, said):
    check = make(about(said, engine="given"))
    assert (check.state, check.said) == ("unknown", "not rebuilt: the file was given")
    trained = make(about(said, engine="fine_tuning"))
    assert trained.state == "unknown"
    assert trained.said.startswith("not rebuilt: the model was trained on for it")


def searching(evidence: Evidence, **recover: float) -> Evidence:
    """The same, where a file is searched for."""
    spec = evidence.resolved.spec.model_copy(update={"recover": Recover.model_validate(recover)})
    return evidence.model_copy(update={"resolved": evidence.resolved.model_copy(update={"spec": spec})})


def test_a_file_that_was_searched_for_is_searched_for_again(make, said, evidence):
    recovered, asked = about(said, variant="recovered", engine="recovery"), searching(evidence, max_steps=2)
    other = make(recovered, asked)
    assert (other.state, other.said[:10]) == ("bad", "different:")
    found = re.search("of digest ([0-9a-f]{64})", other.said)
    assert found
    assert make(replace(recovered, subjects={"m.tflite": found[1]}), asked).state == "good"


def test_a_search_that_ended_with_its_time_proves_nothing(make, said, evidence):
    check = make(about(said, variant="recovered", engine="recovery"), searching(evidence, budget_minutes=1e-6))
    assert check.state == "unknown"
    assert check.said.startswith("not comparable: the search for its precisions ended when its time was over")


def test_a_search_that_had_ended_with_its_time_is_not_made_again(make, said, evidence):
    ended = {"recovery": Recovery.model_construct(ended="time")}
    own = [each for each in evidence.gate.candidates if each.artifact.variant == said.version.variant]
    artifact = own[0].artifact.model_copy(update=ended)
    gate = evidence.gate.model_copy(update={"candidates": (own[0].model_copy(update={"artifact": artifact}),)})
    check = make(said, evidence.model_copy(update={"gate": gate}))
    assert check.said.startswith("not comparable: the search")


def test_a_source_that_is_gone_or_changed_is_said(make, said, evidence, registered):
    path = Path(registered.places.workspace, "files", evidence.resolved.model.digest)
    with without(path):
        gone = make(said)
    assert gone.state == "unknown"
    assert "is not there any more" in gone.said
    with changed(path, path.read_bytes() + b"!"):
        damaged = make(said)
    assert damaged.state == "bad"
    assert "was changed" in damaged.said
    assert digest_bytes(path.read_bytes()) == evidence.resolved.model.digest


def test_what_lies_in_the_workspace_is_no_answer(verify, registered, monkeypatch, warm_parents):
    """A stored answer of the gate that says otherwise is not looked at, and the converter's neither."""
    monkeypatch.setenv("LITEGATE_WARM", str(warm_parents))
    results = [*Path(registered.places.workspace, "results").glob("*/*.json")]
    assert {path.parent.name for path in results} >= {"gate", "convert", "calibrate", "quantize"}
    with ExitStack() as stack:
        for path in results:
            stack.enter_context(changed(path, b"forged"))
        assert verify("--rederive").not_good == {}
        assert all(path.read_bytes() == b"forged" for path in results), "nobody has looked"
