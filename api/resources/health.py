"""Health checks: whether the process runs, and whether it can serve requests."""

import asyncio
from typing import Literal

from api.http.endpoints import Routes
from api.http.identity import Access
from api.http.insiders import INSIDE
from api.http.problems import RETRY_SOON, Problem
from api.services import Engine, Services
from hub.scheduling.values import Value

routes = Routes("/health")


class Alive(Value):
    """The process runs."""

    status: Literal["live"] = "live"


class EngineState(Value):
    """A server that the hub needs and that answers, and where it is (host:port)."""

    name: str
    where: str


class Ready(Value):
    """Every server that this process needs answers. Where they are is told in the operator's own network only."""

    status: Literal["ready"] = "ready"
    engines: tuple[EngineState, ...]


@routes.endpoint("GET", "/live", access=Access.ANYONE)
async def live() -> Alive:
    """Tell whether the process runs. When this fails, the process has to be restarted."""
    return Alive()


@routes.endpoint("GET", "/ready", access=Access.ANYONE)
async def ready(services: Services) -> Ready:
    """Tell whether the process can serve requests.

    A caller in the operator's network, who did not come through a proxy, is told where each server is, and the problem
    names those that do not answer.
    """
    answers = await asyncio.gather(*(_answers(engine, services.timeouts.engine_check) for engine in services.engines))
    silent = [engine for engine, answered in zip(services.engines, answers, strict=True) if not answered]
    inside = INSIDE.get()
    if silent and not inside:
        raise Problem("unavailable", "A service that the hub needs does not answer.", headers=RETRY_SOON)
    if silent:
        named = " and ".join(f"the {engine.name} at {engine.where}" for engine in silent)
        raise Problem("unavailable", f"No answer from {named}.", headers=RETRY_SOON)
    told = services.engines if inside else ()
    return Ready(engines=tuple(EngineState(name=engine.name, where=engine.where) for engine in told))


async def _answers(engine: Engine, within: float) -> bool:
    try:
        async with asyncio.timeout(within):
            return await engine.answers()
    except TimeoutError:
        return False
