"""Runs the containers of a pod as a node does: in order, as processes with volumes, rights and variables of their own.

An image is this host's files, read-only. Each container gets mounts of its own, loses all capabilities, and has the
variables of its manifest alone. What a test wants to happen to a container happens in place of it, as `Fate` says.
"""

from __future__ import annotations

import os
import shlex
import shutil
import signal
import subprocess
import tempfile
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

__all__ = ["Fate", "RunningPod", "cannot_run"]

CHECKOUT = Path(__file__).parents[4]
"""What of this host's files the image would have wherever it lies: below /tmp a volume would cover it."""
SCRIPT = """
set -e
root=$1 image=$2; shift 2
mount -t tmpfs -o mode=755 root "$root"
for each in /*; do
    if [ "$each" = /litegate ]; then continue
    elif [ -L "$each" ]; then cp -P "$each" "$root$each"
    elif [ -d "$each" ]; then
        mkdir "$root$each"
        mount --rbind "$each" "$root$each"
        mount -o remount,bind,ro "$root$each" 2>&- || true
    fi
done
%s
if [ ! -e "$root$image/pyproject.toml" ]; then
    mkdir -p "$root$image"
    mount --rbind "$image" "$root$image"
    mount -o remount,bind,ro "$root$image" 2>&- || true
fi
mount -o remount,ro "$root"
exec chroot "$root" setpriv --bounding-set=-all --inh-caps=-all --no-new-privs -- "$@"
"""


def cannot_run() -> str:
    """Why containers cannot be run here; empty if they can."""
    if os.geteuid() != 0:
        return "only root makes mounts for containers"
    made = subprocess.run(["unshare", "--mount", "true"], capture_output=True, text=True, check=False)
    return made.stderr.strip()


@dataclass(frozen=True)
class Fate:
    """What becomes of a container that is not run.

    Attributes:
        pod: the pod's status from then on, where it ends with it.
    """

    code: int = 0
    reason: str = ""
    message: str = ""
    waiting: bool = False
    pod: Mapping[str, Any] = field(default_factory=dict)


class RunningPod:
    """One pod on its node; `manifest` with a `status` is what the API server shows."""

    def __init__(
        self,
        manifest: dict[str, Any],
        secrets: Mapping[str, Any],
        claims: Mapping[str, str],
        image: Mapping[str, str],
        fates: Mapping[str, Fate],
    ) -> None:
        self.manifest, self._secrets, self._claims, self._image, self._fates = manifest, secrets, claims, image, fates
        self.logs: dict[str, list[tuple[str, str]]] = {}
        self.changed = threading.Condition()
        self.processes: dict[str, subprocess.Popen[bytes]] = {}
        self._listeners: dict[str, threading.Thread] = {}
        self._volumes = Path(tempfile.mkdtemp(prefix="pod-"))
        self._deleted = threading.Event()
        self.status: dict[str, Any] = {"phase": "Pending", "initContainerStatuses": [], "containerStatuses": []}
        manifest["status"] = self.status
        manifest["spec"]["nodeName"] = "node-1"
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def delete(self) -> None:
        """End everything at once."""
        self._deleted.set()
        for process in [*self.processes.values()]:
            _kill(process)
        self._thread.join(30)
        shutil.rmtree(self._volumes, ignore_errors=True)

    def ended(self, container: str) -> bool:
        """Whether a container has said all that it will."""
        found = next((each for each in self._statuses() if each["name"] == container), None)
        return self._over() or (found is not None and "terminated" in found["state"])

    def _over(self) -> bool:
        return self._deleted.is_set() or self.status["phase"] in ("Succeeded", "Failed")

    def _statuses(self) -> list[dict[str, Any]]:
        return [*self.status["initContainerStatuses"], *self.status["containerStatuses"]]

    def _run(self) -> None:
        spec = self.manifest["spec"]
        done = all(self._runs(each, "initContainerStatuses") for each in spec["initContainers"])
        if done and not self._deleted.is_set():
            self.status["phase"] = "Running"
            done = all(self._runs(each, "containerStatuses") for each in spec["containers"])
        for process in [*self.processes.values()]:
            process.send_signal(signal.SIGTERM)
        for name, process in self.processes.items():
            process.wait(30)
            self._listeners[name].join(30)
        if not self._over() and not any("waiting" in each["state"] for each in self._statuses()):
            self.status["phase"] = "Succeeded" if done else "Failed"
        with self.changed:
            self.changed.notify_all()

    def _runs(self, container: Mapping[str, Any], where: str) -> bool:
        """Whether the next container may be started."""
        if self._deleted.is_set():
            return False
        status = _status(container)
        self.status[where].append(status)
        if container["name"] in self._fates:
            return self._meets(self._fates[container["name"]], status)
        process = self._start(container, status)
        if container.get("restartPolicy") == "Always":
            return self._awaits(container, process)
        code = process.wait()
        self._listeners[container["name"]].join(30)
        del self.processes[container["name"]]
        _terminate(status, code, "Completed" if code == 0 else "Error", self._last_words(container["name"]))
        return code == 0

    def _meets(self, fate: Fate, status: dict[str, Any]) -> bool:
        if fate.waiting:
            status["state"] = {"waiting": {"reason": fate.reason, "message": fate.message}}
            return False
        _terminate(status, fate.code, fate.reason, fate.message)
        self.status.update(fate.pod)
        return fate.code == 0 and not fate.pod

    def _start(self, container: Mapping[str, Any], status: dict[str, Any]) -> subprocess.Popen[bytes]:
        name = container["name"]
        command = self._command(container, [*container["command"], *container["args"]])
        process = subprocess.Popen(
            command,
            env=self._variables(container),
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
        self.processes[name] = process
        self.logs[name] = []
        self._listeners[name] = threading.Thread(target=self._listen, args=(name, process), daemon=True)
        self._listeners[name].start()
        status["state"] = {"running": {"startedAt": _now()}}
        return process

    def _awaits(self, container: Mapping[str, Any], process: subprocess.Popen[bytes]) -> bool:
        """The startup probe of a sidecar."""
        probe = self._command(container, container["startupProbe"]["exec"]["command"])
        for _ in range(600):
            if subprocess.run(probe, capture_output=True, check=False).returncode == 0:
                return True
            if process.poll() is not None or self._deleted.is_set():
                return False
            time.sleep(0.1)
        return False

    def _listen(self, name: str, process: subprocess.Popen[bytes]) -> None:
        assert process.stdout is not None
        with process.stdout as output:
            for line in output:
                with self.changed:
                    self.logs[name].append((_now(), line.decode(errors="replace").rstrip("\n")))
                    self.changed.notify_all()

    def _last_words(self, name: str) -> str:
        return "\n".join(line for _, line in self.logs[name][-80:])

    def _command(self, container: Mapping[str, Any], command: list[str]) -> list[str]:
        root = tempfile.mkdtemp(prefix="root-", dir=self._volumes)
        mounts = []
        for mount in sorted(container.get("volumeMounts", ()), key=lambda mount: mount["mountPath"]):
            folder = self._folder(mount["name"])
            target = shlex.quote(root + mount["mountPath"])
            mounts.append(f"mkdir -p {target}; mount --bind {shlex.quote(str(folder))} {target}")
            if mount.get("readOnly"):
                mounts.append(f"mount -o remount,bind,ro {target}")
        script = SCRIPT % "\n".join(mounts)
        return ["unshare", "--mount", "sh", "-c", script, "sh", root, str(CHECKOUT), *command]

    def _folder(self, volume: str) -> Path:
        """What a volume holds: nothing at first, or what was claimed, by its path."""
        claims = {each["name"]: each.get("persistentVolumeClaim") for each in self.manifest["spec"]["volumes"]}
        if claims[volume]:
            return Path(self._claims[claims[volume]["claimName"]])
        folder = self._volumes / volume
        folder.mkdir(exist_ok=True)
        return folder

    def _variables(self, container: Mapping[str, Any]) -> dict[str, str]:
        found = {"PATH": "/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin", **self._image}
        for each in container.get("env", ()):
            value = each.get("value")
            if value is None:
                key = each["valueFrom"]["secretKeyRef"]
                value = self._secrets[key["name"]].get(key["key"])
            if value is not None:
                found[each["name"]] = value
        return found


def _status(container: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "name": container["name"],
        "image": container["image"],
        "imageID": "",
        "ready": False,
        "restartCount": 0,
        "state": {"waiting": {"reason": "PodInitializing"}},
    }


def _terminate(status: dict[str, Any], code: int, reason: str, message: str) -> None:
    code = 128 - code if code < 0 else code
    ended = {"exitCode": code, "reason": reason, "message": message, "startedAt": _now(), "finishedAt": _now()}
    status["state"] = {"terminated": ended}


def _kill(process: subprocess.Popen[bytes]) -> None:
    if process.poll() is None:
        os.killpg(process.pid, signal.SIGKILL)


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")
