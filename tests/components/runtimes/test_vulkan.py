"""Which Vulkan devices there are, and what is said where there is none."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from litegate.errors import BadInput
from litegate.runtimes import vulkan
from tests.components.runtimes.on_gpu import needs_gpu


def described(folder: Path, name: str, library: str) -> Path:
    path = folder / f"{name}.json"
    path.write_text(json.dumps({"file_format_version": "1.0.0", "ICD": {"library_path": library}}))
    return path


@needs_gpu
def test_a_device_is_known_by_its_name_and_its_driver() -> None:
    for device in vulkan.needed():
        assert device.name
        assert device.driver
        assert str(device).startswith("software device ") == device.software


def test_without_a_device_one_is_told_what_to_install(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("VK_DRIVER_FILES", str(described(tmp_path, "none", "/nowhere/libvulkan_none.so")))
    monkeypatch.delenv("VK_ADD_DRIVER_FILES", raising=False)
    assert vulkan.devices() == ()
    with pytest.raises(BadInput, match=r"^target: expected a machine with a Vulkan device.* install .*mesa-vulkan-"):
        vulkan.needed()


def test_the_libraries_of_drivers_are_those_of_their_descriptions(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    folder = tmp_path / "icd.d"
    folder.mkdir()
    described(folder, "a", "../lib/libvulkan_a.so")
    described(folder, "b", "libvulkan_b.so")
    (folder / "c.json").write_text("{")
    named = described(tmp_path, "d", "/opt/libvulkan_d.so")
    for variable in vulkan.VARIABLES:
        monkeypatch.delenv(variable, raising=False)
    monkeypatch.setenv("VK_DRIVER_FILES", os.pathsep.join((str(folder), str(tmp_path / "gone.json"), str(named))))
    found = list(vulkan.driver_libraries())
    assert found == [f"{folder}/../lib/libvulkan_a.so", "libvulkan_b.so", "/opt/libvulkan_d.so"]
