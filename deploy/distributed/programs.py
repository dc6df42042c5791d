"""Where the programs of PostgreSQL, Redis and Ceph are, and what they are started with."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

__all__ = ["Missing", "Programs"]

_SCRIPT = Path(__file__).with_name("programs.sh")


class Missing(Exception):
    """A server's program is not there, and could not be had."""


@dataclass(frozen=True)
class Programs:
    """The folders of the programs, and of the libraries that are not the system's."""

    folders: tuple[Path, ...]

    @classmethod
    def found(cls) -> Programs:
        """Those of the system, or of Debian's packages, which are fetched if need be.

        Raises:
            Missing: neither is to be had; the message says why.
        """
        done = subprocess.run(["sh", str(_SCRIPT)], stdout=subprocess.PIPE, text=True, check=False)
        if done.returncode:
            raise Missing(f"{_SCRIPT.name} found no PostgreSQL, Redis and Ceph: see the lines above")
        return cls(tuple(Path(line).absolute() for line in done.stdout.splitlines()))

    def __call__(self, name: str) -> str:
        """The path of a program.

        Raises:
            Missing: it is in none of the folders.
        """
        for folder in self.folders:
            if (folder / name).exists():
                return str(folder / name)
        raise Missing(f"expected {name} in one of {', '.join(map(str, self.folders))}, got none")

    @property
    def environment(self) -> Mapping[str, str]:
        """What they need to find the libraries that were unpacked with them."""
        folders = (*self.libraries(), *self.libraries("ceph"))
        return os.environ | {"LD_LIBRARY_PATH": ":".join(map(str, folders))}

    def libraries(self, below: str = "") -> list[Path]:
        """Folders of the libraries that were unpacked, or a folder in each of them; not the system's own."""
        roots = {folder.parents[1] for folder in self.folders if folder.parent.name == "usr"} - {Path("/")}
        places = (each for root in sorted(roots) for each in sorted(root.glob(f"**/lib/*-linux-gnu/{below}")))
        return [each for each in places if each.is_dir()]
