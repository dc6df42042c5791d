"""A host: a name and a folder of its own, in which it does not see those of the others.

Its processes run in namespaces of their own (util-linux' `unshare`): another host name, and mounts in which the folders
of the other hosts do not exist. What two hosts have in common they have through servers.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

__all__ = ["Host"]

# The folder of all hosts is covered by an empty one, in which this host's own is put back.
_ENTER = """\
set -eu
name=$1 all=$2
shift 2
hostname "$name"
cd "$all/$name"
mount -t tmpfs none "$all"
mkdir "$all/$name"
mount -c --bind . "$all/$name"
cd "$all/$name"
exec "$@"
"""


@dataclass(frozen=True)
class Host:
    """One host; `folder` is its own, below that of all hosts."""

    name: str
    folder: Path

    @classmethod
    def among(cls, hosts: Path, name: str) -> Host:
        """A new host with an empty folder."""
        folder = hosts / name
        for each in (folder, folder / "tmp"):
            each.mkdir(mode=0o700, parents=True)
        return cls(name, folder)

    def command(self, *command: str) -> tuple[str, ...]:
        """A command as it is run on the host."""
        user = () if os.geteuid() == 0 else ("--user", "--map-root-user")
        enter = ("sh", "-c", _ENTER, "sh", self.name, str(self.folder.parent))
        return ("unshare", *user, "--uts", "--mount", *enter, *command)
