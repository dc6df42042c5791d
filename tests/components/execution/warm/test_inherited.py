"""Which variables a process cannot change once it has begun."""

from __future__ import annotations

import pytest

from litegate.execution.warm.inherited import at_start


@pytest.mark.parametrize("name", ["PYTHONHASHSEED", "LD_LIBRARY_PATH", "OMP_NUM_THREADS", "LC_ALL"])
def test_what_is_read_at_the_start_counts(name: str) -> None:
    assert at_start({name: "1"}) == {name: "1"}


@pytest.mark.parametrize("name", ["PYTHONDONTWRITEBYTECODE", "HOME", "AWS_SECRET_ACCESS_KEY", "LITEGATE_HOME"])
def test_what_changes_no_result_does_not(name: str) -> None:
    assert at_start({name: "1"}) == {}
