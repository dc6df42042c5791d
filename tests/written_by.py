"""Homes that older litegates have written, unpacked: see `tests/fixtures/written_by`."""

from __future__ import annotations

import tarfile
from dataclasses import dataclass
from pathlib import Path

FOLDER = Path(__file__).parent / "fixtures" / "written_by"
COMMITS = ("732c598", "8e0b4c8", "08ca491")
"""The oldest first."""
SIGNED = "08ca491"
"""Of those, the one whose versions are signed; `public.pem` is beside its data."""

_THERE = "/srv/litegate"


@dataclass(frozen=True)
class Written:
    """What an older litegate left.

    Attributes:
        commit: of the older litegate.
        folder: with `data` and `home`.
    """

    commit: str
    folder: Path

    @property
    def data(self) -> Path:
        """Model, datasets and spec files."""
        return self.folder / "data"

    @property
    def home(self) -> Path:
        """What its servers left, without secrets."""
        return self.folder / "home"


def unpacked(commit: str, folder: Path) -> Written:
    """What a commit's litegate wrote; its spec files name the files where they are now."""
    with tarfile.open(FOLDER / f"{commit}.tar.xz") as packed:
        packed.extractall(folder, filter="tar")
    (folder / "litegate").rename(folder / "home")
    for spec in (folder / "data").glob("*.yaml"):
        spec.write_text(spec.read_text().replace(_THERE, str(folder)))
    return Written(commit, folder)
