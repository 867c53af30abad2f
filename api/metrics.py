"""The metrics of an api process, and `/metrics`, where Prometheus reads them. No label holds text of a client."""

from typing import Final

from aiohttp import web
from prometheus_client import Counter, Histogram
from prometheus_client.aiohttp import make_aiohttp_handler

PATH: Final = "/metrics"

_SECONDS: Final = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)

REQUESTS = Counter("clinic_requests_total", "Answered requests.", ["method", "route", "status"])
REQUEST_SECONDS = Histogram(
    "clinic_request_seconds", "Seconds from a request's headers to its answer.", ["method", "route"], buckets=_SECONDS
)
COMMANDS = Counter(
    "clinic_commands_total",
    "Commands that were sent to a doctor's actor, by outcome: done, a refusal's code, or no_answer.",
    ["kind", "via", "outcome"],
)
COMMAND_SECONDS = Histogram(
    "clinic_command_seconds",
    "Seconds from a command to its answer.",
    ["kind", "via"],
    buckets=_SECONDS,
)
EVENTS = Counter(
    "clinic_socket_events_total", "Socket events of clients, by outcome: done or a problem code.", ["event", "outcome"]
)
EVENT_SECONDS = Histogram(
    "clinic_socket_event_seconds", "Seconds from a client's socket event to its ack.", ["event"], buckets=_SECONDS
)


def add_metrics(application: web.Application) -> None:
    """Serve the metrics."""
    application.router.add_get(PATH, make_aiohttp_handler())
