"""`litegate get`: the file of a registered version, checked, in a folder of one's own."""

from __future__ import annotations

from argparse import Namespace
from pathlib import Path
from typing import Any

from litegate.cli.output import answer
from litegate.cli.tracking import Tracking, tracking
from litegate.digest import digest_file, verified
from litegate.errors import BadInput
from litegate.records import FileRef, RegisteredFile, VersionRequest
from litegate.stack import Home
from litegate.storage.protocol import BLOCK
from litegate.storage.whole_files import write_whole

__all__ = ["get"]


def get(home: Home, options: Namespace) -> int:
    """Fetch the file of one version; returns the exit code.

    Raises:
        BadInput: there is no such version, or another file is where it is to be.
        StepFailed: MLflow holds other bytes than those that were judged; nothing is written.
    """
    alias = None if options.version or options.variant else options.alias or "champion"
    request = VersionRequest(registry=options.model, version=options.version, alias=alias, variant=options.variant)
    with tracking(home) as mlflow:
        found: RegisteredFile = mlflow.run("fetch_version", request)
        path, new = _place(mlflow, found.file, options.output.resolve(), options.force)
    answer(_as_json(found, path, new, mlflow.server), options.json, lambda: _show(found, path, new))
    return 0


def _place(mlflow: Tracking, file: FileRef, folder: Path, force: bool) -> tuple[Path, bool]:
    """Where the file is now, and whether it was not there before."""
    path = folder / Path(file.name).name
    if path.is_file() and digest_file(path) == file.digest:
        return path, False
    if path.exists() and not (force and path.is_file()):
        raise BadInput(str(path), "no file, or this one", "another one; --force replaces it")
    folder.mkdir(parents=True, exist_ok=True)
    with mlflow.fetch(file).open("rb") as source:
        write_whole(path, verified(iter(lambda: source.read(BLOCK), b""), file.digest))
    return path, True


def _as_json(found: RegisteredFile, path: Path, new: bool, server: str) -> dict[str, Any]:
    return found.to_json() | {"path": str(path), "new": new, "mlflow": server}


def _show(found: RegisteredFile, path: Path, new: bool) -> None:
    aliases = f", {', '.join(found.aliases)}" if found.aliases else ""
    also = [variant for variant in found.variants if variant != found.variant]
    same = f" (the same bytes as {', '.join(also)})" if also else ""
    print(f"{found.registry} version {found.version}{aliases}: {found.variant}{same}")
    rows = {
        "file": f"{path}{'' if new else ', which was there already'}",
        "size": f"{found.file.bytes:,} bytes",
        "sha256": found.file.digest,
        "verdict": found.verdict,
        "run": found.mlflow_run,
    }
    for name, text in rows.items():
        if text:
            print(f"  {name:<8} {text}")
