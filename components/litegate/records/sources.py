"""What users bring, pinned by digests: the model, the datasets, their code."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import Field, SerializationInfo, SerializerFunctionWrapHandler, model_serializer

from litegate.records.base import KEYED, FileRef, Record
from litegate.records.fields import Digest
from litegate.spec import Detection, Format

__all__ = ["DataRef", "FilesRef", "Judged", "ModelRef", "UserCode"]


class ModelRef(Record):
    """The source model, pinned.

    Attributes:
        uri: the file or folder itself, where the spec's address stands for many versions.
        digest: SHA-256 of a model that is one file, or `litegate.digest.digest_tree` of a SavedModel's files.
        files: all of them.
    """

    uri: str
    format: Literal["saved_model", "keras", "h5", "tflite"]
    digest: Digest
    files: tuple[FileRef, ...]


class FilesRef(Record):
    """Objects at an address, pinned: `manifest` lists them with sizes and versions, `digest` covers it."""

    uri: str
    digest: Digest
    manifest: FileRef


class DataRef(FilesRef):
    """A dataset, pinned, whose samples litegate reads itself.

    Attributes:
        label: name of the field that holds the label.
        features: fields by input name, where the spec names them.
        group: name of the field that says which samples belong together; for images, what finds it in their paths.
        slices: names of the fields whose values are slices; for images, what finds them in their paths.
        besides: names of fields that feed no input, though none of this dataset is read from them.
        classes: the order of the class folders, where the spec names it.
    """

    format: Format
    label: str = "label"
    features: dict[str, str | list[str]] = Field(default_factory=dict)
    group: str | None = None
    slices: tuple[str, ...] = ()
    besides: tuple[str, ...] = ()
    classes: tuple[str, ...] = ()


class UserCode(Record):
    """The user's `package.module:function`, where it is searched, and the digest of its source.

    The digest says all that a result depends on: workers whose spec files are in different folders, and who have the
    same code, find each other's results.
    """

    reference: str
    folder: str
    digest: Digest

    @model_serializer(mode="wrap")
    def _without_its_place(self, whole: SerializerFunctionWrapHandler, info: SerializationInfo) -> dict[str, Any]:
        found: dict[str, Any] = whole(self)
        if info.context == KEYED:
            del found["folder"]
        return found


class Judged(Record):
    """Which of a model's outputs a metric judges, and how.

    Attributes:
        output: name of the only one; None where the model has no other, or the metric sees all of them.
        detection: names of the outputs of a detector.
        decoder: the user's function that makes texts of an output and a label.
    """

    output: str | None = None
    detection: Detection | None = None
    decoder: UserCode | None = None
