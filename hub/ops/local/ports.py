"""Loopback ports: finding one that is free, and waiting for one to become free."""

import asyncio
import os
import socket
from collections.abc import Iterator
from itertools import count

_FIRST, _LAST = 20_000, 32_000
"""Under 32768, where Linux takes the local ports of outgoing connections from. A client that reconnects to a port in
that range, while its server is down, can be given the very port and be connected to itself."""


class PortTaken(Exception):
    """Another process listens on the port that was asked for; the message names it."""


def free_port() -> int:
    """Return a loopback port that nobody has, a different one at every call of this process."""
    return next(_FREE)


def is_free(port: int, host: str = "127.0.0.1") -> bool:
    """Return whether a server could listen on the port now."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # servers set it; TIME_WAIT is no hindrance
        try:
            probe.bind((host, port))
        except OSError:
            return False
        return True


async def until_free(port: int, for_whom: str, patience: float, host: str = "127.0.0.1") -> None:
    """Return when the port is free, as it is soon after its owner died. Raises `PortTaken` after `patience` seconds."""
    deadline = asyncio.get_running_loop().time() + patience
    while not is_free(port, host):
        if asyncio.get_running_loop().time() > deadline:
            raise PortTaken(f"port {port} on {host}, which {for_whom} needs, is taken by another process")
        await asyncio.sleep(0.02)


def _candidates() -> Iterator[int]:
    # Processes that choose at the same time begin at different places, so the moment between choosing and listening
    # seldom matters.
    span = _LAST - _FIRST
    for step in count(os.getpid() * 5_003):
        if is_free(port := _FIRST + step % span):
            yield port


_FREE = _candidates()
