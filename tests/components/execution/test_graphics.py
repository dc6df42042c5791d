"""What a step on a Vulkan device sees of the machine, what its result depends on, and that no other step does."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from litegate.errors import BadInput
from litegate.execution import graphics
from litegate.execution.confinement import confinement
from litegate.execution.result_key import result_key
from litegate.records import SmokeRequest
from litegate.runtimes.vulkan import VARIABLES, Device
from litegate.settings import Settings, settings
from litegate.steps import STEPS
from tests.components.execution.returned.honest import HONEST, World


@pytest.fixture
def smoke(tmp_path: Path) -> SmokeRequest:
    request: Any = HONEST["smoke"](World(tmp_path / "world", settings().pythons)).request
    return request


@pytest.fixture
def driver(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A machine with a graphics processor, and the description of a driver in a folder of its own."""
    (tmp_path / "dev/dri/by-path").mkdir(parents=True)
    (tmp_path / "dev/dri/renderD128").touch()
    (tmp_path / "dev/nvidia0").touch()
    (tmp_path / "dev/sda").touch()
    (tmp_path / "icd.d").mkdir()
    description = tmp_path / "icd.d/own.json"
    description.write_text(json.dumps({"ICD": {"library_path": "../lib/libvulkan_own.so"}}))
    monkeypatch.setattr(graphics, "_DEV", tmp_path / "dev")
    for variable in VARIABLES:
        monkeypatch.delenv(variable, raising=False)
    monkeypatch.setenv("VK_DRIVER_FILES", str(description))
    monkeypatch.setenv("LD_LIBRARY_PATH", f"{tmp_path}/more:")
    return description


def test_the_steps_of_the_gpu_alone_see_drivers_and_devices(
    smoke: SmokeRequest, driver: Path, tmp_path: Path, places: Settings
) -> None:
    on_gpu, usual = smoke.model_copy(update={"runtime": "gpu"}), smoke
    given = confinement(STEPS["smoke"], on_gpu, tmp_path, places)
    assert given.devices == (f"{tmp_path}/dev/dri/renderD128", f"{tmp_path}/dev/nvidia0")
    assert {str(driver), f"{driver.parent}/../lib", f"{tmp_path}/more"} <= set(given.read)
    given = confinement(STEPS["smoke"], usual, tmp_path, places)
    assert given.devices == given.read == ()


def test_what_is_computed_on_a_device_is_kept_under_it(
    smoke: SmokeRequest, places: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    def key(request: SmokeRequest, *devices: Device) -> str:
        monkeypatch.setattr(graphics.vulkan, "needed", lambda: devices)
        return result_key(STEPS["smoke"], request, places.pythons["tensorflow"])

    on_gpu = smoke.model_copy(update={"runtime": "gpu"})
    old, new = Device("card", "driver 1", software=False), Device("card", "driver 2", software=False)
    assert len({key(on_gpu, old), key(on_gpu, new), key(on_gpu, old, new)}) == 3
    assert key(smoke, old) == key(smoke, new)


def test_without_a_device_nothing_is_begun(
    smoke: SmokeRequest, places: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for variable in VARIABLES:
        monkeypatch.delenv(variable, raising=False)
    monkeypatch.setenv("VK_DRIVER_FILES", str(tmp_path / "none.json"))
    with pytest.raises(BadInput, match="expected a machine with a Vulkan device"):
        result_key(STEPS["smoke"], smoke.model_copy(update={"runtime": "gpu"}), places.pythons["tensorflow"])
