"""What the images are made of is pinned by locks that are there, and nothing in them runs as root."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
FOLDER = ROOT / "deploy" / "images"
FILES = sorted(FOLDER.glob("*.Dockerfile"))


def instructions(path: Path) -> list[tuple[str, str]]:
    """Each with its arguments, on one line."""
    text = re.sub(r"\\\n\s*", "", re.sub(r"(?m)^#.*\n", "", path.read_text()))
    return [(word, rest.strip()) for word, _, rest in (line.partition(" ") for line in text.splitlines() if line)]


def stages(path: Path) -> list[list[tuple[str, str]]]:
    found: list[list[tuple[str, str]]] = []
    for each in instructions(path):
        if each[0] == "FROM":
            found.append([])
        if found:
            found[-1].append(each)
    return found


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)
def test_hadolint_finds_nothing(path: Path) -> None:
    done = subprocess.run([Path(sys.executable).parent / "hadolint", path], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout + done.stderr) == (0, "")


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)
def test_what_is_copied_from_the_checkout_is_there(path: Path) -> None:
    copied = [rest.split()[:-1] for word, rest in instructions(path) if word == "COPY" and "--from" not in rest]
    assert copied
    assert [name for names in copied for name in names if not (ROOT / name).exists()] == []


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)
def test_every_package_comes_by_a_hash_or_from_this_checkout(path: Path) -> None:
    installs = [part for word, rest in instructions(path) if word == "RUN" for part in rest.split(";")]
    installs = [part for part in installs if " install --no-cache-dir" in part or " wheel --no-deps" in part]
    assert len(installs) >= 2
    for part in installs:
        assert "--no-index" in part or ("--require-hashes" in part and "--only-binary :all:" in part)


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)
def test_the_lock_is_checked_and_named_by_its_digest(path: Path) -> None:
    build, last = next(each for each in stages(path) if each[0][1].endswith("AS build")), stages(path)[-1]
    assert any("sha256sum --check" in rest for word, rest in build if word == "RUN")
    labelled = [rest for each in stages(path) for word, rest in each if word == "LABEL"]
    assert all('litegate.lock.sha256="${LOCK_SHA256}"' in rest for rest in labelled)
    assert labelled or "airflow" in last[0][1]


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)
def test_nothing_runs_as_root_and_nothing_is_built_where_it_runs(path: Path) -> None:
    shipped = [each for each in stages(path)[1:] if "AS build" not in each[0][1]]
    users = [rest for each in shipped for word, rest in each if word == "USER"]
    assert users
    assert [user for user in users if user.split(":")[0] in ("0", "root")] == []
    assert [rest for each in shipped for word, rest in each if word == "RUN" and "pip" in rest] == []


def test_the_script_builds_each_image_by_the_lock_that_it_copies() -> None:
    script = (FOLDER / "build.sh").read_text()
    subprocess.run(["sh", "-n", FOLDER / "build.sh"], check=True)
    for path in FILES:
        lock = next(rest.split()[0] for word, rest in instructions(path) if word == "COPY" and "locks" in rest)
        assert re.search(rf"{re.escape(path.name)} {re.escape(Path(lock).name)}\b", script)
