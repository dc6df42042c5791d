"""Step `survey`: what a data set holds, for a spec that is yet to be written."""

from __future__ import annotations

from litegate.datasets.survey import survey
from litegate.records import Surveyed, SurveyRequest
from litegate.work.step_work import Work

__all__ = ["run"]


def run(request: SurveyRequest, work: Work) -> Surveyed:
    """Count the samples, and look at the fields of the first.

    Raises:
        DataError: the data set cannot be read, or has no samples.
    """
    found = survey(request.data, work, request.where, request.inputs)
    work.say("survey: %s holds %s samples of %s", request.data.uri, f"{found.samples:,}", ", ".join(found.fields))
    return found
