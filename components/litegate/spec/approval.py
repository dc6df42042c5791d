"""Whether a person must accept what passed the gate, who may, and what happens where nobody answers."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field
from pydantic_core import PydanticCustomError

from litegate.spec.section import Section

__all__ = ["Approval", "OptionalApproval"]


class Approval(Section):
    """How long a run waits for a person, what comes of it without an answer, and who may answer."""

    timeout_hours: float = Field(
        72.0, gt=0, le=8760, description="How long the run waits for an answer; fractions are fine."
    )
    on_timeout: Literal["fail", "reject", "promote"] = Field(
        "fail", description="What comes of it without an answer: `fail` (nothing is decided), `reject` or `promote`."
    )
    users: list[Annotated[str, Field(min_length=1)]] = Field(
        default_factory=list,
        description="Airflow's ids of those who may answer; whoever may use the DAG if empty.",
    )


def _named(value: Any) -> Any:
    """`human` and `none` stand for a mapping without keys and for nothing."""
    if value == "human":
        return {}
    if value is None or value == "none":
        return None
    if not isinstance(value, dict | Approval):
        raise PydanticCustomError("named", "none, human or a mapping", {"got": repr(value)})
    return value


OptionalApproval = Annotated[Approval | None, BeforeValidator(_named)]
"""`none`, `human`, or a mapping with the keys of `Approval`, which means `human`."""
