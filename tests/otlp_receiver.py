"""A small OTLP endpoint over HTTP: keeps the spans that it is sent."""

from contextlib import asynccontextmanager

from aiohttp import web
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest


@asynccontextmanager
async def otlp_receiver(*, status=200):
    """Yields (URL, spans): (service, span as protobuf)."""
    spans = []

    async def take(request):
        sent = ExportTraceServiceRequest()
        sent.ParseFromString(await request.read())
        for resource in sent.resource_spans:
            (service,) = [a.value.string_value for a in resource.resource.attributes if a.key == "service.name"]  # fmt: skip
            spans.extend((service, span) for scope in resource.scope_spans for span in scope.spans)
        return web.Response(status=status)

    application = web.Application(client_max_size=100_000_000)
    application.router.add_post("/v1/traces", take)
    runner = web.AppRunner(application)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    (_, port), *_ = runner.addresses
    try:
        yield f"http://127.0.0.1:{port}/v1/traces", spans
    finally:
        await runner.cleanup()
