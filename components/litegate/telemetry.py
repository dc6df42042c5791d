"""Spans of OpenTelemetry for what takes time: where somebody has set it up, as Airflow does, and else nothing.

Who runs litegate decides where spans go; here they are only made (https://opentelemetry.io/docs/languages/python).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

try:
    from opentelemetry import trace
except ImportError:  # it comes with Airflow and with MLflow, and the environment of the steps has neither
    trace = None  # type: ignore[assignment]

__all__ = ["Noted", "span"]

Noted = dict[str, Any]
"""Attributes that are known only at the end."""


@contextmanager
def span(name: str, attributes: Mapping[str, Any]) -> Iterator[Noted]:
    """A span around a block, within the one that is current; an exception ends it as an error.

    Args:
        name: `litegate.<what>`.
        attributes: numbers, texts and truth values by name.

    Yields:
        Takes further attributes.
    """
    noted: Noted = {}
    if trace is None:
        yield noted
        return
    with trace.get_tracer("litegate").start_as_current_span(name, attributes=attributes) as current:
        try:
            yield noted
        finally:
            current.set_attributes(noted)
