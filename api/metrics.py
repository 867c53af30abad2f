"""What an api process counts, and `/metrics`, where Prometheus reads it. No label holds what a client has written."""

from typing import Final

from aiohttp import web
from prometheus_client import Counter, Histogram
from prometheus_client.aiohttp import make_aiohttp_handler

PATH: Final = "/metrics"

_SECONDS: Final = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)

REQUESTS = Counter("clinic_requests_total", "Requests that were answered.", ["method", "route", "status"])
REQUEST_SECONDS = Histogram(
    "clinic_request_seconds", "From a request's headers to its answer.", ["method", "route"], buckets=_SECONDS
)
COMMANDS = Counter(
    "clinic_commands_total",
    "Commands that went to a doctor's actor, by what came of them: done, a refusal's code, or no_answer.",
    ["kind", "via", "outcome"],
)
COMMAND_SECONDS = Histogram(
    "clinic_command_seconds", "From a command to its answer, repeats included.", ["kind", "via"], buckets=_SECONDS
)
EVENTS = Counter(
    "clinic_socket_events_total", "Events of clients, by what came of them: done or a code.", ["event", "outcome"]
)
EVENT_SECONDS = Histogram(
    "clinic_socket_event_seconds", "From an event of a client to its ack.", ["event"], buckets=_SECONDS
)


def add_metrics(application: web.Application) -> None:
    """Serve what is counted."""
    application.router.add_get(PATH, make_aiohttp_handler())
