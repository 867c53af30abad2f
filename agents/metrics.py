"""Prometheus metrics of an agents process, and the endpoint that serves them. No label contains user input."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from aiohttp import web
from prometheus_client import Counter, Gauge, Histogram
from prometheus_client.aiohttp import make_aiohttp_handler

_SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)

BATCH_COMMANDS = Histogram(
    "clinic_batch_commands", "Commands in a batch.", buckets=(1, 2, 5, 10, 20, 50, 100, 150, 200)
)
BATCH_SECONDS = Histogram(
    "clinic_batch_seconds", "Seconds from the start of a batch until the broker has its notices.", buckets=_SECONDS
)
LAG = Histogram(
    "clinic_command_lag_seconds",
    "Seconds from the creation of a command to the start of its batch.",
    buckets=_SECONDS,
)
DECIDED = Counter(
    "clinic_commands_decided_total", "Decided commands. The outcome is done or a refusal code.", ["kind", "outcome"]
)
DECISION_SECONDS = Histogram(
    "clinic_command_told_seconds",
    "Seconds from the creation of a command until its notices were published.",
    ["kind"],
    buckets=_SECONDS,
)
QUEUED = Gauge("clinic_commands_queued", "Commands that wait for their batch or are in one.")


class PortTaken(Exception):
    """The process cannot listen on this port. The message says why."""


@asynccontextmanager
async def serve_metrics(host: str, port: int | None) -> AsyncIterator[None]:
    """Serve `/metrics` on the port inside the block. A port of None serves nothing. Raises `PortTaken`."""
    if port is None:
        yield
        return
    application = web.Application()
    application.router.add_get("/metrics", make_aiohttp_handler())
    runner = web.AppRunner(application, access_log=None, handle_signals=False)
    await runner.setup()
    try:
        try:
            await web.TCPSite(runner, host, port).start()
        except OSError as error:
            raise PortTaken(str(error)) from None
        yield
    finally:
        await runner.cleanup()
