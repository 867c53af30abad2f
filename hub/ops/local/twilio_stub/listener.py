"""The listening socket of the stub, which can be closed for a while."""

import asyncio

from aiohttp import web


class Listener:
    """The listening socket. Connections that are already open stay open when it closes."""

    def __init__(self, port: int, group: asyncio.TaskGroup) -> None:
        self.port = port
        self._group = group
        self._open: tuple[web.AppRunner, web.TCPSite] | None = None

    async def open(self, runner: web.AppRunner) -> None:
        """Listen for the runner's application. Raises OSError when the port is taken."""
        site = web.TCPSite(runner, "127.0.0.1", self.port)  # only loopback: /control has no authentication
        await site.start()
        self._open = runner, site

    async def close_for(self, seconds: float) -> None:
        """Refuse all new connections for this many seconds. A call while it is closed changes nothing."""
        if self._open is None:
            return
        runner, site = self._open
        self._open = None
        await site.stop()
        self._group.create_task(self._open_after(seconds, runner))

    async def _open_after(self, seconds: float, runner: web.AppRunner) -> None:
        await asyncio.sleep(seconds)
        await self.open(runner)
