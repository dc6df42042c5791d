"""What is carried to another host and back, and where in the workspace it lies meanwhile.

jobs/<id>/job.json         to there
jobs/<id>/result.json      from there, if the step left one
jobs/<id>/error.json       the same
jobs/<id>/returned.json    written last: how the process ended, and the files that are in the workspace now
"""

from __future__ import annotations

from typing import Any, Self

from litegate.execution.executor import Ending
from litegate.execution.machine import processor_type
from litegate.execution.result_key import result_keys
from litegate.execution.step import Step
from litegate.failures import FailureKind
from litegate.records import FileRef, Record
from litegate.records.fields import Digest
from litegate.settings import Settings

__all__ = ["JOB", "RETURNED", "SAID_BY_STEP", "Circumstances", "Job", "Returned", "object_name"]

JOB, RETURNED = "job.json", "returned.json"
SAID_BY_STEP = ("result.json", "error.json")


def object_name(job: str, name: str) -> str:
    """The object in the workspace that holds a part of a job."""
    return f"jobs/{job}/{name}"


class Circumstances(Record):
    """What the result of a job is stored under, and what can be said of it where it differs.

    Attributes:
        keys: of the request, litegate's source, what is installed and the machine; see `result_keys`.
        processor: the type of the processor.
    """

    keys: tuple[Digest, ...]
    processor: str

    @classmethod
    def here(cls, step: Step, request: Record, places: Settings) -> Self:
        """Those of this host."""
        keys = result_keys(step, request, step.python(request, places.pythons))
        return cls(keys=keys, processor=processor_type())

    def differ(self, here: Circumstances) -> str:
        """How those of another host differ from these; empty if they do not."""
        if self.keys == here.keys:
            return ""
        if self.processor != here.processor:
            return f"expected the processor {self.processor}, got {here.processor}: select nodes that have it"
        return "the same processor, but another release of litegate or other packages: use images of one build"


class Job(Record):
    """A step that another host is to run.

    Attributes:
        step: its name.
        request: its request, as JSON.
        circumstances: those of the host that will store the result.
        variables: limits and other environment variables that the process would get here, but for those that only
            mean something here.
    """

    step: str
    request: dict[str, Any]
    circumstances: Circumstances
    variables: dict[str, str]


class Returned(Record):
    """How the process of a job ended; the fields of `Ending`.

    Attributes:
        outputs: files that it wrote, and that are in the workspace now.
        refused: why it was not started at all; empty if it was.
    """

    code: int = 0
    said: str = ""
    timed_out: bool = False
    memory_short: bool = False
    exceeded: tuple[FailureKind, str] | None = None
    not_isolated: tuple[str, ...] = ()
    outputs: tuple[FileRef, ...] = ()
    refused: str = ""

    @classmethod
    def of(cls, ending: Ending) -> Self:
        """What is known of a process where it ran."""
        return cls(
            code=ending.code,
            said=ending.said,
            timed_out=ending.timed_out,
            memory_short=ending.memory_short,
            exceeded=ending.exceeded,
            not_isolated=ending.not_isolated,
        )

    @property
    def ending(self) -> Ending:
        """The same, for whoever asked for the step."""
        return Ending(self.code, self.said, self.timed_out, self.memory_short, self.exceeded, self.not_isolated)
