"""Step `prepare`: the user's function that makes a dataset, in the service environment."""

from __future__ import annotations

from litegate.digest import digest_file
from litegate.errors import BadInput
from litegate.records import Produced, ProduceRequest
from litegate.storage.user_objects import put
from litegate.user_code import entry_point
from litegate.work.step_work import Work

__all__ = ["run"]


def run(request: ProduceRequest, work: Work) -> Produced:
    """Call the function, and put the file that it wrote at the request's URI.

    Raises:
        BadInput: the function cannot be called, or wrote no file.
    """
    path = entry_point.call(request.entry_point, request.folder, request.arguments, work.folder / "written")
    if not path.is_file():
        raise BadInput(request.entry_point, "the path of a file", f"the folder {path.name}")
    put(path, request.uri)
    work.say("%s: %d bytes to %s", request.entry_point, path.stat().st_size, request.uri)
    return Produced(uri=request.uri, digest=digest_file(path), bytes=path.stat().st_size)
