"""What becomes of findings: the spec allows some, and the errors that are left stop the run."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from litegate.errors import DataError
from litegate.records import DataFinding, DataInUse, LintRequest

__all__ = ["allowed", "refuse_errors"]

_WANTED = {"calibration": "sane calibration data", "evaluation": "an evaluation that means something"}


def allowed(finding: DataFinding, codes: Iterable[str]) -> DataFinding:
    """The finding, a warning if its code is among those that the spec allows."""
    return finding.model_copy(update={"severity": "warning"}) if finding.code in codes else finding


def refuse_errors(findings: Sequence[DataFinding], request: LintRequest | DataInUse) -> None:
    """Stop at errors.

    Raises:
        DataError: there are some; it names all of them, those of calibration first.
    """
    places = {"calibration": request.calibration.uri, "evaluation": request.evaluation.uri}
    errors = {data: [each for each in findings if each.severity == "error" and each.data == data] for data in places}
    wrong = [data for data in places if errors[data]]
    if not wrong:
        return
    where = ", ".join(f"{data}.uri {places[data]}" for data in wrong)
    expected = " and ".join(
        f"{_WANTED[data]} ({data}.allow makes a warning of {_codes(errors[data])})" for data in wrong
    )
    raise DataError(where, expected, "; ".join(_said(each) for data in wrong for each in errors[data]))


def _codes(errors: Sequence[DataFinding]) -> str:
    return ", ".join(sorted({each.code for each in errors}))


def _said(error: DataFinding) -> str:
    return f"{error.code}{f' ({error.input})' if error.input else ''}: {error.message}"
