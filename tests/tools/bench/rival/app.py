"""Puts the service together."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import socketio
from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse

from tests.tools.bench.rival.jobs import Jobs
from tests.tools.bench.rival.problems import Problem, invalid
from tests.tools.bench.rival.repository import Repository
from tests.tools.bench.rival.rest import router
from tests.tools.bench.rival.service import Service
from tests.tools.bench.rival.settings import Settings
from tests.tools.bench.rival.sockets import Sockets
from tests.tools.bench.rival.tokens import Tokens


def application() -> socketio.ASGIApp:
    """Return the ASGI application: Socket.IO, and FastAPI for everything else."""
    settings = Settings()
    tokens = Tokens(settings)
    sockets = Sockets(tokens)

    @asynccontextmanager
    async def lifespan(rest: FastAPI) -> AsyncIterator[None]:
        repository = Repository(settings.mongodb_url)
        await repository.prepare()
        jobs = Jobs(settings.mongodb_url)
        service = Service(repository, jobs, sockets.publish, sockets.publish_slot, _send_nothing)
        sockets.serve(service)
        rest.state.tokens, rest.state.repository, rest.state.service = tokens, repository, service
        jobs.start(service)
        try:
            yield
        finally:
            await jobs.stop()
            repository.close()

    rest = FastAPI(title="Clinic appointments", lifespan=lifespan)
    rest.include_router(router)
    rest.add_exception_handler(Problem, _answer)
    rest.add_exception_handler(RequestValidationError, _answer_invalid)
    return socketio.ASGIApp(sockets.server, rest)


async def _send_nothing(phone: str | None, text: str) -> None:
    """Take the place of Twilio, which a service like this would call here. The bench is not about the text."""


async def _answer(_: Request, problem: Exception) -> JSONResponse:
    assert isinstance(problem, Problem)
    return JSONResponse(problem.document(), problem.status, media_type="application/problem+json")


async def _answer_invalid(request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, RequestValidationError)
    return await _answer(request, invalid(error.errors()))
