"""What a job says of the host that asks, and of how its process ended."""

from __future__ import annotations

import pytest

from litegate.execution.executor import Ending
from litegate.failures import FailureKind
from litegate.remote.job import Circumstances, Returned

HERE = Circumstances(key="a" * 64, processor="x86_64, one")


@pytest.mark.parametrize(
    ("here", "says"),
    [
        (HERE, ""),
        (Circumstances(key="a" * 64, processor="x86_64, two"), ""),
        (Circumstances(key="b" * 64, processor="x86_64, two"), "got x86_64, two: select nodes that have it"),
        (Circumstances(key="b" * 64, processor="x86_64, one"), "use images of one build"),
    ],
)
def test_another_key_is_refused_with_what_differs(here: Circumstances, says: str) -> None:
    found = HERE.differ(here)
    assert bool(found) is bool(says)
    assert found.endswith(says)


def test_an_ending_comes_back_as_it_was() -> None:
    exceeded = FailureKind.DISK_LIMIT, "the step's files took more than 16 GiB"
    ending = Ending(-9, "last words", True, True, exceeded, ("no network namespace",))
    assert Returned.model_validate_json(Returned.of(ending).model_dump_json()).ending == ending
