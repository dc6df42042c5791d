"""The error tree: exit codes, messages, and the way through pickle."""

from __future__ import annotations

import pickle

import pytest

from litegate import errors
from litegate.failures import FailureKind


@pytest.mark.parametrize("name", errors.__all__)
def test_every_error_is_drawn_in_the_tree(name: str) -> None:
    assert name in (errors.__doc__ or "")
    assert issubclass(getattr(errors, name), errors.LitegateError)


def test_nothing_public_is_missing_from_all() -> None:
    defined = {name for name, value in vars(errors).items() if isinstance(value, type) and issubclass(value, Exception)}
    assert defined == set(errors.__all__)


@pytest.mark.parametrize(
    "error",
    [errors.DataError("calibration.uri", "an image", "a text"), errors.StepFailed("quantize", "segfault", "SIGSEGV")],
)
def test_errors_survive_pickling(error: Exception) -> None:
    again = pickle.loads(pickle.dumps(error))
    assert (type(again), str(again), vars(again)) == (type(error), str(error), vars(error))


def test_exit_codes_are_those_of_the_command_line() -> None:
    assert errors.SpecError("a", "b", "c").exit_code == errors.BadInput.exit_code == 2
    assert errors.GateRejected().exit_code == 3
    assert errors.StepFailed("a", FailureKind.CRASH, "c").exit_code == 1
