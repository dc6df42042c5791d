"""What the values of an input look like, small enough to travel and to be kept."""

from __future__ import annotations

from litegate.records.base import Record
from litegate.records.fields import Count, Share

__all__ = ["InputStatistics"]


class InputStatistics(Record):
    """Statistics over all values of one input, in real numbers after `preprocess`.

    Attributes:
        samples: how many samples they are of.
        low, high, mean, std: over all values.
        tails: the 0.1 and 99.9 % quantiles.
        edges: the distinct deciles; bin i holds the values above edge i - 1 and up to edge i.
        shares: of the values in each bin, one more than there are edges.
    """

    samples: Count
    low: float
    high: float
    mean: float
    std: float
    tails: tuple[float, float]
    edges: tuple[float, ...]
    shares: tuple[Share, ...]
