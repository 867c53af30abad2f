"""The address of the client, when the request came through reverse proxies."""

from collections.abc import Sequence
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network

from aiohttp import web

FORWARDED = "X-Forwarded-For"


class TrustedProxies:
    """The networks of the proxies whose X-Forwarded-For header is trusted. By default no proxy is trusted."""

    def __init__(self, trusted: Sequence[str]) -> None:
        self._trusted: tuple[IPv4Network | IPv6Network, ...] = tuple(ip_network(each) for each in trusted)

    def with_client_address(self, request: web.Request) -> web.Request:
        """Return the request with `remote` as the address of the client.

        Each proxy appends the address it was called from. The list is read from its end, and only as long as trusted
        proxies wrote it, so an address that the client itself put into the header is never used.
        """
        sender = request.remote
        if sender is None or not self._trusts(_address(sender)):
            return request
        for entry in reversed(",".join(request.headers.getall(FORWARDED, [])).split(",")):
            address = _address(entry.strip())
            if address is None:
                break
            sender = str(address)
            if not self._trusts(address):
                break
        return request.clone(remote=sender)

    def _trusts(self, address: IPv4Address | IPv6Address | None) -> bool:
        return address is not None and any(address in network for network in self._trusted)


def _address(text: str) -> IPv4Address | IPv6Address | None:
    try:
        return ip_address(text.partition("%")[0])
    except ValueError:
        return None
