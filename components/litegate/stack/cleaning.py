"""What processes that were killed have left in a home: a start removes it.

That is folders of steps, temporary files, and runs that MLflow still calls RUNNING. What a living process
works on stays: it holds a lock on its folder or file, see `litegate.storage.scratch`.
"""

from __future__ import annotations

import logging
import platform
import re
import shutil
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import httpx

from litegate.stack.home import Home
from litegate.stack.http import no_certificates
from litegate.stack.state import Stack
from litegate.steps import STEPS
from litegate.storage.opening import local_path
from litegate.storage.scratch import TEMPORARY, WRITER_TAG, abandoned, is_held

__all__ = ["clean_files", "end_dead_runs"]

log = logging.getLogger("litegate")

_STEP_FOLDER = re.compile(rf"({'|'.join(STEPS)})-[A-Za-z0-9_]+")
_PAGE = 1000


def clean_files(home: Home, stack: Stack) -> int:
    """Remove folders and temporary files that nobody works on; returns how many."""
    left = list(abandoned((*_step_folders(home.root / "scratch"), *_temporary(home, stack))))
    folders = [path for path in left if path.is_dir()]
    for folder in folders:
        shutil.rmtree(folder, ignore_errors=True)
    for file in set(left).difference(folders):
        with suppress(OSError):
            file.unlink()
    if left:
        files = len(left) - len(folders)
        log.warning("removed what killed processes have left: %d folders, %d files", len(folders), files)
    return len(left)


def end_dead_runs(home: Home, stack: Stack) -> int:
    """End the runs in MLflow that steps of this home recorded when they were killed; returns how many.

    A run carries the folder of the step that records it. One of another home, of another host, or of a step
    that lives, stays as it is.
    """
    ended = 0
    try:
        api = f"{stack.mlflow_url}/api/2.0/mlflow"
        with httpx.Client(base_url=api, timeout=30, trust_env=False, verify=no_certificates()) as mlflow:
            for run_id in [run["info"]["run_id"] for run in _running(mlflow) if _is_dead(home, run)]:
                now = int(time.time() * 1000)
                update = {"run_id": run_id, "status": "KILLED", "end_time": now}
                mlflow.post("/runs/update", json=update).raise_for_status()
                ended += 1
    except (httpx.HTTPError, ValueError, KeyError) as error:
        log.warning("runs of killed steps may still say RUNNING in MLflow: %s", error)
    if ended:
        log.warning("ended %d runs in MLflow whose steps were killed", ended)
    return ended


def _step_folders(scratch: Path) -> Iterator[Path]:
    for path in scratch.iterdir() if scratch.is_dir() else ():
        if _STEP_FOLDER.fullmatch(path.name) and path.is_dir() and not path.is_symlink():
            yield path


def _temporary(home: Home, stack: Stack) -> Iterator[Path]:
    """Files, and folders in which a file is made."""
    cache = home.root / "cache"
    folders = [home.root, home.root / "secrets", *(cache / name for name in ("files", "objects", "sets"))]
    folders += (cache / "sets").glob("*")
    root = local_path(stack.workspace)
    if root is not None:
        folders += [root / "files", root / "marks", *(root / "results").glob("*")]
    for folder in folders:
        yield from (path for path in folder.glob(TEMPORARY) if not path.is_symlink())


def _running(mlflow: httpx.Client) -> Iterator[Any]:
    experiments = [each["experiment_id"] for each in _pages(mlflow, "experiments", {})]
    if experiments:
        wanted = f"attributes.status = 'RUNNING' and tags.`{WRITER_TAG}` LIKE '%'"
        yield from _pages(mlflow, "runs", {"experiment_ids": experiments, "filter": wanted})


def _pages(mlflow: httpx.Client, kind: str, query: dict[str, Any]) -> Iterator[Any]:
    page: dict[str, Any] = {"next_page_token": ""}
    while (token := page.get("next_page_token")) is not None:
        asked = query | {"max_results": _PAGE} | ({"page_token": token} if token else {})
        page = mlflow.post(f"/{kind}/search", json=asked).raise_for_status().json()
        yield from page.get(kind, ())


def _is_dead(home: Home, run: Any) -> bool:
    """Whether the step that records a run was one of this home on this host, and has ended."""
    writer = next(tag["value"] for tag in run["data"]["tags"] if tag["key"] == WRITER_TAG)
    host, _, folder = writer.partition(":")
    ours = host == platform.node() and Path(folder).parent == (home.root / "scratch").resolve()
    return ours and not is_held(Path(folder))
