"""Checks whether a server listens on a port."""

import asyncio


async def listens(port: int, host: str = "127.0.0.1") -> bool:
    """Return whether a connection to the port is accepted."""
    try:
        _, writer = await asyncio.open_connection(host, port)
    except OSError:
        return False
    writer.close()
    return True
