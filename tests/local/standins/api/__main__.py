"""Answers the readiness check, and nothing else."""

from aiohttp import web

from hub.settings import load


async def ready(_: web.Request) -> web.Response:
    return web.Response()


settings = load()
app = web.Application()
app.router.add_get("/health/ready", ready)
web.run_app(app, host=settings.host, port=settings.port)
