"""What is asked and found about a dataset of which nothing is known yet but its format."""

from __future__ import annotations

from litegate.records.artifacts import TensorSpec
from litegate.records.base import Record
from litegate.records.fields import Count
from litegate.records.sources import DataRef

__all__ = ["DataField", "InferSchemaRequest", "InferredSchema"]


class InferSchemaRequest(Record):
    """A pinned dataset and the inputs that it is to feed; `where` names it in messages."""

    data: DataRef
    inputs: dict[str, TensorSpec]
    where: str


class DataField(Record):
    """A field of one sample.

    Attributes:
        dtype: NumPy's name of its type, `image` for an encoded one, `text` for what is no number.
        shape: without the samples' axis; (height, width, channels) of an image.
        low, high: of whole numbers, of a float type too, over some samples from everywhere; None where they were not
            looked at, or some are not whole.
    """

    dtype: str
    shape: tuple[int, ...]
    low: int | None = None
    high: int | None = None


class InferredSchema(Record):
    """What a dataset holds, as its first sample shows it.

    Attributes:
        samples: how many there are.
        fields: by name.
        classes: the names that the folders of images give.
    """

    samples: Count
    fields: dict[str, DataField]
    classes: tuple[str, ...] = ()
