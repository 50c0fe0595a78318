"""Spans in W3C trace context, carried by messages in both styles, and the services' logs: kept in memory for the run folder."""

import json
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from opentelemetry.context import Context, attach, detach
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import ReadableSpan, SpanProcessor, TracerProvider
from opentelemetry.sdk.trace import Tracer as SdkTracer
from opentelemetry.sdk.trace.export import (
    BatchSpanProcessor,
    SpanExporter,
    SpanExportResult,
)
from opentelemetry.sdk.trace.sampling import ParentBasedTraceIdRatio
from opentelemetry.trace import SpanKind, get_current_span, set_span_in_context
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

from kernel.messages import Command

OTLP_TIMEOUT_S = 2.0
"""How long one export may take; what it costs is an end of the run that waits, never the work."""
OTLP_QUEUE = 100_000
"""Spans that wait to be sent; more are lost, and counted."""
_W3C = TraceContextTextMapPropagator()


class _Collected(SpanProcessor):
    """Keeps finished spans, at most `limit` of them."""

    def __init__(self, limit: int) -> None:
        self.spans: list[ReadableSpan] = []
        self.dropped = self.ended = 0
        self._left = limit

    def on_end(self, span: ReadableSpan) -> None:
        self.ended += 1
        if self._left > 0:
            self.spans.append(span)
            self._left -= 1
        else:
            self.dropped += 1


class _Sent(SpanExporter):
    """Sends finished spans to an OTLP endpoint, and counts those that it took."""

    def __init__(self, endpoint: str) -> None:
        self._exporter = OTLPSpanExporter(endpoint=endpoint, timeout=OTLP_TIMEOUT_S)
        self.taken = 0

    def export(self, spans: Sequence[ReadableSpan]) -> SpanExportResult:
        result = self._exporter.export(spans)
        if result is SpanExportResult.SUCCESS:
            self.taken += len(spans)
        return result

    def shutdown(self) -> None:
        self._exporter.shutdown()  # type: ignore[no-untyped-call]


_UNSAMPLED = ("-00", "-02")
"""How the traceparent of a trace ends that is not recorded: flags without the first bit; the second says that its id is random."""


class OtelTracer:
    """The Tracer port over opentelemetry-sdk. Spans and lines past `limit` are dropped, never the work.

    `sampling_ratio`: the share of traces that are recorded, decided where a trace begins. `otlp`: URL of an OTLP endpoint (HTTP,
    protobuf) that gets the spans as well, "" = none. `write_log`: where lines go at once, instead of being kept.
    """

    def __init__(
        self,
        *,
        limit: int = 100_000,
        sampling_ratio: float = 1.0,
        otlp: str = "",
        write_log: Callable[[dict[str, Any]], object] | None = None,
    ) -> None:
        self._collected = _Collected(limit)
        self._sent = _Sent(otlp) if otlp else None
        self._processors: list[SpanProcessor] = [self._collected]
        if self._sent is not None:
            self._processors.append(BatchSpanProcessor(self._sent, max_queue_size=OTLP_QUEUE))
        self._sampler = ParentBasedTraceIdRatio(sampling_ratio)
        self._tracers: dict[str, SdkTracer] = {}
        self._log: list[dict[str, Any]] = []
        self._log_dropped = 0
        self._log_limit, self._write_log = limit, write_log or self._keep_line

    @contextmanager
    def span(
        self,
        name: str,
        *,
        service: str,
        parent: str,
        order_id: str,
        kind: str = "internal",
        **attributes: str,
    ) -> Iterator[str]:
        """See ports.Tracer. In a trace that is not recorded nothing is made, and its context is passed on as it came."""
        if parent.endswith(_UNSAMPLED):
            token = attach(Context())
            try:
                yield parent
            finally:
                detach(token)
            return
        with self._of(service).start_as_current_span(
            name,
            context=_W3C.extract({"traceparent": parent}, context=Context()),
            kind=SpanKind[kind.upper()],
            attributes={"order_id": order_id, **attributes},
        ) as span:
            carrier: dict[str, str] = {}
            _W3C.inject(carrier, context=set_span_in_context(span))
            yield carrier["traceparent"]

    def tag(self, **attributes: str) -> None:
        """See ports.Tracer."""
        get_current_span().set_attributes(attributes)

    def event(self, name: str, **attributes: str) -> None:
        """See ports.Tracer."""
        get_current_span().add_event(name, attributes)

    def link(self, traceparent: str) -> None:
        """See ports.Tracer."""
        context = _W3C.extract({"traceparent": traceparent}, context=Context())
        get_current_span().add_link(get_current_span(context).get_span_context())

    def log(self, service: str, command: Command, outcome: str) -> None:
        """See ports.Tracer."""
        if self._log_limit:
            self._write_log(
                {
                    "wall_s": time.time(),
                    "service": service,
                    "order_id": command.order_id,
                    "operation": command.name,
                    "outcome": outcome,
                    "message_id": command.message_id,
                    "caused_by": command.caused_by,
                }
            )

    def take(self) -> list[dict[str, Any]]:
        """Every span finished since the last call, in OpenTelemetry's JSON form."""
        taken, self._collected.spans = self._collected.spans, []
        return [json.loads(span.to_json(indent=None)) for span in taken]

    def take_log(self) -> list[dict[str, Any]]:
        """Every line logged since the last call."""
        taken, self._log = self._log, []
        return taken

    def spans_of(self, order_id: str) -> list[dict[str, Any]]:
        """The spans of one order that are kept so far; they stay."""
        return [
            json.loads(span.to_json(indent=None))
            for span in self._collected.spans
            if (span.attributes or {}).get("order_id") == order_id
        ]

    def lines_of(self, order_id: str) -> list[dict[str, Any]]:
        """The log's lines about one order that are kept so far; they stay."""
        return [line for line in self._log if line["order_id"] == order_id]

    def close(self) -> list[str]:
        """Send what is not sent, and stop; what was lost, in words. May take as long as the OTLP endpoint lets it."""
        for processor in self._processors:
            processor.shutdown()
        told = []
        if self._collected.dropped:
            told.append(f"{self._collected.dropped} spans over the limit were not kept")
        if self._log_dropped:
            told.append(f"{self._log_dropped} lines of service logs over the limit were not kept")
        if self._sent is not None and (lost := self._collected.ended - self._sent.taken):
            told.append(f"the OTLP endpoint did not take {lost} of {self._collected.ended} spans")
        return told

    def _keep_line(self, line: dict[str, Any]) -> None:
        if len(self._log) < self._log_limit:
            self._log.append(line)
        else:
            self._log_dropped += 1

    def _of(self, service: str) -> SdkTracer:
        """Each service is a resource of its own, also where several share a process."""
        if service not in self._tracers:
            provider = TracerProvider(
                sampler=self._sampler,
                resource=Resource({"service.name": service}),
                shutdown_on_exit=False,
            )
            for processor in self._processors:
                provider.add_span_processor(processor)
            self._tracers[service] = provider.get_tracer("saga")  # type: ignore[assignment]
        return self._tracers[service]


class NoTracer:
    """The Tracer port of a system that records nothing."""

    @contextmanager
    def span(self, name: str, *, parent: str, order_id: str, **about: str) -> Iterator[str]:
        """Yield the parent unchanged."""
        yield parent

    def tag(self, **attributes: str) -> None:
        """Forget it."""

    def event(self, name: str, **attributes: str) -> None:
        """Forget it."""

    def link(self, traceparent: str) -> None:
        """Forget it."""

    def log(self, service: str, command: Command, outcome: str) -> None:
        """Forget it."""
