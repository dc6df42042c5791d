"""Training anew: the user's own code, when it runs, and where what it makes may go."""

from __future__ import annotations

import re
from typing import Annotated, Self

from pydantic import Field, JsonValue, model_validator
from pydantic_core import PydanticCustomError

from litegate.spec.section import Cron, EntryPoint, Section

__all__ = ["Retrain", "is_written_whole"]

_WRITTEN_WHOLE = re.compile(r"[^*?]*(\*[^*?]*)?\.(keras|h5)|[^*?]*\*[^*?]*/saved_model\.pb")


class Retrain(Section):
    """The user's training: a function or a command, in the TensorFlow environment."""

    entry_point: EntryPoint | None = Field(
        None,
        description="`package.module:function`, imported from beside the spec file or from the TensorFlow environment. "
        "It is called as `function(folder, **arguments)` and returns the path of what it wrote. Either this or "
        "`command`.",
    )
    command: list[Annotated[str, Field(min_length=1)]] | None = Field(
        None,
        min_length=1,
        description="A program and its arguments, run in the spec's folder; it writes to `$LITEGATE_OUTPUT`, which is "
        "also `{output}` in the arguments.",
    )
    arguments: dict[str, JsonValue] = Field(default_factory=dict, description="The function's arguments by name.")
    schedule: Cron | None = Field(None, description="A cron expression (UTC); by hand if null.")
    time_limit: int = Field(6 * 3600, ge=1, description="Seconds after which the training is ended.")

    @model_validator(mode="after")
    def _one_way_to_train(self) -> Self:
        if (self.entry_point is None) == (self.command is None):
            got = "neither" if self.command is None else "both"
            raise PydanticCustomError("named", "either entry_point or command", {"got": got})
        if self.command is not None and self.arguments:
            found = {"got": "both", "key": "arguments"}
            raise PydanticCustomError("named", "the arguments of a command in the command itself", found)
        return self


def is_written_whole(uri: str) -> bool:
    """Whether a model can be put there so that nobody ever sees half of it.

    That is a single file, whose name says of which kind, or a version of its own in the place of one `*`.
    """
    return _WRITTEN_WHOLE.fullmatch(uri) is not None
