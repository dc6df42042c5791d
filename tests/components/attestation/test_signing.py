"""Envelopes: signed by keys of several kinds, unsigned, and damaged; keys that are none."""

from __future__ import annotations

import base64
import json
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric import dsa, ec, ed25519
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
)

from litegate.attestation.signing import enveloped, key_id, open_envelope, public_key, signer
from litegate.attestation.statements import VERSION, statement
from litegate.digest import digest_bytes
from litegate.errors import BadInput, StoreError
from litegate.settings import SIGNING_KEY

SAID = statement(VERSION, {"m.tflite": digest_bytes(b"m")}, {"model": "m"})

KINDS = {
    "ed25519": ed25519.Ed25519PrivateKey.generate,
    "p256": lambda: ec.generate_private_key(ec.SECP256R1()),
    "p384": lambda: ec.generate_private_key(ec.SECP384R1()),
}


def pem(key, password: bytes | None = None) -> bytes:
    encryption = BestAvailableEncryption(password) if password else NoEncryption()
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, encryption)


def public_file(key, folder: Path) -> Path:
    path = folder / "public.pem"
    path.write_bytes(key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo))
    return path


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("as_file", [True, False], ids=["file", "text"])
def test_what_a_key_has_signed_its_public_half_verifies(kind, as_file, tmp_path, monkeypatch):
    key = KINDS[kind]()
    (tmp_path / "key.pem").write_bytes(pem(key))
    monkeypatch.setenv(SIGNING_KEY, str(tmp_path / "key.pem") if as_file else pem(key).decode())
    public = public_key(public_file(key, tmp_path))

    opened = open_envelope(enveloped(SAID, signer()).encode(), public, "it")

    assert (opened.signed, opened.statement) == ("good", SAID)
    assert opened.by == (public.keyid,) == (key_id(signer()),)


def test_without_a_key_an_envelope_says_that_nobody_has_signed(monkeypatch):
    monkeypatch.delenv(SIGNING_KEY, raising=False)
    assert signer() is None
    assert key_id(None) == "unsigned"
    assert open_envelope(enveloped(SAID, None).encode(), None, "it").signed == "unsigned"


def test_an_envelope_of_another_payload_under_the_same_key_id_is_bad(tmp_path, monkeypatch):
    key = KINDS["ed25519"]()
    monkeypatch.setenv(SIGNING_KEY, pem(key).decode())
    one, other = (json.loads(enveloped(said, signer())) for said in (SAID, SAID | {"predicateType": "other"}))
    mixed = json.dumps(one | {"signatures": other["signatures"]}).encode()
    assert open_envelope(mixed, public_key(public_file(key, tmp_path)), "it").signed == "bad"


@pytest.mark.parametrize(
    "content",
    [
        b"no key",
        pem(KINDS["ed25519"](), b"secret"),
        pem(dsa.generate_private_key(1024)),
        pem(ec.generate_private_key(ec.SECP256K1())),
    ],
    ids=["junk", "password", "dsa", "curve"],
)
def test_what_is_no_key_that_signs_is_refused_and_not_repeated(content, tmp_path, monkeypatch):
    (tmp_path / "key.pem").write_bytes(content)
    monkeypatch.setenv(SIGNING_KEY, str(tmp_path / "key.pem"))
    with pytest.raises(BadInput, match="expected a private key in PEM form") as refused:
        signer()
    assert content.decode().splitlines()[-1] not in str(refused.value)


def test_a_file_that_is_not_there_is_named(tmp_path, monkeypatch):
    monkeypatch.setenv(SIGNING_KEY, str(tmp_path / "none.pem"))
    with pytest.raises(BadInput, match=r"none\.pem"):
        signer()
    with pytest.raises(BadInput, match=r"none\.pem.*No such file"):
        public_key(tmp_path / "none.pem")


@pytest.mark.parametrize(
    "said", [SAID | {"_type": "other"}, SAID | {"subject": []}, SAID | {"predicate": {}}, {"a": 1}, SAID | {"x": 1}]
)
def test_what_is_no_statement_is_neither_written_nor_read(said):
    with pytest.raises(ValueError, match=r".+"):
        enveloped(said, None)
    envelope = json.loads(enveloped(SAID, None))
    envelope["payload"] = base64.b64encode(json.dumps(said).encode()).decode()
    with pytest.raises(StoreError, match="it is no signed statement that can be read"):
        open_envelope(json.dumps(envelope).encode(), None, "it")
