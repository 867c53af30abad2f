"""Access tokens: JWTs that every process can verify without the database."""

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from hashlib import blake2b
from typing import Annotated, Literal

import jwt
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from hub.accounts.identity import Identity
from hub.clock import Clock
from hub.scheduling.values import AccountRole, Id, Role

_ALGORITHM = "HS256"
_ISSUER, _AUDIENCE = "clinic-hub", "clinic-hub-api"
_CLAIMS = ["iss", "aud", "exp", "iat", "sub", "sid", "role"]
_LEEWAY = timedelta(seconds=5)
"""Allowed difference between the clocks of two processes."""
_YEAR_3000 = 32_503_680_000


class InvalidToken(Exception):
    """The token is not valid. `code` tells the client whether to refresh the token or to log in again."""

    def __init__(self, code: Literal["invalid_token", "token_expired"]) -> None:
        super().__init__(code)
        self.code = code


class _Claims(BaseModel):
    """The claims of a token. Validated although only the hub signs tokens: an older version may have done so."""

    model_config = ConfigDict(strict=True, extra="ignore")

    sub: Id
    role: AccountRole
    sid: Id
    iat: Annotated[int, Field(ge=0, lt=_YEAR_3000)]
    exp: Annotated[int, Field(ge=0, lt=_YEAR_3000)]
    must_change_password: bool = False
    must_enrol: bool = False


class AccessTokens:
    """Issues and verifies access tokens. The secret must have 32 bytes; `hub.settings` checks that.

    New tokens are signed with `secret`. Tokens signed with one of the `retired` secrets stay valid until they expire.
    The header `kid` of a token names its key. So keys can change without logging anybody out; `.env.example` has the
    steps. No token is valid for longer than `lifetime` after it was issued, whatever it claims.
    """

    def __init__(self, secret: str, lifetime: timedelta, clock: Clock, retired: Iterable[str] = ()) -> None:
        self._secret = secret
        self._kid = key_id(secret)
        self._secrets = {key_id(each): each for each in (*retired, secret)}
        self._lifetime = lifetime
        self._clock = clock
        # `verify` checks the times with our clock; the library would use the system clock.
        self._jwt = jwt.PyJWT({"verify_exp": False, "verify_iat": False, "verify_nbf": False, "require": _CLAIMS})

    @property
    def lifetime(self) -> timedelta:
        """How long a token is valid."""
        return self._lifetime

    def issue(  # noqa: PLR0913  # each is a claim
        self,
        account_id: str,
        role: Role,
        session_id: str,
        at: datetime | None = None,
        *,
        must_change_password: bool = False,
        must_enrol: bool = False,
    ) -> str:
        """Return a token for this account and session that is valid for `lifetime`, from `at` or from now.

        With `must_change_password` it is valid only for the change of the password and for log-outs, with `must_enrol`
        only to set up a second factor and for the same.
        """
        issued = int((at or self._clock()).timestamp())
        expires = issued + int(self._lifetime.total_seconds())
        claims: dict[str, object] = {
            "iss": _ISSUER,
            "aud": _AUDIENCE,
            "sub": account_id,
            "role": role.value,
            "sid": session_id,
            "iat": issued,
            "exp": expires,
        }
        if must_change_password:
            claims["must_change_password"] = True
        if must_enrol:
            claims["must_enrol"] = True
        return self._jwt.encode(claims, self._secret, _ALGORITHM, headers={"kid": self._kid})

    def verify(self, token: str) -> Identity:
        """Return the identity of the bearer. Raises `InvalidToken`."""
        claims = self._read(token)
        now = self._clock()
        if _instant(claims.iat) > now + _LEEWAY:
            raise InvalidToken("invalid_token")
        expires_at = min(_instant(claims.exp), _instant(claims.iat) + self._lifetime)
        if expires_at + _LEEWAY < now:
            raise InvalidToken("token_expired")
        return Identity(
            claims.sub, Role(claims.role), claims.sid, expires_at, claims.must_change_password, claims.must_enrol
        )

    def _read(self, token: str) -> _Claims:
        try:
            secret = self._secrets.get(jwt.get_unverified_header(token).get("kid", ""))
            if secret is None:
                raise InvalidToken("invalid_token")
            claims = self._jwt.decode(token, secret, algorithms=[_ALGORITHM], issuer=_ISSUER, audience=_AUDIENCE)
            return _Claims.model_validate(claims)
        except jwt.MissingRequiredClaimError as error:
            # Signed by us before tokens had an issuer and an audience: its client gets a new one by its refresh token.
            raise InvalidToken("token_expired" if error.claim in {"iss", "aud"} else "invalid_token") from None
        except (jwt.InvalidTokenError, ValidationError, UnicodeEncodeError):
            # UnicodeEncodeError: a header that is not UTF-8 is decoded to characters that cannot be encoded again.
            raise InvalidToken("invalid_token") from None


def key_id(secret: str) -> str:
    """Return a name of the key that every process derives alike and that does not reveal the key."""
    return blake2b(secret.encode(), digest_size=6, person=b"clinic-hub kid").hexdigest()


def _instant(seconds: int) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)
