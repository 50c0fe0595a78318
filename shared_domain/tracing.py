"""Spans in W3C trace context, carried by messages in both styles, collected in memory for the run folder."""

import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor, SpanExporter, SpanExportResult
from opentelemetry.trace import set_span_in_context
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

_W3C = TraceContextTextMapPropagator()


class _Collected(SpanExporter):
    """Keeps finished spans, at most `limit` of them."""

    def __init__(self, limit: int) -> None:
        self.spans: list[ReadableSpan] = []
        self._limit = limit

    def export(self, spans: Sequence[ReadableSpan]) -> SpanExportResult:
        if len(self.spans) < self._limit:
            self.spans += spans
        return SpanExportResult.SUCCESS


class OtelTracer:
    """The Tracer port over opentelemetry-sdk. Spans past `limit` are dropped, never the work."""

    def __init__(self, *, limit: int = 100_000) -> None:
        self._collected = _Collected(limit)
        self._provider = TracerProvider(shutdown_on_exit=False)
        self._provider.add_span_processor(SimpleSpanProcessor(self._collected))
        self._tracer = self._provider.get_tracer("saga")

    @contextmanager
    def span(self, name: str, *, parent: str, order_id: str) -> Iterator[str]:
        """See ports.Tracer."""
        context = _W3C.extract({"traceparent": parent}) if parent else None
        with self._tracer.start_as_current_span(
            name, context=context, attributes={"order_id": order_id}
        ) as span:
            carrier: dict[str, str] = {}
            _W3C.inject(carrier, context=set_span_in_context(span))
            yield carrier["traceparent"]

    def take(self) -> list[dict[str, Any]]:
        """Every span finished since the last call, in OpenTelemetry's JSON form."""
        taken, self._collected.spans = self._collected.spans, []
        return [json.loads(span.to_json(indent=None)) for span in taken]


class NoTracer:
    """The Tracer port of a system that records nothing."""

    @contextmanager
    def span(self, name: str, *, parent: str, order_id: str) -> Iterator[str]:
        """Yield the parent unchanged."""
        yield parent
