"""What is mounted where, and what is hidden by what: both pure."""

from __future__ import annotations

from pathlib import Path

import pytest

from litegate.execution.sandbox.landlock import CONTROL, LIST, READ, WRITE
from litegate.execution.sandbox.layout import Mount, layout, resolve
from litegate.execution.sandbox.places import Place, hidden_by

READABLE = READ | LIST


@pytest.fixture
def root(tmp_path: Path) -> Path:
    for name in ("code/inner", "code/.home/secrets", "code/.home/cache/files", "code/.home/scratch/step"):
        (tmp_path / name).mkdir(parents=True)
    (tmp_path / "code/.home/cache/files/aa").touch()
    (tmp_path / "link").symlink_to("code/inner")
    (tmp_path / "absolute").symlink_to(tmp_path / "link")
    return tmp_path


def of(root: Path, mounts: tuple[Mount, ...]) -> dict[str, str]:
    own = [Mount("/dev", "dev"), Mount("/proc", "proc"), Mount("/tmp", "tmp")]
    return {Path(each.path).relative_to(root).as_posix(): each.kind for each in mounts if each not in own}


def test_what_is_hidden_is_a_hole_in_the_folder_around_it(root: Path) -> None:
    """And what is shown of it after all is mounted into that hole."""
    places = [
        Place(f"{root}/code/.home/cache/files/aa", READ),
        Place(f"{root}/code/.home/scratch/step", READABLE | WRITE),
        Place(f"{root}/code", READABLE),
        Place(f"{root}/code/inner", READABLE),
        Place(f"{root}/code/gone", READABLE),
    ]
    hidden = [f"{root}/code/.home", f"{root}/code/.home/cache", f"{root}/elsewhere", f"{root}/code/gone"]
    plan = layout(places, hidden)
    assert of(root, plan.mounts) == {
        "code": "read",
        "code/.home": "hide",
        "code/.home/cache/files/aa": "read",
        "code/.home/scratch/step": "write",
    }
    paths = [each.path for each in plan.mounts]
    assert (
        paths.index(f"{root}/code") < paths.index(f"{root}/code/.home") < paths.index(f"{root}/code/.home/scratch/step")
    )


def test_a_device_is_mounted_as_one(root: Path) -> None:
    plan = layout([Place(f"{root}/code/inner", READABLE), Place(f"{root}/code/.home", CONTROL)], [])
    assert of(root, plan.mounts) == {"code/inner": "read", "code/.home": "control"}


def test_links_are_made_again_and_what_they_lead_to_is_mounted(root: Path) -> None:
    plan = layout([Place(f"{root}/absolute/..", READABLE), Place(f"{root}/absolute", READABLE)], [])
    assert of(root, plan.mounts) == {"code": "read"}
    assert plan.links == {f"{root}/absolute": f"{root}/link", f"{root}/link": "code/inner"}


def test_a_circle_of_links_leads_nowhere(tmp_path: Path) -> None:
    (tmp_path / "a").symlink_to("b")
    (tmp_path / "b").symlink_to("a")
    assert resolve(f"{tmp_path}/a/file")[0].startswith(str(tmp_path))
    assert of(tmp_path, layout([Place(f"{tmp_path}/a", READABLE)], []).mounts) == {}


def test_all_there_is_may_be_named_but_for_what_is_its_own() -> None:
    places = [Place(name, READABLE) for name in ("/", "/proc/self", "/proc", "/dev", "/usr")]
    assert [(each.path, each.kind) for each in layout(places, []).mounts] == [
        ("/", "read"),
        ("/dev", "dev"),
        ("/proc", "proc"),
        ("/tmp", "tmp"),
    ]
    assert Mount("/tmp", "read") in layout([Place("/tmp", READABLE)], []).mounts


@pytest.mark.parametrize(
    ("path", "by"),
    [
        ("/home", "/home"),
        ("/home/key", "/home"),
        ("/home/cache/files/aa", "/home/cache"),
        ("/home/dags", None),
        ("/home/dags/code", None),
        ("/home/dags/secrets/key", "/home/dags/secrets"),
        ("/homes", None),
        ("/", None),
    ],
)
def test_the_innermost_decides_what_is_hidden(path: str, by: str | None) -> None:
    assert hidden_by(path, ["/home", "/home/cache", "/home/dags/secrets"], ["/home/dags"]) == by
