"""What an outsider is told of a registered version; each kind of tampering is caught with a line of its own."""

from __future__ import annotations

import base64
import json

import pytest

from litegate.attestation.signing import enveloped, signer
from litegate.digest import digest_bytes
from litegate.settings import SIGNING_KEY
from tests.components.verification.conftest import changed, entries_of, new_keys, without

pytestmark = pytest.mark.usefixtures("mlflow_url")

GOOD = ("signature", "statement", "file", "bill of materials", "stored verdict", "evidence", "outcomes", "verdict")


def test_what_was_registered_and_signed_verifies(registered, verify, capsys):
    found = verify()

    assert (found.code, found.not_good) == (0, {})
    assert set(found.checks) == {*GOOD, "ledger"}
    assert found.said("signature").startswith("good (key ")
    assert "recomputed from" in found.said("verdict")
    assert "the same: passed" in found.said("verdict")
    count = entries_of(registered)
    assert count == 3
    assert found.said("ledger") == "3 entries, chain unbroken, all of them signed"
    said = capsys.readouterr().out
    assert f"{registered.name} version 1: {registered.variant}\n" in said
    assert "  ok     signature: good (key " in said
    assert said.endswith("verified\n")


def test_without_a_key_a_signature_is_not_believed(verify):
    found = verify(key=None)
    assert (found.code, found.not_good) == (5, {"signature": "unknown"})
    assert "not checked: --key names the public key" in found.said("signature")


def test_the_key_of_somebody_else_verifies_nothing(verify, tmp_path):
    found = verify(key=new_keys(tmp_path).public)
    assert found.code == 3
    assert found.not_good == {"signature": "bad", "ledger": "bad"}


def test_a_private_key_is_no_key_to_verify_with(verify, registered, capsys):
    with pytest.raises(KeyError):  # the answer is an error
        verify(key=registered.keys.private)
    assert "got a private key, which stays where it is made" in capsys.readouterr().err


def test_other_bytes_in_the_artifact_are_caught(verify, registered):
    (path,) = [
        path
        for path in registered.server.artifacts.rglob(f"{registered.name}-{registered.variant}.tflite")
        if digest_bytes(path.read_bytes()) == registered.result.selected.digest
    ]
    with changed(path, path.read_bytes()[:-1] + b"!"):
        found = verify()
    assert (found.code, found.not_good) == (3, {"file": "bad"})
    assert "was changed" in found.said("file")


def test_another_verdict_in_the_statement_is_caught_by_the_signature(verify, registered):
    path = registered.artifact("statement.intoto.json")
    envelope = json.loads(path.read_bytes())
    payload = base64.b64decode(envelope["payload"])
    other = payload.replace(b'"lost":', b'"lost":1', 1)
    envelope["payload"] = base64.b64encode(other).decode()
    with changed(path, json.dumps(envelope).encode()):
        found = verify()
    assert found.code == 3
    assert found.not_good == {"signature": "bad", "statement": "bad", "stored verdict": "bad", "verdict": "bad"}
    assert "signature or statement was changed" in found.said("signature")
    assert "it differs: lost is" in found.said("verdict")


def test_a_statement_that_somebody_else_has_signed_is_caught(verify, registered, tmp_path, monkeypatch):
    monkeypatch.setenv(SIGNING_KEY, str(new_keys(tmp_path).private))
    path = registered.artifact("statement.intoto.json")
    statement = json.loads(base64.b64decode(json.loads(path.read_bytes())["payload"]))
    with changed(path, enveloped(statement, signer()).encode()):
        found = verify()
    assert found.code == 3
    assert "by another key" in found.said("signature")


def test_a_changed_signature_is_caught(verify, registered):
    path = registered.artifact("statement.intoto.json")
    envelope = json.loads(path.read_bytes())
    (signature,) = envelope["signatures"]
    raw = bytearray(base64.b64decode(signature["sig"]))
    raw[0] ^= 1
    signature["sig"] = base64.b64encode(bytes(raw)).decode()
    with changed(path, json.dumps(envelope).encode()):
        found = verify()
    assert (found.code, found.not_good) == (3, {"signature": "bad", "statement": "bad"})


def test_a_signature_that_was_taken_away_is_caught(verify, registered):
    path = registered.artifact("statement.intoto.json")
    bare = json.loads(path.read_bytes()) | {"signatures": []}
    with changed(path, json.dumps(bare).encode()):
        found, without_key = verify(), verify(key=None)
    assert found.checks["signature"] == ("bad", "not signed")
    assert without_key.checks["signature"] == ("unknown", "not signed")
    assert without_key.code == 3, "the registry knows another statement"


def test_a_statement_that_was_removed_is_caught(verify, registered):
    with without(registered.artifact("statement.intoto.json")):
        found = verify()
    assert found.code == 3
    assert "was removed" in found.said("signature")


@pytest.mark.parametrize("junk", [b"", b"[]", b"{", b'{"payload": "e30=", "payloadType": "x", "signatures": []}'])
def test_what_is_no_statement_is_said_to_be_none(verify, registered, junk):
    with changed(registered.artifact("statement.intoto.json"), junk):
        found = verify()
    assert (found.code, found.not_good) == (3, {"statement": "bad"})


def test_another_verdict_in_mlflow_is_caught(verify, registered):
    path = registered.artifact("verdict.json")
    stored = json.loads(path.read_bytes()) | {"drop": -0.5}
    with changed(path, json.dumps(stored).encode()):
        found = verify()
    assert (found.code, found.not_good) == (3, {"stored verdict": "bad"})
    assert "drop is -0.5, stated" in found.said("stored verdict")


@pytest.mark.parametrize(("name", "check"), [("bom.cdx.json", "bill of materials"), ("evidence.json", "evidence")])
def test_what_lies_beside_the_statement_is_caught_too(verify, registered, name, check):
    path = registered.artifact(name)
    with changed(path, path.read_bytes() + b" "):
        found = verify()
    assert found.code == 3
    assert found.checks[check][0] == "bad"


def test_a_changed_outcome_file_is_caught(verify, registered):
    path = registered.outcomes()
    with changed(path, path.read_bytes()[:-1] + b"!"):
        found = verify()
    assert (found.code, found.not_good) == (3, {"outcomes": "bad", "verdict": "unknown"})
    assert "were changed" in found.said("outcomes")


def test_outcomes_that_are_not_there_any_more_are_not_verified(verify, registered):
    with without(registered.outcomes()):
        found = verify()
    assert (found.code, found.not_good) == (5, {"outcomes": "unknown", "verdict": "unknown"})
    assert "not there any more" in found.said("outcomes")


def test_a_changed_ledger_entry_is_caught(verify, registered):
    def change(entry):
        entry["decision"]["actor"] = "mallory"

    with registered.changed_entry(0, change):
        found = verify()
    assert (found.code, found.not_good) == (3, {"ledger": "bad"})
    assert "one of them was changed" in found.said("ledger")


def test_a_changed_last_entry_which_no_other_follows_is_caught_by_what_was_signed(verify, registered):
    def change(entry):
        entry["decision"]["why"] = "no reason"

    with registered.changed_entry(2, change):
        found = verify()
    assert (found.code, found.not_good) == (3, {"ledger": "bad"})
    assert "entry 2, or one before it, is not what was signed" in found.said("ledger")


def test_a_ledger_that_was_cut_is_caught(verify, registered):
    with registered.database() as database:
        wanted = "key = 'entry-00002' AND value LIKE ?"
        row = database.execute(f"SELECT * FROM params WHERE {wanted}", (f"%{registered.name}%",)).fetchone()
        database.execute(f"DELETE FROM params WHERE {wanted}", (f"%{registered.name}%",))
    try:
        found = verify()
    finally:
        with registered.database() as database:
            database.execute(f"INSERT INTO params VALUES ({', '.join('?' * len(row))})", row)
    assert (found.code, found.not_good) == (3, {"ledger": "bad"})
    assert "2 entries, 3 were signed: some were removed" in found.said("ledger")


def test_a_tag_that_names_other_bytes_is_caught(verify, registered):
    from mlflow import MlflowClient

    client, digest = MlflowClient(), registered.result.selected.digest
    client.set_model_version_tag(registered.name, "1", "tflite_sha256", digest_bytes(b"other"))
    try:
        found = verify("--version", "1")
    finally:
        client.set_model_version_tag(registered.name, "1", "tflite_sha256", digest)
    assert found.code == 3
    assert "the file's digest in the registry is" in found.said("statement")


def test_a_version_that_is_not_there_is_the_users_mistake(verify, capsys):
    with pytest.raises(KeyError):
        verify("--version", "9")
    assert "expected one of 1, got 9" in capsys.readouterr().err


def test_it_verifies_again_after_all_of_this(verify):
    assert verify().code == 0
