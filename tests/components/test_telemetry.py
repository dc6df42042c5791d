"""Spans are made where somebody has set OpenTelemetry up, and cost nothing elsewhere."""

from __future__ import annotations

import pytest
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from litegate import telemetry
from litegate.telemetry import span


@pytest.fixture
def exporter(monkeypatch: pytest.MonkeyPatch) -> InMemorySpanExporter:
    found, provider = InMemorySpanExporter(), TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(found))
    monkeypatch.setattr(telemetry.trace, "get_tracer", provider.get_tracer)
    return found


def test_a_span_is_within_another_and_takes_what_is_known_at_its_end(exporter: InMemorySpanExporter) -> None:
    with span("litegate.outer", {"litegate.step": "outer"}), span("litegate.inner", {}) as noted:
        noted["litegate.computed"] = True
    inner, outer = exporter.get_finished_spans()
    assert (inner.name, dict(inner.attributes)) == ("litegate.inner", {"litegate.computed": True})
    assert inner.parent.span_id == outer.context.span_id
    assert dict(outer.attributes) == {"litegate.step": "outer"}


def failing() -> None:
    with span("litegate.step", {}) as noted:
        noted["litegate.computed"] = False
        raise ValueError("no")


def test_an_exception_ends_it_as_an_error_and_goes_on(exporter: InMemorySpanExporter) -> None:
    with pytest.raises(ValueError, match="no"):
        failing()
    (found,) = exporter.get_finished_spans()
    assert (found.status.is_ok, dict(found.attributes)) == (False, {"litegate.computed": False})


def test_without_opentelemetry_there_are_none(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(telemetry, "trace", None)
    with span("litegate.step", {}) as noted:
        noted["litegate.computed"] = True
    with pytest.raises(ValueError, match="no"):
        failing()
