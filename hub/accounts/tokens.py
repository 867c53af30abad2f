"""Access tokens: JWTs that any process can check without asking the database."""

from datetime import UTC, datetime, timedelta
from typing import Annotated, Literal

import jwt
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from hub.accounts.identity import Identity
from hub.clock import Clock
from hub.scheduling.values import Id, Role

_ALGORITHM = "HS256"
_CLAIMS = ["exp", "iat", "sub", "sid", "role"]
_LEEWAY = timedelta(seconds=5)
"""How far the clocks of two processes may differ."""
_YEAR_3000 = 32_503_680_000


class InvalidToken(Exception):
    """The token proves nothing. `code` says to the client whether to refresh it or to log in again."""

    def __init__(self, code: Literal["invalid_token", "token_expired"]) -> None:
        super().__init__(code)
        self.code = code


class _Claims(BaseModel):
    """What is said in a token of ours, checked although only we can sign one: an older version of us may have."""

    model_config = ConfigDict(strict=True, extra="ignore")

    sub: Id
    role: Literal["doctor", "patient"]
    sid: Id
    iat: Annotated[int, Field(ge=0, lt=_YEAR_3000)]
    exp: Annotated[int, Field(ge=0, lt=_YEAR_3000)]


class AccessTokens:
    """Issues access tokens and checks them. The secret should have 32 bytes; `hub.settings` sees to that."""

    def __init__(self, secret: str, lifetime: timedelta, clock: Clock) -> None:
        self._secret = secret
        self._lifetime = lifetime
        self._clock = clock
        # The library would compare the times with a clock of its own; `verify` does it with ours.
        self._jwt = jwt.PyJWT({"verify_exp": False, "verify_iat": False, "verify_nbf": False, "require": _CLAIMS})

    @property
    def lifetime(self) -> timedelta:
        """How long a token holds."""
        return self._lifetime

    def issue(self, account_id: str, role: Role, session_id: str) -> str:
        """Return a token that proves from now on, for `lifetime`, who its bearer is."""
        issued = int(self._clock().timestamp())
        expires = issued + int(self._lifetime.total_seconds())
        claims = {"sub": account_id, "role": role.value, "sid": session_id, "iat": issued, "exp": expires}
        return self._jwt.encode(claims, self._secret, _ALGORITHM)

    def verify(self, token: str) -> Identity:
        """Return who the bearer is. Raises `InvalidToken`."""
        claims = self._read(token)
        now = self._clock()
        if _instant(claims.iat) > now + _LEEWAY:
            raise InvalidToken("invalid_token")
        expires_at = _instant(claims.exp)
        if expires_at + _LEEWAY < now:
            raise InvalidToken("token_expired")
        return Identity(claims.sub, Role(claims.role), claims.sid, expires_at)

    def _read(self, token: str) -> _Claims:
        try:
            return _Claims.model_validate(self._jwt.decode(token, self._secret, algorithms=[_ALGORITHM]))
        except (jwt.InvalidTokenError, ValidationError, UnicodeEncodeError):
            # The last: a header's bytes that are no UTF-8 come as characters that cannot be written as UTF-8.
            raise InvalidToken("invalid_token") from None


def _instant(seconds: int) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)
