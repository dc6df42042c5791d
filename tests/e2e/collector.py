"""A server that takes what OpenTelemetry sends, by its own protocol (OTLP over HTTP)."""

from __future__ import annotations

import gzip
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceRequest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

__all__ = ["Collector", "collecting"]

_PATIENCE = 120.0


@dataclass
class Collector:
    """What has come so far: spans, and for each metric the attributes of its points."""

    url: str = ""
    spans: list[Any] = field(default_factory=list)
    metrics: dict[str, list[dict[str, str]]] = field(default_factory=dict)

    @property
    def environment(self) -> dict[str, str]:
        """What tells Airflow to send everything here."""
        return {
            "AIRFLOW__METRICS__OTEL_ON": "True",
            "AIRFLOW__TRACES__OTEL_ON": "True",
            "OTEL_EXPORTER_OTLP_ENDPOINT": self.url,
            "OTEL_EXPORTER_OTLP_PROTOCOL": "http/protobuf",
            "OTEL_METRICS_EXPORTER": "otlp",
            "OTEL_TRACES_EXPORTER": "otlp_proto_http",
        }

    def wait(self, found: Callable[[Collector], bool]) -> None:
        """Until something has come: processes send it when they end."""
        end = time.monotonic() + _PATIENCE
        while not found(self):
            assert time.monotonic() < end, f"it has not come: {sorted(self.metrics)}"
            time.sleep(0.2)

    def take(self, path: str, body: bytes) -> None:
        """Keep what a client has sent."""
        if path.endswith("/traces"):
            request = ExportTraceServiceRequest.FromString(body)
            self.spans += [
                span for each in request.resource_spans for scope in each.scope_spans for span in scope.spans
            ]
            return
        for each in ExportMetricsServiceRequest.FromString(body).resource_metrics:
            for metric in (metric for scope in each.scope_metrics for metric in scope.metrics):
                points = getattr(metric, metric.WhichOneof("data")).data_points
                self.metrics.setdefault(metric.name, []).extend(map(attributes, points))


def attributes(item: Any) -> dict[str, str]:
    """The texts among the attributes of a span or of a point."""
    return {each.key: each.value.string_value for each in item.attributes}


@contextmanager
def collecting() -> Iterator[Collector]:
    """A collector that runs meanwhile."""
    collector = Collector()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            collector.take(self.path, gzip.decompress(body) if self.headers["Content-Encoding"] == "gzip" else body)
            self.send_response(200)
            self.end_headers()

        def log_message(self, *arguments: Any) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        collector.url = f"http://127.0.0.1:{server.server_address[1]}"
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        yield collector
        server.shutdown()
        thread.join()
