"""The child's side of the step contract: `python -m litegate.steps.child STEP FOLDER CACHE`.

Reads FOLDER/request.json, writes FOLDER/result.json whole. Exit code 0: done; 2: bad input, described in
FOLDER/error.json; anything else: a crash, which the parent classifies.
"""

from __future__ import annotations

import importlib
import json
import logging
import sys
import traceback
from pathlib import Path

from litegate.errors import BadInput, StepFailed
from litegate.process import die_with_parent
from litegate.steps import STEPS
from litegate.work import Work

__all__ = ["main"]

_NETWORK = ("botocore", "requests", "urllib3")


def main(arguments: list[str]) -> int:
    """Run one step as described above and return the exit code."""
    name, folder, cache = arguments[0], Path(arguments[1]), Path(arguments[2])
    die_with_parent()
    logging.basicConfig(level=logging.INFO, format="%(message)s", stream=sys.stderr)
    step = STEPS[name]
    request = step.request.model_validate_json((folder / "request.json").read_text())
    try:
        result = importlib.import_module(f"litegate.steps.{name}").run(request, Work(folder, cache))
    except BadInput as error:
        _write(folder / "error.json", {"kind": "bad_input", "message": str(error)})
        return BadInput.exit_code
    except StepFailed as error:
        _write(folder / "error.json", {"kind": error.kind, "message": error.detail})
        return 1
    except Exception as error:
        traceback.print_exc()
        _write(folder / "error.json", {"kind": _kind(error), "message": f"{type(error).__name__}: {error}"})
        return 1
    _write(folder / "result.json", result.to_json())
    return 0


def _kind(error: BaseException) -> str:
    """A server that did not answer may answer the next time; everything else would fail the same way again."""
    seen: BaseException | None = error
    while seen is not None:
        if isinstance(seen, ConnectionError | TimeoutError) or type(seen).__module__.startswith(_NETWORK):
            return "infrastructure"
        seen = seen.__cause__ or seen.__context__
    return "python_error"


def _write(path: Path, value: object) -> None:
    temporary = path.with_suffix(".tmp")
    temporary.write_text(json.dumps(value, allow_nan=False))
    temporary.replace(path)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
