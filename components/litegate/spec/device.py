"""A real device whose word counts in place of a runtime's of this host, and where its evidence lies."""

from __future__ import annotations

import re

from pydantic import Field, field_validator

from litegate.spec.section import Section, address

__all__ = ["Device"]


class Device(Section):
    """A real device that ran the files elsewhere: its outputs are judged, as `litegate evidence add` has stored them.

    A file of which there is no evidence fails; float32 alone is run by the host then.
    """

    name: str = Field(
        pattern=r"^[a-z0-9][a-z0-9_.-]{0,63}$",
        description="Names the device, whose runtime is then `device:<name>`. Lower-case letters, digits, `-`, `_` and "
        "`.`.",
    )
    evidence: str = address("The folder in which `litegate evidence add` stores what the device gave.")

    @field_validator("evidence")
    @classmethod
    def _is_one_folder(cls, value: str) -> str:
        if "*" in value or "?" in value:
            raise ValueError("a folder, without `*` and `?`")
        return value.rstrip("/") or "/"

    @staticmethod
    def digest_in(name: str) -> str | None:
        """Of which file the evidence of a name is, relative to the folder; None for what lies there otherwise."""
        digest = name.partition("/")[0]
        return digest if re.fullmatch("[0-9a-f]{64}", digest) else None

    @property
    def everything(self) -> str:
        """Address, with a wildcard, of the evidence of all files."""
        return self.address_of("*")

    def address_of(self, digest: str) -> str:
        """Where the evidence of a file lies.

        Args:
            digest: SHA-256 of the file.
        """
        return f"{self.evidence}/{digest}/{self.name}.npz"
