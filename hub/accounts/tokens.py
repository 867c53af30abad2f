"""Access tokens: JWTs that any process can check without asking the database."""

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from hashlib import blake2b
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
    """Issues access tokens and checks them. The secret should have 32 bytes; `hub.settings` sees to that.

    Tokens are signed with `secret`. Those that were signed with one of the `retired` secrets hold until they expire; a
    token names its key in `kid`. So keys change without anybody being logged out; `.env.example` says in which steps.
    """

    def __init__(self, secret: str, lifetime: timedelta, clock: Clock, retired: Iterable[str] = ()) -> None:
        self._secret = secret
        self._kid = _key_id(secret)
        self._secrets = {_key_id(each): each for each in (*retired, secret)}
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
        return self._jwt.encode(claims, self._secret, _ALGORITHM, headers={"kid": self._kid})

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
            # One that names no key is of an older version of us, which knew one key only.
            secret = self._secrets.get(jwt.get_unverified_header(token).get("kid", self._kid))
            if secret is None:
                raise InvalidToken("invalid_token")
            return _Claims.model_validate(self._jwt.decode(token, secret, algorithms=[_ALGORITHM]))
        except (jwt.InvalidTokenError, ValidationError, UnicodeEncodeError):
            # The last: a header's bytes that are no UTF-8 come as characters that cannot be written as UTF-8.
            raise InvalidToken("invalid_token") from None


def _key_id(secret: str) -> str:
    """Return a name for the key that every process gives it, and from which nobody learns it."""
    return blake2b(secret.encode(), digest_size=6, person=b"clinic-hub kid").hexdigest()


def _instant(seconds: int) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)
