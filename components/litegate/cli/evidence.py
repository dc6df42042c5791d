"""`litegate evidence`: what a real device is to run, and what it gave."""

from __future__ import annotations

import os
import shlex
from argparse import Namespace
from pathlib import Path

from litegate.cli.init import use_home
from litegate.cli.output import answer
from litegate.cli.progress import Progress, showing_log
from litegate.device.adding import Added, add
from litegate.device.asking import Given, give_out
from litegate.pipeline.on_device import DeviceRun
from litegate.presentation import wording
from litegate.records import ResolveRequest
from litegate.settings import settings
from litegate.spec import load_spec
from litegate.stack import Home

__all__ = ["add_evidence", "request_evidence"]


def request_evidence(home: Home, options: Namespace) -> int:
    """Write what a device is to run; returns the exit code.

    Raises:
        BadInput: the spec, the model or the data cannot be used, or the spec has no device.
        StepFailed: a file cannot be made.
    """
    use_home(home)
    run = _run(options.spec, options.variants)
    with Progress(f"making what {', '.join(run.variants)} need") as progress, showing_log(progress):
        given = give_out(run, options.folder.absolute())
    found = {
        "device": given.device,
        "files": {name: {"path": str(path), "digest": digest} for name, (path, digest) in given.files.items()},
        "samples": {"path": str(given.samples), "count": given.count},
        "script": str(given.script),
    }
    answer(found, options.json, lambda: _say_given(given, options.spec))
    return 0


def add_evidence(home: Home, options: Namespace) -> int:
    """Check what a device gave, and store it; returns the exit code.

    Raises:
        BadInput: it is not what the device was asked for; nothing was stored.
        StepFailed: the file cannot be made.
    """
    use_home(home)
    run = _run(options.spec, [options.variant])
    with Progress(f"looking at {options.file}") as progress, showing_log(progress):
        added = add(run, options.file, options.replace)
    evidence = added.evidence
    median, late = evidence.milliseconds
    found = {
        "device": evidence.device,
        "variant": added.variant,
        "artifact": evidence.artifact,
        "runtime": evidence.runtime,
        "samples": len(evidence.id),
        "latency_ms": median,
        "latency_p95_ms": late,
        "uri": added.uri,
        "new": added.new,
    }
    answer(found, options.json, lambda: _say_added(added, options.spec))
    return 0


def _run(path: Path, variants: list[str]) -> DeviceRun:
    request = ResolveRequest(spec=load_spec(path), folder=str(path.resolve().parent))
    return DeviceRun(request, settings(), variants)


def _say_given(given: Given, spec: Path) -> None:
    for name, (path, digest) in given.files.items():
        print(f"{name}: {path} ({digest[:12]})")
    print(f"samples: {given.samples}, {given.count:,} of them")
    print("\nOn the device, with ai-edge-litert, in that folder:")
    for name, (path, _) in given.files.items():
        evidence = f"{name}-{given.device}.npz"
        print(f"  python {given.script.name} {path.name} {given.samples.name} --device {given.device} -o {evidence}")
    print("Then here:")
    for name in given.files:
        print(f"  litegate evidence add {_quoted(spec)} {name} {name}-{given.device}.npz")


def _say_added(added: Added, spec: Path) -> None:
    evidence, (median, late) = added.evidence, map(wording.milliseconds, added.evidence.milliseconds)
    print(f"device:{evidence.device} ran {added.variant} ({evidence.artifact[:12]}) on {len(evidence.id):,} samples")
    print(f"  by    {evidence.runtime}")
    print(f"  time  median {median} ms, 95 % within {late} ms")
    print(f"  kept  {added.uri}{'' if added.new else ', which was there already'}")
    print(f"next: litegate compare {_quoted(spec)}")


def _quoted(path: Path) -> str:
    return shlex.quote(os.path.relpath(path))
