"""What the client sent and to which address, when the request came through reverse proxies."""

import re
from collections.abc import Sequence
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network
from typing import Final

from aiohttp import hdrs, web

_HOST = re.compile(r"(?:[A-Za-z0-9_](?:[A-Za-z0-9_.-]{0,252})|\[[0-9A-Fa-f:.]{2,45}\])(?::[0-9]{1,5})?", re.ASCII)
_WITH_PORT = re.compile(r"(?:([0-9.]+)|\[([0-9A-Fa-f:.]+)(?:%[^\]]*)?\])(?::[0-9]{1,5})?", re.ASCII)
_SCHEMES: Final = frozenset({"http", "https"})


class TrustedProxies:
    """The networks of the proxies whose X-Forwarded headers are trusted. By default no proxy is trusted."""

    def __init__(self, trusted: Sequence[str]) -> None:
        self._trusted: tuple[IPv4Network | IPv6Network, ...] = tuple(ip_network(each) for each in trusted)

    def as_client_sent(self, request: web.Request) -> web.Request:
        """Return the request with `remote`, `scheme` and `host` as the client sent it to the outermost trusted proxy.

        Each proxy appends the address it was called from. The list is read from its end, and only as long as trusted
        proxies wrote it, so an address that the client itself put into the header is never used. The same holds for
        the scheme and the host.
        """
        sender = request.remote
        if not self._trusted or sender is None or not self._trusts(_address(sender)):
            return request
        proxies = 1
        for entry in reversed(_entries(request, hdrs.X_FORWARDED_FOR)):
            address = _address(entry)
            if address is None:
                break
            sender = str(address)
            if not self._trusts(address):
                break
            proxies += 1
        scheme = _written_by(proxies, _entries(request, hdrs.X_FORWARDED_PROTO)).lower()
        host = _written_by(proxies, _entries(request, hdrs.X_FORWARDED_HOST))
        return request.clone(
            remote=sender,
            scheme=scheme if scheme in _SCHEMES else request.scheme,
            host=host if is_host(host) else request.host,
        )

    def _trusts(self, address: IPv4Address | IPv6Address | None) -> bool:
        return address is not None and any(address in network for network in self._trusted)


def is_host(text: str) -> bool:
    """Return whether the text is a host name or an address, with or without a port, and nothing else."""
    return _HOST.fullmatch(text) is not None


def _entries(request: web.Request, header: str) -> list[str]:
    return [entry.strip() for entry in ",".join(request.headers.getall(header, [])).split(",")]


def _written_by(proxies: int, entries: Sequence[str]) -> str:
    """Return the earliest entry that this number of trusted proxies can have written, if each appended one.

    A proxy that replaces the header leaves one entry, and so does a proxy that only passes it on.
    """
    return entries[-min(proxies, len(entries))]


def _address(text: str) -> IPv4Address | IPv6Address | None:
    """Return the address of an entry, which some proxies write with a port: 192.0.2.1:4711, [2001:db8::1]:4711."""
    with_port = _WITH_PORT.fullmatch(text)
    try:
        return ip_address((with_port[1] or with_port[2]) if with_port else text.partition("%")[0])
    except ValueError:
        return None
