"""Where the stand-in listens, and how it stops listening for a while."""

import asyncio

from aiohttp import web


class Doors:
    """The listening socket. Connections that are open when it closes stay open."""

    def __init__(self, port: int, group: asyncio.TaskGroup) -> None:
        self.port = port
        self._group = group
        self._open: tuple[web.AppRunner, web.TCPSite] | None = None

    async def open(self, runner: web.AppRunner) -> None:
        """Listen for the runner's application. Raises OSError when the port is taken."""
        site = web.TCPSite(runner, "127.0.0.1", self.port)  # loopback: it asks nobody who they are
        await site.start()
        self._open = runner, site

    async def close_for(self, seconds: float) -> None:
        """Refuse every new connection from now on for so many seconds; closed already, it stays with the first time."""
        if self._open is None:
            return
        runner, site = self._open
        self._open = None
        await site.stop()
        self._group.create_task(self._open_after(seconds, runner))

    async def _open_after(self, seconds: float, runner: web.AppRunner) -> None:
        await asyncio.sleep(seconds)
        await self.open(runner)
