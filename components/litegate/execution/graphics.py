"""What a step that computes on a Vulkan device needs of this machine, and no other step sees."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

from litegate.records import Record
from litegate.runtimes import runtime_row, vulkan

__all__ = ["device_nodes", "devices", "driver_files"]

_DEV = Path("/dev")
_NODES = ("dri/*", "nvidia*", "nvidia-caps/*", "kfd", "dxg")
_SYSTEM = ("/etc/vulkan", "/etc/drirc", "/sys/dev/char", "/sys/devices", "/sys/class/drm", "/sys/bus/pci")


def devices(request: Record) -> tuple[str, ...]:
    """The Vulkan devices that the result of a request depends on; none for one that is not computed on any.

    Raises:
        BadInput: it is to be computed on one, and there is none.
    """
    return tuple(map(str, vulkan.needed())) if _on_vulkan(request) else ()


def driver_files(request: Record) -> Iterator[str]:
    """Folders of drivers that lie outside of the system's, and what drivers read of the machine."""
    if _on_vulkan(request):
        yield from filter(os.path.exists, _SYSTEM)
        yield from filter(None, os.environ.get("LD_LIBRARY_PATH", "").split(os.pathsep))
        for variable in vulkan.VARIABLES:
            yield from filter(None, os.environ.get(variable, "").split(os.pathsep))
        yield from (str(Path(name).parent) for name in vulkan.driver_libraries() if os.sep in name)


def device_nodes(request: Record) -> Iterator[str]:
    """Those of graphics processors, which the step may open for writing, and control."""
    if _on_vulkan(request):
        yield from (str(path) for pattern in _NODES for path in sorted(_DEV.glob(pattern)) if not path.is_dir())


def _on_vulkan(request: Record) -> bool:
    name = getattr(request, "runtime", None)
    return isinstance(name, str) and runtime_row(name).vulkan
