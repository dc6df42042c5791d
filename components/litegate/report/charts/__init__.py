"""The report's charts: SVG by matplotlib, which is imported here and nowhere else."""

from litegate.report.charts.intervals import Interval, intervals
from litegate.report.charts.stacks import Stack, stacks
from litegate.report.charts.tradeoff import Point, tradeoff

__all__ = ["Interval", "Point", "Stack", "intervals", "stacks", "tradeoff"]
