"""Tells requests of the operator's network from those of strangers, who come through a proxy or from the internet."""

from contextvars import ContextVar
from functools import lru_cache
from ipaddress import ip_address

from aiohttp import hdrs, web

INSIDE: ContextVar[bool] = ContextVar("inside", default=True)
"""Whether the request that is being served comes from the operator's own network."""


def comes_from_inside(request: web.Request) -> bool:
    """Return whether a loopback or private address sent the request itself, for nobody else.

    `request` is as it arrived, not yet as the client sent it to a proxy. A proxy says for whom it asks, trusted or
    not. Metrics and the addresses of engines are for the operator's tools, which ask directly.
    """
    if request.headers.get(hdrs.X_FORWARDED_FOR) or request.headers.get(hdrs.FORWARDED):
        return False
    return _is_private(request.remote or "")


@lru_cache(maxsize=4096)  # an address is parsed once, not at every request
def _is_private(address: str) -> bool:
    try:
        return ip_address(address.partition("%")[0]).is_private
    except ValueError:
        return False
