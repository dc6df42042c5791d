"""Whatever an enemy writes into a result or beside it: nothing is read, published or opened that is not its own."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterator
from copy import deepcopy
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from litegate.digest import digest_bytes
from litegate.errors import StepFailed
from litegate.execution.confinement import named
from litegate.execution.returned.reading import Forged
from litegate.records import FileRef
from litegate.settings import settings as places
from litegate.steps import STEPS
from tests.components.execution.returned.enemy import Child, handed_back, opened_below
from tests.components.execution.returned.honest import HONEST, SECRET, Case, World

quickly = settings(
    derandomize=True,
    deadline=None,
    database=None,
    suppress_health_check=[HealthCheck.too_slow],
)
CHANGES = ("replace", "replace", "replace", "replace", "remove", "add")
BELIEVED = ("prepare", "train", *(name for name, each in STEPS.items() if not each.confined))
"""Steps that run the user's training, or our own code alone: what digests they found only they can know."""
STOLEN = FileRef(name="s", digest=digest_bytes(SECRET), bytes=len(SECRET))
"""The secret, as a result would have to name it."""


@pytest.fixture(params=list(HONEST))
def step(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def world(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> World:
    monkeypatch.setattr(os, "fsync", lambda descriptor: None)  # thousands of small files, and no power cut
    return World(tmp_path, places().pythons)


def enemy_values(world: World, now: Any) -> tuple[Any, ...]:
    """What somebody would write in the place of a value who wants to reach beyond, or to do harm."""
    secret = STOLEN.to_json()
    paths = (str(world.secret), "../../outside/secret", "/etc/shadow", "/", "..", "a/../../b", "a\nb", "a\0b", "")
    numbers = (-1, 0, 1, 2**63, -(2**63) - 1, 10**400, 1e308, float("nan"), float("inf"), True)
    digests = (world.others.digest, secret["digest"], "0" * 64, "A" * 64, "../" * 20, digest_bytes(b"")[:63])
    files = (world.others.to_json(), secret, secret | {"digest": str(world.secret)})
    names = ("champion", "uint8", "passed", "sequential", "saved_model")
    odd = (None, [], {}, [[]], {"": None}, "x" * 1_000_000, "\U0001f600")
    alike = {str: (*paths, *digests, *names), int: numbers, float: numbers, dict: files, list: ([], [*files])}
    return alike.get(type(now), odd) * 2 + (*paths, *numbers, *digests, *files, *names, *odd)


def places_in(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """Every place in a JSON value."""
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, item in items:
        yield (*path, key)
        yield from places_in(item, (*path, key))


def value_at(value: Any, place: tuple[Any, ...]) -> Any:
    for key in place:
        value = value[key]
    return value


def changed(result: Any, place: tuple[Any, ...], how: str, value: Any) -> Any:
    """The result with something else in one place."""
    result = deepcopy(result)
    inside = value_at(result, place[:-1])
    if how == "replace":
        inside[place[-1]] = value
    elif how == "remove":
        del inside[place[-1]]
    elif isinstance(inside, list):
        inside.append(value)
    else:
        inside["unknown"] = value
    return result


def everything_below(folder: Path) -> dict[str, bytes]:
    return {str(path): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def check_harmless(step: str, case: Case, world: World, act: Callable[[], Any]) -> Any | None:
    """The result, if it was taken; whatever it was, nobody else's files were touched."""
    workspace = Path(world.places.workspace)
    before = everything_below(workspace)
    with opened_below(world.outside) as opened:
        try:
            result = act()
        except (Forged, StepFailed):
            result = None
    assert opened == []
    after = everything_below(workspace)
    published = {path: content for path, content in after.items() if path not in before}
    assert before.items() <= after.items()
    for path, content in published.items():
        assert result is not None, "nothing of a refused result is published"
        assert world.written[Path(path).name] == content
        Path(path).unlink()
    assert SECRET not in everything_below(world.places.cache).values()
    assert not list(world.places.scratch.iterdir())
    if result is not None:
        check_own(step, case, world, result)
    return result


def check_own(step: str, case: Case, world: World, result: Any) -> None:
    """It names only what the step was given or wrote, and is about what the step was asked for."""
    given = set(named(case.request, FileRef))
    for ref in set(named(result, FileRef)) - given:
        assert len(world.written[ref.digest]) == ref.bytes
        assert digest_bytes(world.written[ref.digest]) == ref.digest
    if step not in BELIEVED:
        honest = case.result.to_json()
        found, asked = without_code(result.to_json()), case.request.to_json()
        for key in ("variant", "folder", "uri", "digest", "artifact_digest"):
            assert set(said_of(found, key)) <= set(said_of(honest, key)) | set(said_of(asked, key))


def said_of(value: Any, key: str) -> Iterator[Any]:
    """What is said under a key, wherever it is."""
    for place in places_in(value):
        if place[-1] == key:
            yield value_at(value, place)


def without_code(value: Any) -> Any:
    """Without the digests of the user's code, which is checked again wherever it is loaded."""
    return {key: item for key, item in value.items() if key not in ("preprocess", "metric_code", "decoder")}


def test_every_step_has_an_honest_case() -> None:
    assert set(HONEST) == set(STEPS)


def test_an_honest_result_is_taken_and_found_again(step: str, world: World) -> None:
    case = HONEST[step](world)
    child = Child(step, case, world)
    assert child.run() == case.result
    assert all((Path(world.places.workspace) / "files" / digest).exists() for digest in world.written)
    assert child.find() == (case.result if STEPS[step].cached else None)


def test_no_change_of_a_result_reaches_what_is_not_its_own(step: str, world: World) -> None:
    case = HONEST[step](world)
    result = case.result.to_json()
    everywhere = [place for place in places_in(result) if place[0] != "spec" or len(place) == 1]

    @settings(quickly, max_examples=20 + 2 * len(everywhere))
    @given(data=st.data())
    def attempt(data: st.DataObject) -> None:
        place, how = data.draw(st.sampled_from(everywhere)), data.draw(st.sampled_from(CHANGES))
        value = data.draw(st.sampled_from(enemy_values(world, value_at(result, place))))
        forged = changed(result, place, how, value)
        check_harmless(step, case, world, lambda: handed_back(step, case, world, forged))

    attempt()


def _to_secret(output: Path, world: World) -> None:
    output.unlink()
    output.symlink_to(world.secret)


def _further_name(output: Path, world: World) -> None:
    output.unlink()
    output.hardlink_to(world.secret)


def _pipe(output: Path, world: World) -> None:
    output.unlink()
    os.mkfifo(output)


def _folder(output: Path, world: World) -> None:
    output.unlink()
    output.mkdir()


def _other_bytes(output: Path, world: World) -> None:
    output.write_bytes(bytes(output.stat().st_size))


def _all_elsewhere(output: Path, world: World) -> None:
    """A folder of secrets that have the right names."""
    folder = world.outside / "outputs"
    output.parent.rename(folder)
    output.parent.symlink_to(folder)


def _named(outputs: Path) -> Path:
    """Where the secret should be that the result names from now on."""
    file = outputs.parent / "result.json"
    file.write_text(json.dumps(json.loads(file.read_bytes()) | {"saved_model": [STOLEN.to_json()]}))
    return outputs / STOLEN.digest


def _named_link(output: Path, world: World) -> None:
    _named(output.parent).symlink_to(world.secret)


def _named_further(output: Path, world: World) -> None:
    _named(output.parent).hardlink_to(world.secret)


def _named_beside(output: Path, world: World) -> None:
    world.secret.rename(_named(output.parent))
    _all_elsewhere(output, world)


TAMPERING = (
    *(_to_secret, _further_name, _pipe, _folder, _other_bytes, Path.unlink, _all_elsewhere),
    *(_named_link, _named_further, _named_beside),
)


@pytest.mark.parametrize("tamper", TAMPERING, ids=lambda function: function.__name__)
def test_only_plain_files_of_the_right_bytes_are_taken(world: World, tamper: Callable[..., None]) -> None:
    case = HONEST["convert"](world)

    def act(folder: Path) -> None:
        output = folder / "outputs" / sorted(world.written)[0]
        tamper(output) if tamper is Path.unlink else tamper(output, world)

    child = Child("convert", case, world, act)
    assert check_harmless("convert", case, world, child.run) is None
    with pytest.raises(StepFailed, match="the result names") as caught:
        Child("convert", case, world, lambda folder: (folder / "outputs").rename(folder / "gone")).run()
    assert caught.value.kind == "forged_result"


def _nested(folder: Path) -> None:
    (folder / "result.json").write_bytes(b"[" * 1_000_000)


def _large(folder: Path) -> None:
    (folder / "result.json").write_bytes(b'"' + b"x" * (9 << 20) + b'"')


def _many(folder: Path) -> None:
    (folder / "result.json").write_bytes(b"[" + b"1," * 400_000 + b"1]")


def _linked(folder: Path) -> None:
    (folder / "result.json").rename(folder / "elsewhere")
    (folder / "result.json").symlink_to(folder / "elsewhere")


def _twice(folder: Path) -> None:
    (folder / "elsewhere").hardlink_to(folder / "result.json")


def _endless(folder: Path) -> None:
    (folder / "result.json").unlink()
    os.mkfifo(folder / "result.json")


def _half(folder: Path) -> None:
    content = (folder / "result.json").read_bytes()
    (folder / "result.json").write_bytes(content[:-5])


def _no_text(folder: Path) -> None:
    (folder / "result.json").write_bytes(b"\xff\xfe")


def _surrogate(folder: Path) -> None:
    found = json.loads((folder / "result.json").read_bytes())
    (folder / "result.json").write_text(json.dumps(found | {"tools": {"tensorflow": "\ud800"}}))


BROKEN = (_nested, _large, _many, _linked, _twice, _endless, _half, _no_text, _surrogate)


@pytest.mark.parametrize("tamper", BROKEN, ids=lambda function: function.__name__)
def test_a_file_that_is_no_result_is_refused(world: World, tamper: Callable[[Path], None]) -> None:
    with pytest.raises(StepFailed) as caught:
        Child("convert", HONEST["convert"](world), world, tamper).run()
    assert caught.value.kind == "forged_result"
    assert len(str(caught.value)) < 3000
