"""An S3 server: Ceph's gateway over one monitor and one object store, each a process on loopback.

The least of a cluster that Ceph's own documentation for manual deployment knows, with one copy of each object: real in
what it does with requests, and no example of how to keep data.
"""

from __future__ import annotations

import json
import secrets
import subprocess
import uuid
from dataclasses import dataclass
from pathlib import Path

import httpx

from deploy.distributed.programs import Programs
from deploy.distributed.server import Server, free_port, listens

__all__ = ["Ceph", "Keys"]

_CONFIGURATION = """\
[global]
fsid = {fsid}
keyring = {folder}/keyring
mon initial members = a
mon host = [v2:127.0.0.1:{monitor}]
public network = 127.0.0.0/8
auth cluster required = cephx
auth service required = cephx
auth client required = cephx
osd pool default size = 1
osd pool default min size = 1
osd pool default pg num = 8
osd pool default pg autoscale mode = off
osd crush chooseleaf type = 0
mon allow pool size one = true
run dir = {folder}/run
admin socket =
log file = {folder}/$name.log
{plugins}
[mon.a]
mon data = {folder}/mon
[osd.0]
osd data = {folder}/osd
bluestore block size = {size}
osd memory target = 939524096
[client.rgw]
rgw frontends = beast endpoint=127.0.0.1:{gateway}
rgw data = {folder}/rgw
rgw sts key = {sts}
rgw s3 auth use sts = true
"""
_SIZE = 8 << 30
"""Of the object store, in bytes: a sparse file."""
_PLUGINS = {"plugin dir": "ceph", "erasure code dir": "ceph/erasure-code", "osd class dir": "rados-classes"}


@dataclass(frozen=True)
class Keys:
    """A user's keys."""

    access: str
    secret: str


class Ceph:
    """The cluster; `url` is where S3 answers.

    Attributes:
        monitor: the server that is started first; then the object store is made.
        others: the object store's server and the gateway.
    """

    def __init__(self, programs: Programs, folder: Path) -> None:
        self._programs, self._folder = programs, folder
        self._monitor, self.gateway, self._fsid = free_port(), free_port(), str(uuid.uuid4())
        self.url = f"http://127.0.0.1:{self.gateway}"
        for name in ("mon", "osd", "rgw", "run"):
            (folder / name).mkdir(mode=0o700, parents=True)
        self._configure()
        self._make()
        options = {"ceph-mon": ("-i", "a"), "ceph-osd": ("-i", "0"), "radosgw": ("-n", "client.rgw")}
        ready = {"ceph-mon": lambda: listens(self._monitor), "ceph-osd": lambda: True, "radosgw": self._answers}
        self.monitor, *self.others = [
            Server(
                name,
                (programs(name), "-c", self._file, "-f", *options[name]),
                programs.environment,
                folder,
                folder / f"{name}.out",
                ready[name],
            )
            for name in options
        ]

    @property
    def _file(self) -> str:
        return str(self._folder / "ceph.conf")

    def make_store(self) -> None:
        """Make the object store, for which the monitor has to run."""
        keyring = str(self._folder / "keyring")
        self._run("ceph-osd", "-i", "0", "--mkfs", "--osd-uuid", str(uuid.uuid4()), "--keyring", keyring)

    def user(self, name: str) -> Keys:
        """Make a user; the keys are made by Ceph, so that they are in no command line."""
        made = self._run(
            "radosgw-admin", "-n", "client.rgw", "user", "create", f"--uid={name}", f"--display-name={name}"
        )
        (keys,) = json.loads(made)["keys"]
        return Keys(keys["access_key"], keys["secret_key"])

    def _configure(self) -> None:
        found = {name: self._programs.libraries(below) for name, below in _PLUGINS.items()}
        plugins = "\n".join(f"{name} = {places[0]}" for name, places in found.items() if places)
        text = _CONFIGURATION.format(
            fsid=self._fsid,
            folder=self._folder,
            monitor=self._monitor,
            gateway=self.gateway,
            size=_SIZE,
            sts=secrets.token_hex(8),
            plugins=plugins,
        )
        Path(self._file).touch(mode=0o600)
        Path(self._file).write_text(text)

    def _make(self) -> None:
        """Keys, and the monitor's map and store."""
        keyring, monitors = str(self._folder / "keyring"), str(self._folder / "monmap")
        self._tool("ceph-authtool", "--create-keyring", keyring, "--gen-key", "-n", "mon.", "--cap", "mon", "allow *")
        for name in ("client.admin", "client.rgw", "osd.0"):
            everything = ("--cap", "mon", "allow *", "--cap", "osd", "allow *")
            self._tool("ceph-authtool", keyring, "--gen-key", "-n", name, *everything)
        address = f"[v2:127.0.0.1:{self._monitor}]"
        self._tool("monmaptool", "--create", "--addv", "a", address, "--fsid", self._fsid, monitors)
        self._run("ceph-mon", "--mkfs", "-i", "a", "--monmap", monitors, "--keyring", keyring)

    def _run(self, program: str, *arguments: str) -> str:
        return self._tool(program, "-c", self._file, *arguments)

    def _tool(self, program: str, *arguments: str) -> str:
        command = [self._programs(program), *arguments]
        done = subprocess.run(command, env=self._programs.environment, capture_output=True, text=True, check=False)
        if done.returncode:
            raise RuntimeError(f"{program} {arguments[0]}: exit code {done.returncode}\n{done.stderr[-2000:]}")
        return done.stdout

    def _answers(self) -> bool:
        try:
            return httpx.get(self.url, timeout=2, trust_env=False).is_success
        except httpx.HTTPError:
            return False
