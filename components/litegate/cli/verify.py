"""`litegate verify`: whether a registered version is what was signed, a line for each check."""

from __future__ import annotations

import os
import sys
import tempfile
from argparse import Namespace
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from typing import Any

from litegate.attestation.signing import public_key
from litegate.cli.output import answer
from litegate.cli.progress import Progress, showing_log
from litegate.cli.tracking import tracking
from litegate.errors import BadInput
from litegate.records import EvidenceRequest, VersionEvidence
from litegate.settings import Settings, executor, settings, warm_folder, workspace
from litegate.stack import Home, running
from litegate.storage.workspace import Workspace
from litegate.verification.check import Check, exit_code
from litegate.verification.verifying import Verifying

__all__ = ["verify"]

KEY = "LITEGATE_VERIFY_KEY"
_MARKS = {"good": "ok", "bad": "WRONG", "unknown": "?"}


def verify(home: Home, options: Namespace) -> int:
    """Check one version; returns the exit code.

    Raises:
        BadInput: there is no such version, or the key is none.
        StackError: no servers run in this home, and the environment names none.
    """
    path = options.key or os.environ.get(KEY)
    if path and options.allow_unsigned:
        raise BadInput("--allow-unsigned", "no key beside it", "one, which must have signed")
    key = public_key(Path(path)) if path else None
    request = EvidenceRequest(registry=options.model, alias=options.alias, version=options.version)
    with tracking(home) as mlflow, tempfile.TemporaryDirectory(prefix="litegate-") as scratch:
        folder = Path(scratch)
        # Asked again, the gate says of every variant what has been said before.
        with Progress(f"verifying {options.model}") as progress, _steps_shown(progress, options.rederive):
            found: VersionEvidence = mlflow.run("fetch_evidence", request)
            verifying = Verifying(
                found=found,
                fetch=mlflow.fetch,
                key=key,
                workspace=Workspace(_workspace(home), folder / "fetched"),
                folder=folder,
                places=_places(home, options.rederive),
                rederive=options.rederive,
                allow_unsigned=options.allow_unsigned,
            )
            checks = list(verifying.checks())
        server = mlflow.server
    code = exit_code(checks)
    answer(_as_json(found, checks, code, server), options.json, lambda: _show(found, checks))
    return code


def _steps_shown(progress: Progress, rederive: bool) -> AbstractContextManager[None]:
    """What is made again takes long, and says how far it is."""
    return showing_log(progress) if rederive else nullcontext()


def _workspace(home: Home) -> str:
    """That of the servers if they run, else the one that the environment names."""
    stack = running(home)
    return workspace(home.root) if stack is None else stack.workspace


def _places(home: Home, rederive: bool) -> Settings:
    """The Python environments: TensorFlow's is needed only where the file is made again."""
    if rederive:
        return settings(home.root)
    unused = home.root / "scratch"
    pythons = {"service": Path(sys.executable)}
    return Settings(str(unused), unused, unused, pythons, executor=executor(), warm=warm_folder(home.root))


def _as_json(found: VersionEvidence, checks: list[Check], code: int, server: str) -> dict[str, Any]:
    return {
        "registry": found.registry,
        "version": found.version,
        "variant": found.variant,
        "verified": code == 0,
        "checks": [{"name": check.name, "state": check.state, "said": check.said} for check in checks],
        "exit_code": code,
        "mlflow": server,
    }


def _show(found: VersionEvidence, checks: list[Check]) -> None:
    print(f"{found.registry} version {found.version}: {found.variant}")
    for check in checks:
        print(f"  {_MARKS[check.state]:<6} {check}")
    wrong, open_ = (sum(check.state == state for check in checks) for state in ("bad", "unknown"))
    said = [f"{count} {what}" for count, what in ((wrong, "wrong"), (open_, "not shown")) if count]
    print(f"not verified: {', '.join(said)}" if said else "verified")
