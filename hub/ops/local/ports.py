"""Loopback ports: finding one that is free, and waiting for one to become free."""

import asyncio
import os
import socket
from collections.abc import Iterator
from itertools import count

_FIRST, _LAST = 20_000, 32_000
"""All below 32768: from there on Linux takes the local ports of outgoing connections. A client that reconnects to a
port in that range while its server is down can get that same port as its own, and is then connected to itself."""


class PortTaken(Exception):
    """Another process uses the requested port; the message names the port."""


def free_port() -> int:
    """Return a free loopback port. Each call in this process returns a different one."""
    return next(_FREE)


def is_free(port: int, host: str = "127.0.0.1") -> bool:
    """Return whether a server could listen on the port now."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # as servers do: a port in TIME_WAIT counts as free
        try:
            probe.bind((host, port))
        except OSError:
            return False
        return True


async def until_free(port: int, user: str, within: float, host: str = "127.0.0.1") -> None:
    """Return when the port is free; a port becomes free shortly after its owner died.

    Raises `PortTaken`, with the name of the intended `user`, after `within` seconds.
    """
    deadline = asyncio.get_running_loop().time() + within
    while not is_free(port, host):
        if asyncio.get_running_loop().time() > deadline:
            raise PortTaken(f"port {port} on {host}, which {user} needs, is taken by another process")
        await asyncio.sleep(0.02)


def _candidates() -> Iterator[int]:
    # Each process starts its search at a different port. So two processes that choose at the same time seldom choose
    # the same one in the time between choosing a port and listening on it.
    span = _LAST - _FIRST
    for step in count(os.getpid() * 5_003):
        if is_free(port := _FIRST + step % span):
            yield port


_FREE = _candidates()
