"""Whether this process lives, and whether it can serve."""

import asyncio
from typing import Literal

from api.http.endpoints import Routes
from api.http.identity import Access
from api.http.problems import RETRY_SOON, Problem
from api.services import Engine, Services
from hub.scheduling.values import Value

routes = Routes("/health")

_LIMIT = 3.0
"""Seconds an engine has to answer: a little more than the two it takes to notice that it does not."""


class Alive(Value):
    """The process runs."""

    status: Literal["live"] = "live"


class EngineState(Value):
    """An engine that answers, and where it is (host:port)."""

    name: str
    where: str


class Ready(Value):
    """Everything this process needs answers."""

    status: Literal["ready"] = "ready"
    engines: tuple[EngineState, ...]


@routes.endpoint("GET", "/live", access=Access.ANYONE)
async def live() -> Alive:
    """Say that the process runs; a failure of this is cured by starting it anew, and by nothing less."""
    return Alive()


@routes.endpoint("GET", "/ready", access=Access.ANYONE)
async def ready(services: Services) -> Ready:
    """Say whether requests make sense here now; the problem names each engine that does not answer."""
    answers = await asyncio.gather(*(_answers(engine) for engine in services.engines))
    silent = [engine for engine, answered in zip(services.engines, answers, strict=True) if not answered]
    if silent:
        named = " and ".join(f"the {engine.name} at {engine.where}" for engine in silent)
        raise Problem("unavailable", f"No answer from {named}.", headers=RETRY_SOON)
    return Ready(engines=tuple(EngineState(name=engine.name, where=engine.where) for engine in services.engines))


async def _answers(engine: Engine) -> bool:
    try:
        async with asyncio.timeout(_LIMIT):
            return await engine.answers()
    except TimeoutError:
        return False
