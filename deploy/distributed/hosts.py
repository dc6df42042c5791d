"""A host: a name and a folder of its own, in which it does not see those of the others.

Its processes run in namespaces of its own (util-linux' `unshare` and `nsenter`): another host name, and mounts in which
the folders of the other hosts do not exist. What two hosts have in common they have through servers.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

from deploy.distributed.server import Server

__all__ = ["Host"]

# The folder of all hosts is covered by an empty one, in which this host's own is put back.
_BOOT = """\
set -eu
name=$1 all=$2
hostname "$name"
cd "$all/$name"
mount -t tmpfs none "$all"
mkdir "$all/$name"
mount -c --bind . "$all/$name"
touch booted
exec sleep infinity
"""


@dataclass(frozen=True)
class Host:
    """One host.

    Attributes:
        folder: its own, below that of all hosts.
        server: the process that its namespaces belong to.
    """

    name: str
    folder: Path
    server: Server

    @classmethod
    def booted(cls, hosts: Path, name: str) -> Host:
        """A new host with an empty folder."""
        folder = hosts / name
        for each in (folder, folder / "tmp"):
            each.mkdir(mode=0o700, parents=True)
        user = () if os.geteuid() == 0 else ("--user", "--map-root-user")
        boot = ("unshare", *user, "--uts", "--mount", "sh", "-c", _BOOT, "sh", name, str(hosts))
        server = Server(f"host {name}", boot, os.environ, hosts, folder / "boot.log", (folder / "booted").exists)
        server.start()
        server.wait_until_ready()
        return cls(name, folder, server)

    def command(self, *command: str) -> tuple[str, ...]:
        """A command as it is run on the host."""
        assert self.server.process is not None
        user = () if os.geteuid() == 0 else ("--user", "--preserve-credentials")
        enter = ("nsenter", f"--target={self.server.process.pid}", *user, "--uts", "--mount", f"--wdns={self.folder}")
        return (*enter, "--", *command)
