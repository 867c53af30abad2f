"""What the endpoints work with, put together once per process."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import timedelta
from time import monotonic

from api.attempts import Attempts
from api.booking import Booking
from api.identity import Doorkeeper
from api.pace import Pace
from api.problems import Problem
from hub.accounts.account import Account
from hub.accounts.identity import Identity
from hub.accounts.sessions import SignIn
from hub.accounts.tokens import AccessTokens
from hub.bus.ports import Commands, Following
from hub.clock import Clock
from hub.records.ports import PhotoRecords, Records
from hub.settings import Settings


@dataclass(frozen=True)
class Engine:
    """Something the hub cannot work without; `where` (host:port) is for the eyes of operators, so no password."""

    name: str
    where: str
    answers: Callable[[], Awaitable[bool]]


@dataclass(frozen=True)
class Services:
    """Everything that is passed in."""

    settings: Settings
    clock: Clock
    records: Records
    photos: PhotoRecords
    commands: Commands
    following: Following
    engines: tuple[Engine, ...]
    tokens: AccessTokens
    doorkeeper: Doorkeeper
    sign_in: SignIn
    booking: Booking
    attempts: Attempts
    pace: Pace


def assemble(  # noqa: PLR0913  # the parts from which all others follow
    *,
    settings: Settings,
    clock: Clock,
    records: Records,
    photos: PhotoRecords,
    commands: Commands,
    following: Following,
    engines: tuple[Engine, ...],
) -> Services:
    """Return the services that follow from the settings, the store and the bus. Opens nothing."""
    tokens = AccessTokens(
        settings.jwt_secret_key.get_secret_value(),
        timedelta(minutes=settings.access_token_minutes),
        clock,
        [key.get_secret_value() for key in settings.jwt_retired_secret_keys],
    )
    return Services(
        settings=settings,
        clock=clock,
        records=records,
        photos=photos,
        commands=commands,
        following=following,
        engines=engines,
        tokens=tokens,
        doorkeeper=Doorkeeper(tokens.verify, clock),
        sign_in=SignIn(records.users, records.sessions, tokens, timedelta(days=settings.refresh_token_days), clock),
        booking=Booking(records, commands, clock),
        attempts=Attempts(records.attempts, settings, clock),
        pace=Pace(settings, monotonic),
    )


async def own_account(services: Services, who: Identity) -> Account:
    """Return the caller's account. Raises `Problem`."""
    account = await services.records.users.by_id(who.user_id)
    if account is None:
        raise Problem("invalid_token", "The account of this token does not exist.")
    return account
