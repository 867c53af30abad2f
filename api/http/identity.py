"""Who calls: the bearer token of a request, and what it opens."""

from collections.abc import Callable
from enum import StrEnum

from aiohttp import hdrs, web

from api.http.problems import Problem
from hub.accounts.identity import Identity
from hub.accounts.tokens import InvalidToken
from hub.clock import Clock

WHO = web.RequestKey("who", Identity)
"""Where a request keeps its `Identity` once it is known."""

_REMEMBERED = 10_000
_CHALLENGE = 'Bearer realm="clinic-hub"'


class Access(StrEnum):
    """Whom an endpoint serves."""

    ANYONE = "anyone"
    SIGNED_IN = "signed_in"
    DOCTOR = "doctor"
    PATIENT = "patient"


class Authenticator:
    """Knows callers by their bearer tokens.

    Checking a signature costs more than all the rest of a small request, so tokens that passed are remembered until
    they expire. That gives nobody a minute more: at its expiry, a token is checked like any other. Whether its log-in
    has ended is asked of `ended`, by the session's id, each time.
    """

    def __init__(self, verify: Callable[[str], Identity], ended: Callable[[str], bool], clock: Clock) -> None:
        self._verify = verify
        self._ended = ended
        self._clock = clock
        self._passed: dict[str, Identity] = {}

    def admit(self, request: web.Request, access: Access) -> Identity | None:
        """Return who calls, None if anyone may. Raises `Problem` (401, 403)."""
        if access is Access.ANYONE:
            return None
        who = self.identify(request)
        request[WHO] = who
        if access is Access.SIGNED_IN or access.value == who.role.value:
            return who
        raise Problem("forbidden", f"Only a {access.value} may do this.")

    def identify(self, request: web.Request) -> Identity:
        """Return who calls. Raises `Problem` (401) with the challenge of RFC 6750."""
        scheme, _, token = request.headers.get(hdrs.AUTHORIZATION, "").partition(" ")
        if scheme.lower() != "bearer" or not token:
            raise Problem(
                "unauthenticated",
                "Send the access token in the header Authorization: Bearer …",
                headers={hdrs.WWW_AUTHENTICATE: _CHALLENGE},
            )
        return self.recognise(token.strip())

    def recognise(self, token: str) -> Identity:
        """Return whose access token this is. Raises `Problem` (401)."""
        who = self._known(token)
        if self._ended(who.session_id):
            raise _invalid("The log-in of this token has ended; log in again.")
        return who

    def _known(self, token: str) -> Identity:
        who = self._passed.get(token)
        if who is not None and self._clock() < who.expires_at:
            return who
        self._passed.pop(token, None)
        try:
            who = self._verify(token)
        except InvalidToken as error:
            raise _rejected(error) from None
        if len(self._passed) >= _REMEMBERED:
            del self._passed[next(iter(self._passed))]  # the oldest: it has the least of its life before it
        self._passed[token] = who
        return who


def _rejected(error: InvalidToken) -> Problem:
    if error.code == "token_expired":
        return Problem(
            "token_expired",
            "The access token has expired; refresh it.",
            headers={
                hdrs.WWW_AUTHENTICATE: f'{_CHALLENGE}, error="invalid_token", error_description="The token has expired"'
            },
        )
    return _invalid("This is no access token of ours.")


def _invalid(detail: str) -> Problem:
    return Problem("invalid_token", detail, headers={hdrs.WWW_AUTHENTICATE: f'{_CHALLENGE}, error="invalid_token"'})
