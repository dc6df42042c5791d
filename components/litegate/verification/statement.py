"""The statement of a version: whether it is signed, and whether the version, its files and its bill are those it names.

Pure functions of what was fetched; only files are read.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from litegate.attestation.signing import Opened, short
from litegate.attestation.statements import VERSION
from litegate.digest import digest_file, digest_json
from litegate.errors import StoreError
from litegate.records import AttestedVersion, FileRef, VersionEvidence, unreadable
from litegate.tracking import notes, registry
from litegate.verification.check import Check, bad, good, unknown

__all__ = ["Said", "bill", "files", "read_statement", "signature", "subject"]

Fetch = Callable[[FileRef], Path]


@dataclass(frozen=True)
class Said:
    """What a statement says.

    Attributes:
        subjects: by name, the SHA-256 of the files that ship.
        spec_digest: of the spec as it was stated; the record has by default what later releases have added.
    """

    version: AttestedVersion
    subjects: Mapping[str, str]
    spec_digest: str

    @property
    def file(self) -> tuple[str, str]:
        """Name and digest of the .tflite itself."""
        return next((name, digest) for name, digest in self.subjects.items() if "/" not in name)


def read_statement(opened: Opened) -> Said:
    """The statement as records.

    Raises:
        StoreError: it is not about a version, or not in a form that this release knows.
    """
    found = opened.statement
    if found["predicateType"] != VERSION:
        raise StoreError(f"expected a statement of type {VERSION}, got {found['predicateType']!r:.100}")
    try:
        subjects = {str(each["name"]): str(each["digest"]["sha256"]) for each in found["subject"]}
        spec_digest = digest_json(found["predicate"]["spec"])
        said = Said(AttestedVersion.model_validate(found["predicate"]), subjects, spec_digest)
        _ = said.file
    except (ValueError, KeyError, TypeError, StopIteration) as error:
        raise StoreError(f"what it says cannot be read: {unreadable(error)}") from None
    return said


def signature(opened: Opened, asked: bool, allow_unsigned: bool) -> Check:
    """Who has signed it.

    Args:
        asked: whether there is a key that must have signed it.
        allow_unsigned: whether none will do.
    """
    name, by = "signature", ", ".join(f"{short(keyid)}..." for keyid in opened.by)
    match opened.signed:
        case "good":
            return good(name, f"good (key {by})")
        case "unsigned" if allow_unsigned and not asked:
            return good(name, "none, as --allow-unsigned allows: whoever can write to MLflow may have written it")
        case "unsigned":
            return (bad if asked else unknown)(name, "not signed")
        case "unchecked":
            return unknown(name, f"by key {by}, not checked: --key names the public key")
        case "other_key":
            return bad(name, f"by another key ({by}) than the one that --key names")
        case _:
            return bad(name, f"does not fit what was signed (key {by}): signature or statement was changed")


def subject(found: VersionEvidence, said: Said, envelope: str) -> Check:
    """Whether the statement is about this very version.

    Args:
        envelope: digest of the stored envelope.
    """
    name, version, where = "statement", said.version, f"{found.registry} version {found.version}"
    wrong = list(_contradictions(found, said, envelope))
    if wrong:
        return bad(name, f"is not that of {where}: {'; '.join(wrong)}")
    return good(name, f"about {where}, {version.variant} made by {version.engine} of {version.source.uri}")


def _contradictions(found: VersionEvidence, said: Said, envelope: str) -> Iterator[str]:
    version, tags = said.version, found.tags
    yield from _differs("it names the model", version.model, found.registry)
    yield from _differs("it names the variant", version.variant, found.variant)
    yield from _differs("the file's digest in the registry is", tags.get(registry.DIGEST), said.file[1])
    yield from _differs("the verdict in the registry is", tags.get(registry.STATE), registry.PASSED)
    yield from _differs("the verdict in it is", version.verdict.state, registry.PASSED)
    yield from _differs("its verdict is about", version.verdict.digest, said.file[1])
    yield from _differs("the digest of the statement in the registry is", tags.get(registry.STATEMENT), envelope)
    yield from _differs("its run is", version.runs.get("variant"), found.mlflow_run)
    yield from _differs("its spec has the digest", said.spec_digest, version.spec_digest)


def _differs(what: str, got: object, expected: object) -> Iterator[str]:
    if got != expected:
        yield f"{what} {got!s:.100}, expected {expected!s:.100}"


def files(found: VersionEvidence, said: Said, fetch: Fetch) -> Iterator[Check]:
    """The bytes of all files that ship."""
    own, digest = said.file
    yield _stored("file", own, found.file, digest, fetch)
    for name, digest in sorted(said.subjects.items()):
        if name != own:
            yield _stored(name, name, found.artifacts.get(name), digest, fetch)


def bill(found: VersionEvidence, said: Said, fetch: Fetch) -> Check:
    """The bill of materials."""
    return _stored("bill of materials", notes.BOM, found.artifacts.get(notes.BOM), said.version.bom, fetch)


def _stored(what: str, name: str, file: FileRef | None, digest: str, fetch: Fetch) -> Check:
    if file is None:
        return unknown(what, f"{name} is not there any more")
    stored = digest_file(fetch(file))
    if stored != digest:
        return bad(what, f"{name} was changed: {file.bytes:,} bytes of digest {stored}, signed was {digest}")
    return good(what, f"{name}, {file.bytes:,} bytes, as stated")
