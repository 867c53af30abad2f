"""The log-ins of the caller, which can be ended one by one."""

from http import HTTPStatus

from api.http.endpoints import ById, Routes
from api.http.identity import Access
from api.http.problems import Problem
from api.services import Services
from hub.accounts.identity import Identity
from hub.scheduling.values import Id, Instant, Value

routes = Routes("/api/v1/users/me/sessions")


class LogInEntry(Value):
    """A log-in that has not ended: when it began, and when its tokens were last refreshed, which is every few minutes.

    `device` is what the browser or program said of itself. `current`: the log-in of the access token.
    """

    id: Id
    device: str | None
    created_at: Instant
    last_used_at: Instant
    expires_at: Instant
    current: bool


@routes.endpoint("GET", "", access=Access.SIGNED_IN)
async def list_log_ins(services: Services, who: Identity) -> list[LogInEntry]:
    """List the caller's log-ins, the latest first."""
    return [
        LogInEntry(
            id=session.id,
            device=session.device,
            created_at=session.created_at,
            last_used_at=session.used_at or session.created_at,
            expires_at=session.expires_at,
            current=session.id == who.session_id,
        )
        for session in await services.records.sessions.of_user(who.user_id, services.clock())
    ]


@routes.endpoint("DELETE", "/{id}", access=Access.SIGNED_IN, status=HTTPStatus.NO_CONTENT)
async def end_log_in(services: Services, who: Identity, path: ById) -> None:
    """End one of the caller's log-ins, with all its tokens and sockets."""
    own = await services.records.sessions.of_user(who.user_id, services.clock())
    if path.id not in {session.id for session in own}:
        raise Problem("not_found", "There is no such log-in, or it has ended.")
    await services.sign_in.end(path.id)
    services.access_log.note("log_in_ended", who, people=(who.user_id,))
