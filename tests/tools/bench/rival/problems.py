"""Errors as clients see them, over REST and over sockets."""

from collections.abc import Mapping, Sequence
from typing import Any

STATUSES: Mapping[str, int] = {
    "unauthenticated": 401,
    "invalid_token": 401,
    "token_expired": 401,
    "invalid_credentials": 401,
    "forbidden": 403,
    "not_found": 404,
    "unknown_event": 404,
    "slot_taken": 409,
    "wrong_status": 409,
    "in_the_past": 422,
    "off_grid": 422,
    "outside_hours": 422,
    "invalid_request": 422,
}


def invalid(errors: Sequence[Mapping[str, Any]]) -> "Problem":
    """Return the problem for what pydantic says of a request."""
    return Problem("invalid_request", "; ".join(f"{'.'.join(map(str, one['loc']))}: {one['msg']}" for one in errors))


class Problem(Exception):
    """Ends a request. The client sees the code and the detail."""

    def __init__(self, code: str, detail: str) -> None:
        super().__init__(f"{code}: {detail}")
        self.code = code
        self.detail = detail

    @property
    def status(self) -> int:
        """The HTTP status."""
        return STATUSES[self.code]

    def document(self) -> dict[str, object]:
        """Return the RFC 9457 document."""
        kind = f"urn:clinic:problem:{self.code}"
        return {"type": kind, "status": self.status, "code": self.code, "detail": self.detail}

    def ack(self) -> dict[str, object]:
        """Return the ack of a socket command."""
        return {"ok": False, "error": {"code": self.code, "detail": self.detail}}
