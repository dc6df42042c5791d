"""Whether the champion still is what it was promoted for, asked again and again on new data."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from litegate.spec.choices import MIN_SAMPLES
from litegate.spec.gate import Gate, Limits
from litegate.spec.inputs import GroupedData
from litegate.spec.section import Cron

__all__ = ["Requalify"]


class Requalify(Limits, GroupedData):
    """Fresh data, when they are looked at, what the champion must keep on them, and what follows if it does not.

    The limits that are left out are those of the gate. The address is listed anew at each run, so that a folder,
    prefix or glob that grows is fresh data.
    """

    schedule: Cron | None = Field(None, description="A cron expression (UTC); by hand if null.")
    max_samples: int | None = Field(None, ge=MIN_SAMPLES, description="At most so many samples; all of them if null.")
    max_outside: float | None = Field(
        0.05,
        ge=0,
        lt=1,
        description="Largest share of an input's values outside of the calibrated range; not asked if null.",
    )
    max_shift: float | None = Field(
        0.5,
        gt=0,
        description="Largest shift of an input's mean, in standard deviations of the calibration samples; not asked if "
        "null.",
    )
    max_psi: float | None = Field(
        0.25,
        gt=0,
        description="Largest population stability index of an input, and of the predicted classes; not asked if null.",
    )
    on_failure: Literal["alert", "rollback"] = Field(
        "alert", description="What follows if a limit is broken or a class is lost: `alert` or `rollback`."
    )
    on_drift: Literal["record", "alert", "rollback"] = Field(
        "alert", description="What follows if the data drifted: `record`, `alert` or `rollback`."
    )

    @property
    def policy(self) -> Gate:
        """The limits as the gate judges them; nothing about the file, which is the one that passed.

        That of slices is the gate's where it is left out, which asks nothing of data without slices.
        """
        limits = {name: getattr(self, name) for name in Limits.model_fields}
        return Gate(**limits if self.slices else limits | {"max_slice_drop": None})
