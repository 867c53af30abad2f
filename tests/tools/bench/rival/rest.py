"""The REST routes."""

from datetime import date
from typing import Annotated, Literal

from fastapi import APIRouter, Depends, Query, Request, Response
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer

from tests.tools.bench.rival.models import (
    Appointment,
    BookRequest,
    Doctor,
    Filter,
    LogIn,
    Refresh,
    SignedIn,
    Slot,
    Start,
    User,
)
from tests.tools.bench.rival.problems import Problem
from tests.tools.bench.rival.repository import Document, Repository
from tests.tools.bench.rival.service import Service
from tests.tools.bench.rival.tokens import Identity, Tokens, password_matches

router = APIRouter(prefix="/api/v1")
_bearer = HTTPBearer(auto_error=False)

# Dependencies are coroutines: FastAPI would run plain functions in threads.


async def _who(request: Request, given: Annotated[HTTPAuthorizationCredentials | None, Depends(_bearer)]) -> Identity:
    if not given:
        raise Problem("unauthenticated", "Send an access token.")
    tokens: Tokens = request.app.state.tokens
    return tokens.verify(given.credentials)


async def _service(request: Request) -> Service:
    service: Service = request.app.state.service
    return service


async def _tokens(request: Request) -> Tokens:
    tokens: Tokens = request.app.state.tokens
    return tokens


async def _repository(request: Request) -> Repository:
    repository: Repository = request.app.state.repository
    return repository


Who = Annotated[Identity, Depends(_who)]
TheService = Annotated[Service, Depends(_service)]
TheTokens = Annotated[Tokens, Depends(_tokens)]
TheRepository = Annotated[Repository, Depends(_repository)]


@router.post("/auth/{role}/login")
async def log_in(
    role: Literal["doctor", "patient"], body: LogIn, tokens: TheTokens, repository: TheRepository
) -> SignedIn:
    """Log in with e-mail address and password."""
    user = await repository.user_by_email(body.email.lower())
    if not user or user["role"] != role or not await password_matches(body.password, user["passwordHash"]):
        raise Problem("invalid_credentials", "No account has this e-mail address, password and role.")
    return _signed_in(user, tokens)


@router.post("/auth/refresh")
async def refresh(body: Refresh, tokens: TheTokens, repository: TheRepository) -> SignedIn:
    """Exchange a refresh token for a new pair of tokens."""
    user = await repository.user(tokens.verify(body.refresh_token, refresh=True).user_id)
    if not user:
        raise Problem("invalid_token", "There is no such account.")
    return _signed_in(user, tokens)


@router.get("/doctors")
async def doctors(_: Who, service: TheService) -> list[Doctor]:
    """List the doctors by name."""
    return await service.doctors()


@router.get("/doctors/{doctor_id}/slots")
async def slots(doctor_id: str, date: date, _: Who, service: TheService) -> list[Slot]:
    """List the slots of a doctor's day."""
    return await service.slots(doctor_id, date)


@router.post("/appointments", status_code=201)
async def book(body: BookRequest, who: Who, service: TheService, response: Response) -> Appointment:
    """Book a slot."""
    appointment = await service.book(who, body)
    response.headers["Location"] = f"/api/v1/appointments/{appointment.id}"
    return appointment


@router.get("/appointments")
async def find(wanted: Annotated[Filter, Query()], who: Who, service: TheService) -> list[Appointment]:
    """List the caller's appointments by start."""
    return await service.find(who, wanted)


@router.get("/appointments/{appointment_id}")
async def show(appointment_id: str, who: Who, service: TheService) -> Appointment:
    """Show one of the caller's appointments."""
    return await service.show(who, appointment_id)


@router.patch("/appointments/{appointment_id}/reschedule")
async def reschedule(appointment_id: str, body: Start, who: Who, service: TheService) -> Appointment:
    """Move an appointment."""
    return await service.reschedule(who, appointment_id, body.start)


@router.patch("/appointments/{appointment_id}/{action}")
async def change(
    appointment_id: str, action: Literal["confirm", "cancel", "complete"], who: Who, service: TheService
) -> Appointment:
    """Confirm, cancel or complete an appointment."""
    return await service.change(who, action, appointment_id)


@router.get("/health")
async def health() -> dict[str, bool]:
    """Answer when the service is up."""
    return {"ok": True}


def _signed_in(user: Document, tokens: Tokens) -> SignedIn:
    who = Identity(user["_id"], user["role"])
    return SignedIn(
        access_token=tokens.access(who),
        refresh_token=tokens.refresh(who),
        expires_in=int(tokens.access_lifetime.total_seconds()),
        user=User(id=user["_id"], role=user["role"], name=user["name"], email=user["email"], phone=user["phone"]),
    )
