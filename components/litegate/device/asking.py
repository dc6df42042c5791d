"""The folder that a device is given: files, samples, and the script that runs them there."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from litegate.errors import BadInput
from litegate.pipeline.on_device import DeviceRun
from litegate.records import Artifact
from litegate.storage.protocol import BLOCK
from litegate.storage.whole_files import write_whole
from litegate.storage.workspace import Workspace

__all__ = ["Given", "give_out"]

_SCRIPT = Path(__file__).with_name("run_on_device.py")
_SAMPLES = "samples.npz"


@dataclass(frozen=True)
class Given:
    """What is in the folder.

    Attributes:
        device: its name in the spec.
        files: the .tflite files and their digests, by variant.
        samples: where the samples are; `count` says how many.
    """

    device: str
    files: dict[str, tuple[Path, str]]
    samples: Path
    count: int
    script: Path


def give_out(run: DeviceRun, folder: Path) -> Given:
    """Make what is missing, and fill the folder, each file whole or not at all.

    Args:
        run: of the variants that are asked for; not run yet.

    Raises:
        BadInput: there is no folder at the path, or the spec, the model or the data cannot be used.
        StepFailed: a file cannot be made.
    """
    if folder.exists() and not folder.is_dir():
        raise BadInput("DIR", "a folder", f"the file {folder}")
    results = run.run()
    device, workspace = run.request.spec.evaluation.device, Workspace(run.places.workspace, run.places.cache)
    assert device is not None, "a device run has one"
    artifacts: dict[str, Artifact] = {name: results.artifact(name) for name in run.variants}
    files = {name: (folder / f"{name}.tflite", each.file.digest) for name, each in artifacts.items()}
    for name, (path, _) in files.items():
        write_whole(path, _blocks(workspace.fetch(artifacts[name].file)))
    samples, script = folder / _SAMPLES, folder / _SCRIPT.name
    write_whole(samples, _blocks(workspace.fetch(run.samples.file)))
    write_whole(script, _blocks(_SCRIPT))
    return Given(device.name, files, samples, run.samples.samples, script)


def _blocks(path: Path) -> Iterator[bytes]:
    with path.open("rb") as file:
        yield from iter(lambda: file.read(BLOCK), b"")
