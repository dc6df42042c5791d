"""The Vulkan devices of this machine, as their drivers describe them.

They are asked in a process of its own (`python -m litegate.runtimes.vulkan`), since a driver starts threads and may
crash. Structures and numbers are those of the Vulkan specification, version 1.2: https://registry.khronos.org/vulkan/
"""

from __future__ import annotations

import ctypes
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import asdict, dataclass
from functools import cache
from pathlib import Path

from litegate.errors import BadInput

__all__ = ["SOFTWARE", "VARIABLES", "Device", "devices", "driver_libraries", "found", "load_drivers", "needed"]

SOFTWARE = "software device"
"""In the description of a device whose work a CPU does: what it takes says nothing about a GPU."""

VARIABLES = ("VK_DRIVER_FILES", "VK_ICD_FILENAMES", "VK_ADD_DRIVER_FILES")
"""By which Vulkan's loader is told where drivers are described, beside the folders where it looks for them."""

_FOLDERS = ("/etc/vulkan/icd.d", "/usr/local/share/vulkan/icd.d", "/usr/share/vulkan/icd.d")
_LIBRARY = "libvulkan.so.1"
_VERSION = 1 << 22 | 2 << 12
_APPLICATION, _INSTANCE, _PROPERTIES, _DRIVER = 0, 1, 1000059001, 1000196000
_SOFTWARE = 4
_SECONDS = 60

_INSTALL = (
    "install your GPU's Vulkan driver and libvulkan1, or a software device: Debian's mesa-vulkan-drivers, version 25 "
    "or later (of its backports in Debian 12); a driver in a folder of its own is named by VK_DRIVER_FILES"
)


@dataclass(frozen=True)
class Device:
    """A Vulkan device.

    Attributes:
        driver: its name and version, as it calls itself.
        software: whether a CPU computes in its place.
    """

    name: str
    driver: str
    software: bool

    def __str__(self) -> str:
        return f"{f'{SOFTWARE} ' if self.software else ''}{self.name}, {self.driver}"


class _Application(ctypes.Structure):
    _fields_ = (
        *(("kind", ctypes.c_int), ("next", ctypes.c_void_p), ("name", ctypes.c_char_p), ("version", ctypes.c_uint32)),
        *(("engine", ctypes.c_char_p), ("engine_version", ctypes.c_uint32), ("api", ctypes.c_uint32)),
    )


class _Instance(ctypes.Structure):
    _fields_ = (
        *(("kind", ctypes.c_int), ("next", ctypes.c_void_p), ("flags", ctypes.c_uint32)),
        *(("application", ctypes.POINTER(_Application)), ("layers", ctypes.c_uint32), ("layer", ctypes.c_void_p)),
        *(("extensions", ctypes.c_uint32), ("extension", ctypes.c_void_p)),
    )


class _Driver(ctypes.Structure):
    _fields_ = (
        *(("kind", ctypes.c_int), ("next", ctypes.c_void_p), ("id", ctypes.c_int)),
        *(("name", ctypes.c_char * 256), ("info", ctypes.c_char * 256), ("conformance", ctypes.c_uint8 * 4)),
    )


class _Properties(ctypes.Structure):
    _fields_ = (
        *(("kind", ctypes.c_int), ("next", ctypes.POINTER(_Driver)), ("api", ctypes.c_uint32)),
        *(("version", ctypes.c_uint32), ("vendor", ctypes.c_uint32), ("device", ctypes.c_uint32)),
        *(("type", ctypes.c_int), ("name", ctypes.c_char * 256), ("left_out", ctypes.c_uint8 * 1024)),
    )


def devices() -> tuple[Device, ...]:
    """Those that a process of its own finds, looked for once for each set of variables; none where that one died."""
    names = (*VARIABLES, "LD_LIBRARY_PATH")
    return _devices(tuple(os.environ.get(name, "") for name in names))


def needed() -> tuple[Device, ...]:
    """The devices.

    Raises:
        BadInput: there is none; says what to install.
    """
    there = devices()
    if not there:
        raise BadInput("target", "a machine with a Vulkan device, which gpu needs", f"none: {_INSTALL}")
    return there


@cache
def _devices(_: tuple[str, ...]) -> tuple[Device, ...]:
    command = [sys.executable, "-m", "litegate.runtimes.vulkan"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=_SECONDS, check=False)
    return tuple(Device(**each) for each in json.loads(done.stdout or "[]")) if done.returncode == 0 else ()


def driver_libraries() -> Iterator[str]:
    """The libraries of the drivers that the loader will find, by path, or by a name that is searched for as all are."""
    named = [os.environ[variable] for variable in VARIABLES if os.environ.get(variable)]
    only = any(os.environ.get(variable) for variable in VARIABLES[:2])
    places = [Path(name) for names in named for name in names.split(os.pathsep) if name]
    for place in [*places, *([] if only else map(Path, _FOLDERS))]:
        for description in sorted(place.glob("*.json")) if place.is_dir() else [place]:
            with suppress(OSError, ValueError, KeyError, TypeError):
                library = json.loads(description.read_text())["ICD"]["library_path"]
                yield str(description.parent / library) if os.sep in library else library


def load_drivers() -> None:
    """Load the drivers so that they find their own libraries first.

    Some have a compiler, LLVM, of which TensorFlow shows another version to all that is loaded in its process: a driver
    that takes that one ends the process.
    """
    for library in driver_libraries():
        with suppress(OSError):  # a driver for other hardware may lack what it needs
            ctypes.CDLL(library, mode=os.RTLD_DEEPBIND | os.RTLD_NOW)


def found() -> Iterator[Device]:
    """Those that this process finds; it has the drivers loaded from then on."""
    try:
        library = ctypes.CDLL(_LIBRARY)
    except OSError:
        return
    instance, count = _instance(library), ctypes.c_uint32(0)
    if instance is None:
        return
    library.vkEnumeratePhysicalDevices(instance, ctypes.byref(count), None)
    handles = (ctypes.c_void_p * count.value)()
    library.vkEnumeratePhysicalDevices(instance, ctypes.byref(count), handles)
    for handle in handles[: count.value]:
        driver = _Driver(kind=_DRIVER)
        device = _Properties(kind=_PROPERTIES, next=ctypes.pointer(driver))
        library.vkGetPhysicalDeviceProperties2(ctypes.c_void_p(handle), ctypes.byref(device))
        yield Device(device.name.decode(), _named(driver, device.version), device.type == _SOFTWARE)


def _instance(library: ctypes.CDLL) -> ctypes.c_void_p | None:
    application = _Application(kind=_APPLICATION, name=b"litegate", api=_VERSION)
    wanted = _Instance(kind=_INSTANCE, application=ctypes.pointer(application))
    instance = ctypes.c_void_p()
    failed = library.vkCreateInstance(ctypes.byref(wanted), None, ctypes.byref(instance))
    return None if failed else instance


def _named(driver: _Driver, version: int) -> str:
    """Drivers older than Vulkan 1.2 have a number alone."""
    return f"{driver.name.decode()} {driver.info.decode()}".strip() or f"driver {version}"


if __name__ == "__main__":
    sys.stdout.write(json.dumps([asdict(device) for device in found()]))
