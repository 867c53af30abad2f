"""Authentication by bearer token, and which roles an endpoint serves."""

from collections.abc import Callable, Mapping
from enum import StrEnum

from aiohttp import hdrs, web

from api.http.problems import Problem
from hub.accounts.identity import Identity
from hub.accounts.tokens import InvalidToken
from hub.clock import Clock
from hub.scheduling.values import Role

WHO = web.RequestKey("who", Identity)
"""The key under which an authenticated request holds its `Identity`."""

_CACHED_TOKENS = 10_000
_CHALLENGE = 'Bearer realm="clinic-hub"'


class Access(StrEnum):
    """Who may call an endpoint, or send a socket command."""

    ANYONE = "anyone"
    VISITOR = "visitor"
    """Anyone. Who sends no token is limited by address; a token that is sent has to be good for everything."""
    SIGNED_IN = "signed_in"
    ANY_LOG_IN = "any_log_in"
    """Signed in, also with a first password that has to be changed before anything else."""
    ENROLLING = "enrolling"
    """Doctors and receptionists, also those who have to set up a second factor before anything else."""
    PATIENT = "patient"
    DOCTOR = "doctor"
    RECEPTIONIST = "receptionist"
    STAFF = "staff"
    """Doctors and receptionists."""
    NO_RECEPTIONIST = "no_receptionist"
    """Doctors and patients: what is of a person's own calendar, which a receptionist has not."""

    @property
    def roles(self) -> frozenset[Role]:
        """The roles of the callers."""
        return _ROLES[self]

    @property
    def of_some_roles(self) -> bool:
        """Whether callers of some role are refused."""
        return self in _NAMES

    @property
    def names(self) -> str:
        """The roles as a message names them; only where callers of some role are refused."""
        return _NAMES[self]

    def require(self, role: Role) -> None:
        """Return if callers of this role may. Raises `Problem` (403)."""
        if role not in self.roles:
            raise Problem("forbidden", f"Only {self.names} may do this.")


_PEOPLE = frozenset({Role.DOCTOR, Role.PATIENT, Role.RECEPTIONIST})
_ROLES: Mapping[Access, frozenset[Role]] = {
    Access.ANYONE: _PEOPLE,
    Access.VISITOR: _PEOPLE,
    Access.SIGNED_IN: _PEOPLE,
    Access.ANY_LOG_IN: _PEOPLE,
    Access.ENROLLING: frozenset({Role.DOCTOR, Role.RECEPTIONIST}),
    Access.PATIENT: frozenset({Role.PATIENT}),
    Access.DOCTOR: frozenset({Role.DOCTOR}),
    Access.RECEPTIONIST: frozenset({Role.RECEPTIONIST}),
    Access.STAFF: frozenset({Role.DOCTOR, Role.RECEPTIONIST}),
    Access.NO_RECEPTIONIST: frozenset({Role.DOCTOR, Role.PATIENT}),
}
_NAMES: Mapping[Access, str] = {
    Access.ENROLLING: "a doctor or a receptionist",
    Access.PATIENT: "a patient",
    Access.DOCTOR: "a doctor",
    Access.RECEPTIONIST: "a receptionist",
    Access.STAFF: "a doctor or a receptionist",
    Access.NO_RECEPTIONIST: "a doctor or a patient",
}


class Authenticator:
    """Authenticates callers by their bearer tokens.

    To verify a signature costs more than the rest of a small request, so the identities of verified tokens are cached
    until the tokens expire. An expired token is verified again, and then refused.
    """

    def __init__(self, verify: Callable[[str], Identity], ended: Callable[[str], bool], clock: Clock) -> None:
        """Take `ended`, which tells by a session id whether the log-in has ended. It is called for each request."""
        self._verify = verify
        self._ended = ended
        self._clock = clock
        self._verified: dict[str, Identity] = {}

    def authorize(self, request: web.Request, access: Access) -> Identity | None:
        """Return the caller's identity, None where anyone may call. Raises `Problem` (401, 403).

        A visitor is None, too: somebody who sends no token where none is needed.
        """
        if access is Access.ANYONE or (access is Access.VISITOR and hdrs.AUTHORIZATION not in request.headers):
            return None
        who = self._authenticate(request)
        request[WHO] = who
        if access is not Access.ANY_LOG_IN:
            _require_own_password(who)
            if access is not Access.ENROLLING:
                _require_enrolment(who)
        access.require(who.role)
        return who

    def _authenticate(self, request: web.Request) -> Identity:
        """Return the caller's identity. Raises `Problem` (401) with the challenge of RFC 6750."""
        scheme, _, token = request.headers.get(hdrs.AUTHORIZATION, "").partition(" ")
        if scheme.lower() != "bearer" or not token:
            raise Problem(
                "unauthenticated",
                "Send the access token in the header Authorization: Bearer …",
                headers={hdrs.WWW_AUTHENTICATE: _CHALLENGE},
            )
        return self._identity_of(token.strip())

    def identity_of(self, token: str) -> Identity:
        """Return the identity that the access token proves. Raises `Problem` (401, 403 with a first password)."""
        who = self._identity_of(token)
        _require_own_password(who)
        _require_enrolment(who)
        return who

    def _identity_of(self, token: str) -> Identity:
        who = self._verify_once(token)
        if self._ended(who.session_id):
            raise _invalid("The log-in of this token has ended. Log in again.")
        return who

    def _verify_once(self, token: str) -> Identity:
        who = self._verified.get(token)
        if who is not None and self._clock() < who.expires_at:
            return who
        self._verified.pop(token, None)
        try:
            who = self._verify(token)
        except InvalidToken as error:
            raise _problem_of(error) from None
        if len(self._verified) >= _CACHED_TOKENS:
            del self._verified[next(iter(self._verified))]  # the oldest entry, which expires first
        self._verified[token] = who
        return who


def _require_own_password(who: Identity) -> None:
    if who.must_change_password:
        raise Problem("password_change_required", "Change your first password, then refresh this token.")


def _require_enrolment(who: Identity) -> None:
    if who.must_enrol:
        raise Problem("second_factor_required", "Set up a second factor, then refresh this token.")


def _problem_of(error: InvalidToken) -> Problem:
    if error.code == "token_expired":
        return Problem(
            "token_expired",
            "The access token has expired. Refresh it.",
            headers={
                hdrs.WWW_AUTHENTICATE: f'{_CHALLENGE}, error="invalid_token", error_description="The token has expired"'
            },
        )
    return _invalid("This is not a valid access token of this hub.")


def _invalid(detail: str) -> Problem:
    return Problem("invalid_token", detail, headers={hdrs.WWW_AUTHENTICATE: f'{_CHALLENGE}, error="invalid_token"'})
