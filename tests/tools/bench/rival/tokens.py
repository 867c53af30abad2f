"""Access and refresh tokens (JWT), and passwords (bcrypt)."""

import asyncio
from dataclasses import dataclass
from datetime import timedelta
from typing import Literal

import bcrypt
import jwt

from hub.clock import system_clock
from tests.tools.bench.rival.problems import Problem
from tests.tools.bench.rival.settings import Settings

_ALGORITHM = "HS256"


@dataclass(frozen=True)
class Identity:
    """Who sent a request."""

    user_id: str
    role: Literal["doctor", "patient"]


class Tokens:
    """Issues and verifies tokens. No session is stored: a token is valid until it expires."""

    def __init__(self, settings: Settings) -> None:
        self._secret = settings.jwt_secret_key
        self.access_lifetime = timedelta(minutes=settings.access_token_minutes)
        self.refresh_lifetime = timedelta(days=settings.refresh_token_days)

    def access(self, who: Identity) -> str:
        """Return a new access token."""
        return self._issue(who, self.access_lifetime, refresh=False)

    def refresh(self, who: Identity) -> str:
        """Return a new refresh token."""
        return self._issue(who, self.refresh_lifetime, refresh=True)

    def verify(self, token: str, *, refresh: bool = False) -> Identity:
        """Return the bearer. Raises `Problem`."""
        try:
            # The load signs tokens for both; the rival looks at less.
            claims = jwt.decode(token, self._secret, algorithms=[_ALGORITHM], options={"verify_aud": False})
        except jwt.ExpiredSignatureError:
            raise Problem("token_expired", "The token has expired.") from None
        except jwt.InvalidTokenError:
            raise Problem("invalid_token", "The token is not valid.") from None
        if claims.get("refresh", False) != refresh:
            raise Problem("invalid_token", "This is another kind of token.")
        return Identity(claims["sub"], claims["role"])

    def _issue(self, who: Identity, lifetime: timedelta, *, refresh: bool) -> str:
        now = system_clock()
        claims = {"sub": who.user_id, "role": who.role, "iat": now, "exp": now + lifetime, "refresh": refresh}
        return jwt.encode(claims, self._secret, _ALGORITHM)


async def password_matches(password: str, hashed: str) -> bool:
    """Return whether the password is the one that was hashed. A thread does the work, which takes a while."""
    return await asyncio.to_thread(bcrypt.checkpw, password.encode(), hashed.encode())
