"""The versions of what modules need, read from folders that are laid out as an environment is."""

from __future__ import annotations

import os
import time
from pathlib import Path

import pytest

from litegate.execution.installed import Installed, installed
from litegate.settings import settings


class Environment:
    """A virtual environment without anything in it."""

    def __init__(self, folder: Path) -> None:
        self.python = folder / "bin" / "python"
        self.packages = folder / "lib/python3.11/site-packages"
        self.packages.mkdir(parents=True)
        (folder / "pyvenv.cfg").write_text("home = /usr/bin\ninclude-system-site-packages = false\nversion = 3.11.7\n")

    def add(self, name: str, version: str, *requires: str, modules: tuple[str, ...] | None = None) -> None:
        info = self.packages / f"{name}-{version}.dist-info"
        info.mkdir()
        lines = "".join(f"Requires-Dist: {each}\n" for each in requires)
        (info / "METADATA").write_text(f"Metadata-Version: 2.4\nName: {name}\n{lines}\nA text.\n")
        for module in modules or (name,):
            (self.packages / module).mkdir(exist_ok=True)
        if modules is not None:
            (info / "RECORD").write_text("".join(f"{module}/__init__.py,sha256=,9\n" for module in modules))

    @property
    def installed(self) -> Installed:
        return Installed(self.python)


@pytest.fixture
def environment(tmp_path: Path) -> Environment:
    return Environment(tmp_path)


def test_a_module_counts_with_all_that_its_distribution_requires(environment: Environment) -> None:
    environment.add("tensorflow", "2.21.0", "keras>=3", 'Ml-Dtypes <1.0; python_version > "3"')
    environment.add("keras", "3.15.1", "numpy", "namex")
    environment.add("numpy", "2.4.6")
    environment.add("ml_dtypes", "0.6.0")
    environment.add("boto3", "1.44.5")
    expected = ["python-3.11.7", "keras-3.15.1", "ml_dtypes-0.6.0", "numpy-2.4.6", "tensorflow-2.21.0"]
    assert environment.installed.behind({"tensorflow", "json"}) == expected


def test_an_extra_counts_where_it_is_required(environment: Environment) -> None:
    environment.add("server", "1.0", "client[fast]; extra == 'http'", "plain")
    environment.add("client", "2.0", 'speed; extra == "fast"', "odd; extra == 'other'")
    for name in ("speed", "odd", "plain"):
        environment.add(name, "1.0")
    assert environment.installed.behind({"server"}) == ["python-3.11.7", "plain-1.0", "server-1.0"]
    environment.add("whole", "3.0", "server[http]")
    assert environment.installed.behind({"whole"}) == [
        *("python-3.11.7", "client-2.0", "plain-1.0", "server-1.0", "speed-1.0", "whole-3.0")
    ]


def test_a_namespace_belongs_to_all_that_have_files_in_it(environment: Environment) -> None:
    environment.add("protobuf", "7.0", modules=("google",))
    environment.add("crc", "1.0", modules=("google", "crc"))
    environment.add("numpy", "2.0")
    assert environment.installed.behind({"google"}) == ["python-3.11.7", "crc-1.0", "protobuf-7.0"]


def test_a_module_of_unknown_origin_counts_as_everything(environment: Environment) -> None:
    environment.add("numpy", "2.0")
    (environment.packages / "loose.py").write_text("")
    assert environment.installed.behind({"loose"}) == environment.installed.everything


def test_a_module_that_is_missing_counts_as_missing(environment: Environment) -> None:
    environment.add("numpy", "2.0")
    assert environment.installed.behind({"numpy", "sklearn"}) == ["python-3.11.7", "numpy-2.0", "no sklearn"]


def test_what_was_read_before_is_read_anew_once_it_has_changed(environment: Environment) -> None:
    environment.add("space_a", "1.0", "used", modules=("space",))
    for name in ("used", "better"):
        environment.add(name, "1.0")
    environment.installed.read()
    assert environment.installed.behind({"space"}) == ["python-3.11.7", "space_a-1.0", "used-1.0"]
    info = environment.packages / "space_a-1.0.dist-info"
    (info / "METADATA").write_text("Name: space_a\nRequires-Dist: better\n")
    assert environment.installed.behind({"space"}) == ["python-3.11.7", "better-1.0", "space_a-1.0"]
    (info / "RECORD").write_text("other/__init__.py,sha256=,9\n")
    assert environment.installed.behind({"other"}) == ["python-3.11.7", "better-1.0", "space_a-1.0"]


def test_our_own_version_counts_for_nothing(environment: Environment) -> None:
    environment.add("litegate", "0.1.0", "numpy")
    environment.add("numpy", "2.0")
    assert environment.installed.everything == ["python-3.11.7", "numpy-2.0"]


def test_the_packages_of_the_system_count_where_they_can_be_imported(environment: Environment, tmp_path: Path) -> None:
    system = Environment(tmp_path / "usr")
    system.add("numpy", "1.0")
    system.add("pillow", "9.0")
    environment.add("numpy", "2.0")
    assert environment.installed.everything == ["python-3.11.7", "numpy-2.0"]
    config = environment.python.parents[1] / "pyvenv.cfg"
    config.write_text(f"home = {system.python.parent}\ninclude-system-site-packages = true\nversion = 3.11.7\n")
    assert environment.installed.everything == ["python-3.11.7", "numpy-2.0", "pillow-9.0"]


def test_the_real_tensorflow_is_there_with_what_it_computes_with() -> None:
    found = Installed(settings().pythons["tensorflow"])
    names = {each.rpartition("-")[0] for each in found.behind({"tensorflow", "ai_edge_litert"})}
    assert {"python", "tensorflow", "keras", "numpy", "ml_dtypes", "ai_edge_litert", "flatbuffers"} <= names
    assert len(names) < len(found.everything)
    assert not {"pyarrow", "boto3", "pytest"} & names


def test_a_forked_process_looks_whether_something_was_installed_since(
    environment: Environment, monkeypatch: pytest.MonkeyPatch
) -> None:
    later = time.time_ns() + 3_000_000_000
    monkeypatch.setattr(time, "time_ns", lambda: later)
    environment.add("numpy", "2.0")
    found = installed(environment.python)
    monkeypatch.setattr(os, "getpid", lambda: -1)
    assert installed(environment.python) is found
    environment.add("pillow", "12.0")
    assert installed(environment.python) is found, "a process looks once"
    monkeypatch.setattr(os, "getpid", lambda: -2)
    assert installed(environment.python).everything == ["python-3.11.7", "numpy-2.0", "pillow-12.0"]
