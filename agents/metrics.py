"""What an agents process counts, and where Prometheus reads it. Labels are words of ours."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from aiohttp import web
from prometheus_client import Counter, Gauge, Histogram
from prometheus_client.aiohttp import make_aiohttp_handler

_SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)

BATCH_COMMANDS = Histogram(
    "clinic_batch_commands", "Commands in a batch.", buckets=(1, 2, 5, 10, 20, 50, 100, 150, 200)
)
BATCH_SECONDS = Histogram("clinic_batch_seconds", "From a batch to its notices at the broker.", buckets=_SECONDS)
LAG = Histogram(
    "clinic_command_lag_seconds", "From when a command was given to when its batch began.", buckets=_SECONDS
)
DECIDED = Counter(
    "clinic_commands_decided_total", "Commands that were decided: done, or a refusal's code.", ["kind", "outcome"]
)
DECISION_SECONDS = Histogram(
    "clinic_command_told_seconds",
    "From when a command was given to when everybody could be told.",
    ["kind"],
    buckets=_SECONDS,
)
QUEUED = Gauge("clinic_commands_queued", "Commands that wait for their batch or are in one.")


class PortTaken(Exception):
    """Nothing can listen there; the message says why."""


@asynccontextmanager
async def serve_metrics(host: str, port: int | None) -> AsyncIterator[None]:
    """Serve `/metrics` for the length of the block; None: nowhere. Raises `PortTaken`."""
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
