"""Why a stack does not run, or what last went wrong with it, from what its supervisor left."""

from __future__ import annotations

import psutil

from litegate.stack.home import Home
from litegate.stack.state import Stack

__all__ = ["last_error"]


def last_error(home: Home, stack: Stack) -> str | None:
    """What went wrong with a stack last, for people; None if nothing did."""
    latest = stack.deaths[-1].with_log if stack.deaths else None
    if stack.alive:
        return latest
    why = stack.error or _why_gone(home, stack)
    return f"{why}\nbefore that: {latest}" if latest and not stack.error else why


def _why_gone(home: Home, stack: Stack) -> str:
    try:
        written = home.state.stat().st_mtime
    except FileNotFoundError:
        return "somebody stopped the servers"
    if written < psutil.boot_time():
        return "the host was restarted while the servers ran"
    doing = {"starting": "while the servers started", "stopping": "while it stopped the servers"}
    when = doing.get(stack.phase, "while the servers ran")
    return f"the supervisor (process {stack.pid}) was killed {when}; its log is {home.log('supervisor')}"
