"""A step's child process: `python -m litegate.sandbox STEP FOLDER CACHE`.

Applies FOLDER/confinement.json to itself and then runs the step, see `litegate.steps.child`.
"""

from __future__ import annotations

import json
import logging
import os
import sys
from pathlib import Path

from litegate.process import die_with_parent, network_of
from litegate.sandbox import REPORT, Confinement
from litegate.sandbox.files import close_files
from litegate.sandbox.landlock import NETWORK_VERSION
from litegate.sandbox.limits import set_limits
from litegate.sandbox.namespaces import drop_capabilities, leave_network

__all__ = ["confine", "main"]


def main(arguments: list[str]) -> int:
    """Confine this process, run the step and return the exit code."""
    name, folder, cache = arguments[0], Path(arguments[1]), Path(arguments[2])
    confinement = Confinement.load(folder / "confinement.json")
    missing = confine(confinement)
    report = {"network": network_of() if confinement.confined else "", "missing": missing}
    sys.stdout.write(f"{REPORT}{json.dumps(report)}\n")
    sys.stdout.flush()  # before anything that is not ours can say the like
    if missing and confinement.required:
        message = f"LITEGATE_ISOLATION=required, but this host gives {'; '.join(missing)}"
        (folder / "error.json").write_text(json.dumps({"kind": "not_isolated", "message": message}))
        return 1
    from litegate.steps.child import run_step

    return run_step(name, folder, cache, missing)


def confine(confinement: Confinement) -> tuple[str, ...]:
    """Apply limits, and isolation as far as the kernel lets us.

    Returns:
        What it does not let us do, in words.
    """
    missing = _isolate(confinement) if confinement.confined else ()
    die_with_parent(confinement.parent)
    set_limits(confinement.memory, confinement.file_size)
    return missing


def _isolate(confinement: Confinement) -> tuple[str, ...]:
    network = own_memory = files = None
    landlock = 0
    try:
        own_memory = leave_network()
    except OSError as error:
        network = error
    drop_capabilities()
    try:
        landlock = close_files(confinement)
    except OSError as error:
        files = error
    return tuple(_missing(network, own_memory, files, landlock))


def _missing(network: OSError | None, own_memory: bool | None, files: OSError | None, landlock: int) -> list[str]:
    said = []
    if network is not None:
        rest = "TCP alone is closed" if landlock >= NETWORK_VERSION else "the network is open"
        said.append(f"no network namespace ({network.strerror}): {rest}")
    elif not own_memory:
        said.append("no mount namespace: /dev/shm is shared with the host")
    if files is not None:
        said.append(f"no Landlock ({files.strerror}): files are as open as they are to the user")
    return said


if __name__ == "__main__":
    code = main(sys.argv[1:])
    logging.shutdown()
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code)  # what crashes while it is taken down takes no result along
