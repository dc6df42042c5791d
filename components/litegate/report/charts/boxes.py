"""Where names go beside the points that they name, so that none lies on another."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import chain

__all__ = ["Box", "placed"]


@dataclass(frozen=True)
class Box:
    """A rectangle by its middle, in points: x to the right, y upwards."""

    x: float
    y: float
    width: float
    height: float

    @property
    def left(self) -> float:
        """Its left edge."""
        return self.x - self.width / 2

    def meets(self, other: Box) -> bool:
        """Whether the two overlap."""
        apart = abs(self.x - other.x) >= (self.width + other.width) / 2
        return not apart and abs(self.y - other.y) < (self.height + other.height) / 2


def placed(points: Sequence[Box], names: Sequence[Box], taken: Sequence[Box], frame: Box) -> list[Box]:
    """A place for each name, as near to its point as everything else allows, the frame included.

    Args:
        points: the marks that are named; no line from another name to its mark crosses them.
        names: as large as they are, where they would be best.
        taken: what no name may lie on besides.
    """
    found: list[Box] = []
    for point, name in zip(points, names, strict=True):
        inside, others = _within(name, frame), (*points, *taken, *found)
        tries = (_within(replace(inside, x=inside.x + dx, y=inside.y + dy), frame) for dx, dy in _moves(name))
        free = (each for each in tries if not any(each.meets(other) for other in others))
        nearest = next(free, inside)
        clear = (each for each in chain((nearest,), free) if _is_clear(point, each, points))
        found.append(next(clear, nearest))
    return found


def _is_clear(point: Box, name: Box, points: Sequence[Box]) -> bool:
    """Whether the line from a mark to its name crosses no other mark."""
    others = [_part(other, 0.5) for other in points if not _part(other, 0.25).meets(_part(point, 0.25))]
    end = name.left if name.x > point.x else name.left + name.width
    steps = [step / 12 for step in range(13)]
    line = [Box(point.x + t * (end - point.x), point.y + t * (name.y - point.y), 1, 1) for t in steps]
    return not any(dot.meets(other) for dot in line for other in others)


def _part(box: Box, share: float) -> Box:
    """The middle of a box, that share of its width and height."""
    return replace(box, width=share * box.width, height=share * box.height)


def _within(box: Box, frame: Box) -> Box:
    """The box, moved into the frame."""
    across, along = (frame.width - box.width) / 2, (frame.height - box.height) / 2
    x = min(max(box.x, frame.x - across), frame.x + across)
    y = min(max(box.y, frame.y - along), frame.y + along)
    return replace(box, x=x, y=y)


def _moves(box: Box) -> list[tuple[float, float]]:
    """Where to try, the nearest first: up and down rather than to the sides."""
    steps = [side * step * box.height / 2 for step in range(1, 41) for side in (1, -1)]
    sides = [0.0, -box.width - 28, 24.0, 60.0, 120.0]
    moves = [(dx, dy) for dy in (0.0, *steps) for dx in sides]
    return sorted(moves, key=lambda move: abs(move[1]) + 0.6 * abs(move[0]))
