"""`/metrics`: what this process counts, in the text format of Prometheus."""

from aiohttp import hdrs, web
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest

PATH = "/metrics"


async def expose(_request: web.Request) -> web.Response:
    """Return all metrics. They say how much, never who: an operator's network may read them without a token."""
    return web.Response(body=generate_latest(), headers={hdrs.CONTENT_TYPE: CONTENT_TYPE_LATEST})
