"""The kinds of a step's failure, and which of them an exception is.

| kind | what happened | tried again |
|---|---|---|
| `segfault`, `abort`, `bus_error`, `illegal_instruction`, `arithmetic_error`, `crash` | native code crashed | no |
| `out_of_memory` | an allocation beyond the step's own limit | no |
| `oom_killed` | killed while the kernel was short of memory | twice, by `StepRun` |
| `killed`, `signal` | ended from outside | twice, by `StepRun` |
| `interrupted` | ended with whoever waits for it | by Airflow |
| `timeout` | ended by us | no |
| `too_many_processes`, `disk_limit` | ended by its supervisor, for taking more than it may have | no |
| `disk_full` | the disk of a folder that it writes to is full | no |
| `python_error` | an exception, or an exit code of its own | no |
| `exit_code` | the user's command ended with another exit code than 0 | no |
| `infrastructure` | a server did not answer | by Airflow |
| `no_result` | exit code 0, and nothing else | no |
| `forged_result` | a result that the step cannot have made | no |
"""

from __future__ import annotations

import re
import signal
from collections.abc import Iterator

from litegate.disk import FULL, is_full

__all__ = [
    "CRASHES",
    "NO_ROOM",
    "PASSING",
    "RETRIED",
    "disk_full",
    "kind_of",
    "named_signal",
    "out_of_memory",
]

PASSING = frozenset({"killed", "oom_killed", "signal"})
"""What may well go differently a little later; what ends so three times in a row will not."""

RETRIED = frozenset({"infrastructure", "interrupted"})
"""What a scheduler may try again. All others have been tried often enough, or would end in the same way again."""

_SIGNALS = {
    "SIGSEGV": "segfault",
    "SIGABRT": "abort",
    "SIGBUS": "bus_error",
    "SIGILL": "illegal_instruction",
    "SIGFPE": "arithmetic_error",
    "SIGKILL": "killed",
    **dict.fromkeys(("SIGTERM", "SIGINT", "SIGHUP", "SIGQUIT", "SIGPWR"), "signal"),
}
CRASHES = frozenset({*_SIGNALS.values(), "crash", "out_of_memory", "exit_code"})
"""Kinds of which the last words of a process tell more."""

_NETWORK = ("botocore", "requests", "urllib3")
NO_ROOM = re.compile(r"No space left on device|Disk quota exceeded|database or disk is full")
"""A full disk, as the C library, quotas and SQLite say it."""


def kind_of(error: BaseException) -> str:
    """What an exception amounts to, by itself and what it was raised for."""
    if disk_full(error):
        return FULL
    if out_of_memory(error):
        return "out_of_memory"
    if any(isinstance(each, ConnectionError | TimeoutError) or _of_network(each) for each in _chain(error)):
        return "infrastructure"
    return "python_error"


def disk_full(error: BaseException) -> bool:
    """Whether a disk was full; libraries tell it in words alone, and TensorFlow as a resource that is exhausted."""
    return any(is_full(each) or NO_ROOM.search(str(each)) for each in _chain(error, all_of_it=False))


def out_of_memory(error: BaseException) -> bool:
    """Whether memory ran out, also in another process that handed its exception over."""
    for each in _chain(error, all_of_it=False):
        name = type(each).__name__
        if isinstance(each, MemoryError) or name == "ResourceExhaustedError":
            return True
        if name == "_RemoteTraceback" and re.search(r"^\S*MemoryError\b", str(each), re.MULTILINE):
            return True
    return False


def named_signal(number: int) -> tuple[str, str]:
    """Kind and name of a signal."""
    name = next((each.name for each in signal.Signals if each == number), f"signal {number}")
    return _SIGNALS.get(name, "crash"), name


def _of_network(error: BaseException) -> bool:
    return type(error).__module__.startswith(_NETWORK)


def _chain(error: BaseException, all_of_it: bool = True) -> Iterator[BaseException]:
    """An exception and what it was raised for; what `from None` left out only with `all_of_it`."""
    seen: BaseException | None = error
    while seen is not None:
        yield seen
        context = None if seen.__suppress_context__ and not all_of_it else seen.__context__
        seen = seen.__cause__ or context
