"""The folder that a comparison fills.

<model>-<variant>.tflite               the baseline, and each variant that passed
not_passed/<model>-<variant>.tflite    the other variants
firmware/<model>_<variant>.h, .c       the selected one as C source, for a microcontroller or an Ethos-U
firmware/<model>-<variant>_vela.tflite the same as a file, where Arm's compiler made another one of it
report.html                            the page that shows all of it
result.json                            the `Comparison`
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from litegate.errors import BadInput
from litegate.presentation.c_source import compiled_name, firmware_files, identifier
from litegate.records import Candidate, Comparison
from litegate.storage.whole_files import write_whole
from litegate.variants import VARIANTS

__all__ = ["Folder"]

_BLOCK = 1 << 20
_FIRMWARE = "firmware"


class Folder:
    """Writes what a comparison came to, each file whole or not at all.

    Args:
        path: the folder.
        model: the model's name, which the names of its files begin with.

    Raises:
        BadInput: there is something at the path that is no folder.
    """

    def __init__(self, path: Path, model: str) -> None:
        if path.exists() and not path.is_dir():
            raise BadInput("--out", "a folder", f"the file {path}")
        self.path, self.model = path, model
        self.report, self.result = path / "report.html", path / "result.json"

    def clear(self, others: Iterable[str] = ()) -> None:
        """Remove what an earlier comparison left: nobody is to take it for what this one came to.

        Args:
            others: names of files beside those of litegate's variants.
        """
        names = [f"{self.model}-{variant}" for variant in (*VARIANTS, *others)]
        files = [f"{folder}{name}.tflite" for name in names for folder in ("", "not_passed/")]
        sources = [f"{_FIRMWARE}/{identifier(name)}{ending}" for name in names for ending in (".h", ".c")]
        sources += [f"{_FIRMWARE}/{compiled_name(name)}" for name in names]
        for name in (*files, *sources, self.report.name, self.result.name):
            (self.path / name).unlink(missing_ok=True)

    def add(self, candidate: Candidate, source: Path, passed: bool) -> Path:
        """Copy a variant's file to where it belongs; returns its path."""
        folder = self.path if passed else self.path / "not_passed"
        target = folder / f"{self.model}-{candidate.artifact.variant}.tflite"
        with source.open("rb") as file:
            write_whole(target, iter(lambda: file.read(_BLOCK), b""))
        return target

    def add_firmware(self, candidate: Candidate, file: Path) -> None:
        """What a variant's firmware is made with.

        Args:
            file: the one that the device gets.
        """
        name = f"{self.model}-{candidate.artifact.variant}"
        for named, content in firmware_files(name, candidate, file.read_bytes()).items():
            write_whole(self.path / _FIRMWARE / named, iter((content,)))

    def write(self, comparison: Comparison, report: str) -> None:
        """The report, and the result last: where it is, all else is."""
        write_whole(self.report, iter((report.encode(),)))
        write_whole(self.result, iter(((comparison.model_dump_json(indent=2) + "\n").encode(),)))
