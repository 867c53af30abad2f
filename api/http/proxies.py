"""Where a request comes from, when proxies stand between us and whoever sent it."""

from collections.abc import Sequence
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network

from aiohttp import web

FORWARDED = "X-Forwarded-For"


class Proxies:
    """The networks whose word is taken for where a request comes from; nobody's, when there are none."""

    def __init__(self, trusted: Sequence[str]) -> None:
        self._trusted: tuple[IPv4Network | IPv6Network, ...] = tuple(ip_network(each) for each in trusted)

    def seen_through(self, request: web.Request) -> web.Request:
        """Return the request with `remote` as the address of the client.

        Each proxy appends the address it was called from, so the list is read from its end for as long as proxies of
        ours speak: whatever a client has put in front of it is never reached.
        """
        sender = request.remote
        if sender is None or not self._trusts(_address(sender)):
            return request
        for word in reversed(",".join(request.headers.getall(FORWARDED, [])).split(",")):
            address = _address(word.strip())
            if address is None:
                break
            sender = str(address)
            if not self._trusts(address):
                break
        return request.clone(remote=sender)

    def _trusts(self, address: IPv4Address | IPv6Address | None) -> bool:
        return address is not None and any(address in network for network in self._trusted)


def _address(written: str) -> IPv4Address | IPv6Address | None:
    try:
        return ip_address(written.partition("%")[0])
    except ValueError:
        return None
