"""What Linux tells of the host's load."""

from __future__ import annotations

import os

import pytest

from litegate.latency.host import Watch, others_share, waited_share

TICKS = os.sysconf("SC_CLK_TCK")


def stat(user: int, idle: int, iowait: int = 0, guest: int = 0) -> str:
    return f"cpu  {user} 0 0 {idle} {iowait} 0 0 0 {guest} 0\ncpu0 1 2 3\n"


def test_others_used_what_is_neither_idle_nor_ours() -> None:
    """Of two processors, in ten seconds: five seconds of work, of which two were ours."""
    before, after = stat(100, 1000), stat(100 + 5 * TICKS, 1000 + 12 * TICKS, 3 * TICKS, guest=TICKS)
    assert others_share(before, after, 2.0) == pytest.approx(0.15)


def test_a_share_is_never_beyond_its_bounds() -> None:
    assert others_share(stat(0, 0), stat(TICKS, TICKS), 1.5) == 0.0
    assert waited_share("1 0 1", "1 9000000000 1", 1.0) == 1.0


def test_waiting_is_told_in_nanoseconds() -> None:
    assert waited_share("5 1000000000 7", "9 1500000000 9", 2.0) == pytest.approx(0.25)


@pytest.mark.parametrize("text", ["", "intr 1 2", "cpu a b c d e f g h"])
def test_where_linux_does_not_say_what_others_used_it_is_not_known(text: str) -> None:
    assert others_share(text, text, 0.0) is None


@pytest.mark.parametrize("text", ["", "1", "1 b 3"])
def test_where_linux_does_not_say_how_long_it_waited_it_is_not_known(text: str) -> None:
    assert waited_share(text, text, 1.0) is None


def test_this_host_says_so() -> None:
    load = Watch().load()
    assert load.waited is not None
