"""What users' code really writes in the place of its step's result, and what comes of it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from litegate.digest import digest_bytes
from litegate.errors import StepFailed
from litegate.execution.step_run import StepRun
from litegate.records import Resolved, ResolveRequest
from litegate.settings import Settings
from litegate.spec import parse_spec
from litegate.steps import STEPS

FORGED = """
import json
file = {{'name': 'samples.npz', 'digest': {digest!r}, 'bytes': {size}}}
result = {{'file': file, 'samples': 1, 'available': 1, 'labels': {{}}, 'inputs': {{}}}}
Path('outputs').mkdir()
{more}
Path('result.json').write_text(json.dumps(result))
os._exit(0)
"""


@pytest.mark.parametrize("named", ["by its path", "by its digest", "by a link", "by a link of the folder"])
def test_a_result_cannot_name_a_file_of_the_host(
    sampling: Callable[..., StepRun], tmp_path: Path, places: Settings, named: str
) -> None:
    """Its parent resolved the digest below the cache and checked its size: the next step could read it."""
    secret = tmp_path / "home" / "secrets" / "jwt"
    digest = digest_bytes(secret.read_bytes())
    more = {
        "by a link": f"Path('outputs', {digest!r}).symlink_to({str(secret)!r})",
        "by a link of the folder": f"Path('outputs').rmdir(); Path('outputs').symlink_to({str(secret.parent)!r})",
    }
    secret.with_name(digest).write_bytes(secret.read_bytes())
    body = FORGED.format(
        digest=str(secret) if named == "by its path" else digest, size=secret.stat().st_size, more=more.get(named, "")
    )
    step_run = sampling(body.strip())
    before = set(Path(places.workspace).rglob("*"))
    with pytest.raises(StepFailed) as caught:
        step_run.run()
    assert caught.value.kind == "forged_result"
    assert set(Path(places.workspace).rglob("*")) == before, "nothing is published"
    assert not (places.cache / "files" / digest).exists()


METRIC = """
from litegate.datasets import snapshots
from litegate.steps import resolve
from litegate.storage.manifests import Entry

class Metric:
    higher_is_better, range, per_sample = True, (0, 1), True
    def score(self, outputs, labels): ...
    def __init__(self):
        {attack}

def widened(pin):
    def snapshot_code(*arguments):
        return pin(*arguments) and pin(*arguments).model_copy(update={{"folder": "/"}})
    return snapshot_code

def also(make):
    stolen = Entry(name="x", uri="/etc/shadow", size=1, pin="1:1")
    return lambda entries: make((*entries, stolen))
"""
ATTACKS = {
    "a folder of code that is everything": (
        "resolve.snapshot_code = widened(resolve.snapshot_code)",
        "preprocess.folder",
    ),
    "a dataset with a file of the host": ("snapshots.manifest_bytes = also(snapshots.manifest_bytes)", "manifest"),
    "a changed model": (
        "resolve.check_model = lambda root, *_: (root / 'saved_model.pb').write_bytes(b'another')",
        "digests of the model's files",
    ),
}


@pytest.fixture
def resolving(tmp_path: Path, places: Settings, data: Path, tflite_files: dict[str, Path]) -> Callable[[str], StepRun]:
    """Makes the step `resolve` with a metric whose constructor attacks."""

    def make(attack: str) -> StepRun:
        (tmp_path / "theirs.py").write_text(METRIC.format(attack=attack) + "def preprocess(*sample): return sample\n")
        own = {"uri": str(data), "format": "npz"}
        spec = parse_spec(
            {
                "model": {"name": "m", "uri": str(tflite_files["float32"].parent / "saved")},
                "calibration": own,
                "evaluation": own | {"metric": "theirs:Metric"},
                "preprocess": "theirs:preprocess",
                "gate": {"max_drop": 0.1},
            }
        )
        return StepRun(STEPS["resolve"], ResolveRequest(spec=spec, folder=str(tmp_path)), places)

    return make


def test_an_honest_metric_resolves(resolving: Callable[[str], StepRun], tmp_path: Path) -> None:
    found: Resolved = resolving("pass").run()
    assert found.preprocess is not None
    assert found.preprocess.folder == str(tmp_path)


@pytest.mark.parametrize("name", list(ATTACKS))
def test_a_users_metric_cannot_have_more_pinned_than_there_is(resolving: Callable[[str], StepRun], name: str) -> None:
    attack, message = ATTACKS[name]
    with pytest.raises(StepFailed, match=message) as caught:
        resolving(attack).run()
    assert caught.value.kind == "forged_result"
