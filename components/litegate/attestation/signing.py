"""Statements in envelopes (DSSE), signed with a key that is a PEM file, or unsigned; and what an envelope holds.

https://github.com/secure-systems-lab/dsse/blob/v1.0.2/protocol.md; https://in-toto.io/Statement/v1
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from litegate.errors import BadInput, StoreError
from litegate.settings import SIGNING_KEY

if TYPE_CHECKING:
    from securesystemslib.signer import CryptoSigner, SSlibKey

__all__ = ["Opened", "Signed", "enveloped", "key_id", "open_envelope", "public_key", "short", "signer"]

PAYLOAD = "application/vnd.in-toto+json"
_KINDS = "a private key in PEM form (ed25519, or ECDSA on a NIST curve) without a password"
_PUBLIC = "a public key in PEM form (ed25519, or ECDSA on a NIST curve)"
_LARGEST = 1 << 24
_SHOWN = 12

Signed = Literal["good", "unsigned", "unchecked", "other_key", "bad"]
"""What a signature is worth: `unchecked`: there is one, and no key to check it with."""


@dataclass(frozen=True)
class Opened:
    """An envelope that was opened: what it says, and whether the key at hand has signed that.

    Attributes:
        statement: the statement, which nobody vouches for unless `signed` is `good`.
        by: ids of the keys that the envelope names.
    """

    statement: Mapping[str, Any]
    signed: Signed
    by: tuple[str, ...] = ()


def signer() -> CryptoSigner | None:
    """What signs, by the key that `LITEGATE_SIGNING_KEY` names or holds; None if it is not set.

    Raises:
        BadInput: it cannot be read, or is no key that signs.
    """
    named = os.environ.get(SIGNING_KEY, "").strip()
    if not named:
        return None
    from cryptography.exceptions import UnsupportedAlgorithm
    from cryptography.hazmat.primitives.serialization import load_pem_private_key
    from securesystemslib.signer import CryptoSigner

    content = named.encode() if named.startswith("-----") else _read(SIGNING_KEY, Path(named), _KINDS)
    try:
        private: Any = load_pem_private_key(content, None)
        return CryptoSigner(private)
    except (ValueError, TypeError, UnsupportedAlgorithm):  # whose words might tell something of the key
        raise BadInput(SIGNING_KEY, _KINDS, "something else") from None


def public_key(path: Path) -> SSlibKey:
    """The key that signatures are checked with.

    Raises:
        BadInput: the file cannot be read, or holds no public key.
    """
    from cryptography.exceptions import UnsupportedAlgorithm
    from cryptography.hazmat.primitives.serialization import load_pem_public_key
    from securesystemslib.signer import SSlibKey

    content = _read("--key", path, _PUBLIC)
    try:
        found: Any = load_pem_public_key(content)
        return SSlibKey.from_crypto(found)
    except (ValueError, TypeError, UnsupportedAlgorithm):
        got = "a private key, which stays where it is made" if b"PRIVATE KEY" in content else "something else"
        raise BadInput(f"--key {path}", _PUBLIC, got) from None


def key_id(by: CryptoSigner | None) -> str:
    """How the public half of a key is called; `unsigned` where there is none."""
    return "unsigned" if by is None else str(by.public_key.keyid)


def enveloped(statement: Mapping[str, Any], by: CryptoSigner | None) -> str:
    """A statement in its envelope, as JSON; without a signature where nobody signs."""
    from securesystemslib.dsse import Envelope

    _check(statement)
    payload = json.dumps(statement, sort_keys=True, separators=(",", ":"), allow_nan=False).encode()
    envelope = Envelope(payload, PAYLOAD, {})
    if by is not None:
        envelope.sign(by)
    return json.dumps(envelope.to_dict(), sort_keys=True)


def open_envelope(content: bytes, key: SSlibKey | None, where: str) -> Opened:
    """What an envelope says, and whether `key` has signed it.

    Args:
        where: names the envelope, for the message.

    Raises:
        StoreError: it is no envelope with a statement.
    """
    from securesystemslib.dsse import Envelope
    from securesystemslib.exceptions import Error

    try:
        if len(content) > _LARGEST:
            raise ValueError(f"at most {_LARGEST:,} bytes expected, got {len(content):,}")
        envelope = Envelope.from_dict(json.loads(content))
        if envelope.payload_type != PAYLOAD:
            raise ValueError(f"expected {PAYLOAD}, got {envelope.payload_type!r:.100}")
        statement = json.loads(envelope.payload)
        _check(statement)
    except (Error, ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        said = f"{type(error).__name__}: {str(error)[:200]}"
        raise StoreError(f"{where} is no signed statement that can be read: {said}") from None
    return Opened(statement, _signed(envelope, key), tuple(str(keyid) for keyid in envelope.signatures))


def short(keyid: str) -> str:
    """The beginning of a key's id, as people compare it."""
    return keyid[:_SHOWN]


def _signed(envelope: Any, key: SSlibKey | None) -> Signed:
    from securesystemslib.exceptions import Error

    if not envelope.signatures:
        return "unsigned"
    if key is None:
        return "unchecked"
    if key.keyid not in envelope.signatures:
        return "other_key"
    try:
        envelope.verify([key], 1)
    except (Error, ValueError):
        return "bad"
    return "good"


def _check(statement: Mapping[str, Any]) -> None:
    """That it is a statement, by in-toto's own library.

    Raises:
        ValueError: it is none.
    """
    from google.protobuf.json_format import ParseDict, ParseError
    from in_toto_attestation.v1.statement import Statement
    from in_toto_attestation.v1.statement_pb2 import Statement as Message

    try:
        Statement.copy_from_pb(ParseDict(dict(statement), Message())).validate()
    except ParseError as error:
        raise ValueError(f"it is no in-toto statement: {str(error)[:200]}") from None


def _read(where: str, path: Path, expected: str) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise BadInput(f"{where} {path}", f"a file with {expected}", str(error.strerror)) from None
