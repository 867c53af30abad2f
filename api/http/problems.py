"""Errors as clients see them: a code, its HTTP status, and the RFC 9457 document."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, get_args

import orjson
from pydantic import ValidationError

from hub.accounts.passwords import HashingBusy
from hub.bus.ports import NoAnswer
from hub.records.errors import StoreUnavailable
from hub.scheduling.decision import RefusalCode, Refused
from hub.validation import says

CONTENT_TYPE = "application/problem+json"

Code = Literal[
    "slot_taken",
    "patient_busy",
    "too_many_appointments",
    "wrong_status",
    "too_early",
    "doctor_unavailable",
    "outside_hours",
    "off_grid",
    "in_the_past",
    "too_far_ahead",
    "idempotency_key_reused",
    "invalid_request",
    "malformed_json",
    "malformed_request",
    "body_too_large",
    "unsupported_media_type",
    "not_found",
    "method_not_allowed",
    "unauthenticated",
    "invalid_token",
    "token_expired",
    "invalid_credentials",
    "password_change_required",
    "second_factor_required",
    "wrong_second_factor",
    "forbidden",
    "email_taken",
    "phone_taken",
    "already_joined",
    "patient_erased",
    "already_waiting",
    "offer_open",
    "too_many_requests",
    "busy",
    "unknown_event",
    "draining",
    "try_again",
    "unavailable",
    "internal",
]
"""The error codes that clients tell apart, over REST and over sockets."""


@dataclass(frozen=True)
class Kind:
    """What all problems of one code share: the HTTP status and the title."""

    status: int
    title: str


KINDS: Mapping[Code, Kind] = {
    "slot_taken": Kind(409, "The slot is taken"),
    "patient_busy": Kind(409, "The patient has another appointment at that time"),
    "too_many_appointments": Kind(409, "The patient has as many appointments to come as the clinic allows"),
    "wrong_status": Kind(409, "The status of the appointment does not allow this"),
    "too_early": Kind(409, "It is too early for this"),
    "doctor_unavailable": Kind(409, "The doctor accepts no new appointments"),
    "outside_hours": Kind(422, "The doctor does not work at that time"),
    "off_grid": Kind(422, "The time is not on a full or half hour"),
    "in_the_past": Kind(422, "The time has passed"),
    "too_far_ahead": Kind(422, "The time is too far ahead"),
    "idempotency_key_reused": Kind(422, "The idempotency key was used for another command"),
    "invalid_request": Kind(422, "The request is not valid"),
    "malformed_json": Kind(400, "The body is not JSON"),
    "malformed_request": Kind(400, "The request cannot be read"),
    "body_too_large": Kind(413, "The body is too large"),
    "unsupported_media_type": Kind(415, "The media type of the body is wrong"),
    "not_found": Kind(404, "Not found"),
    "method_not_allowed": Kind(405, "The method is not allowed here"),
    "unauthenticated": Kind(401, "Not signed in"),
    "invalid_token": Kind(401, "The token is not valid"),
    "token_expired": Kind(401, "The token has expired"),
    "invalid_credentials": Kind(401, "E-mail address or password is wrong"),
    "password_change_required": Kind(403, "The first password has to be changed"),
    "second_factor_required": Kind(403, "A second factor is needed"),
    "wrong_second_factor": Kind(401, "The code of the second factor is wrong"),
    "forbidden": Kind(403, "Not allowed"),
    "email_taken": Kind(409, "The e-mail address is taken"),
    "phone_taken": Kind(409, "The phone number is taken"),
    "already_joined": Kind(409, "The patient was joined with another account"),
    "patient_erased": Kind(409, "The data of this patient was erased"),
    "already_waiting": Kind(409, "The patient waits for this doctor already"),
    "offer_open": Kind(409, "The patient has an offer and has not answered yet"),
    "too_many_requests": Kind(429, "Too many requests"),
    "busy": Kind(429, "Too many commands at once"),
    "unknown_event": Kind(404, "There is no such event"),
    "draining": Kind(503, "This server is about to stop"),
    "try_again": Kind(503, "There was no answer in time; it is safe to send the same request again"),
    "unavailable": Kind(503, "A service that the hub needs does not answer"),
    "internal": Kind(500, "Internal error"),
}

RETRY_SOON: Mapping[str, str] = {"Retry-After": "2"}

_KNOWN: frozenset[str] = frozenset(get_args(Code))


@dataclass(frozen=True)
class FieldError:
    """What is wrong with one field: an RFC 6901 pointer to it, a sentence, and a code for programs."""

    pointer: str
    detail: str
    code: str


class Problem(Exception):
    """Ends a request with an error. The client sees `detail`, so it must not show internals of the hub.

    `appointment_id`: with `slot_taken`, the appointment that holds the slot, if it is of the same patient.
    """

    def __init__(
        self,
        code: Code,
        detail: str,
        errors: Sequence[FieldError] | None = None,
        headers: Mapping[str, str] | None = None,
        appointment_id: str | None = None,
    ) -> None:
        super().__init__(f"{code}: {detail}")
        self.code: Code = code
        self.detail = detail
        self.errors = errors
        self.headers = headers
        self.appointment_id = appointment_id

    @property
    def status(self) -> int:
        """The HTTP status."""
        return KINDS[self.code].status


def problem_of(error: Exception) -> Problem:
    """Return the problem that the client sees. It shows nothing of an unexpected error."""
    match error:
        case Problem():
            return error
        case StoreUnavailable():
            return Problem("unavailable", "The database does not answer.", headers=RETRY_SOON)
        case HashingBusy():
            return Problem("try_again", "Too many people log in at this moment.", headers=RETRY_SOON)
        case NoAnswer():
            return Problem(
                "try_again",
                "No answer in time. It is safe to send the same again.",
                headers=RETRY_SOON,
            )
        case _:
            return internal_error()


def internal_error() -> Problem:
    """Return the problem for an error that is a fault of the hub."""
    return Problem("internal", "The hub had an internal error. It has been logged.")


def refused(refusal: Refused) -> Problem:
    """Return the problem for a refusal. A command that expired before it was decided becomes `try_again`."""
    code = refusal.code
    if code is RefusalCode.EXPIRED:
        return Problem("try_again", refusal.detail, headers=RETRY_SOON)
    if code.value not in _KNOWN:
        raise LookupError(f"there is no problem code for the refusal {code.value!r}")
    return Problem(code.value, refusal.detail, appointment_id=refusal.appointment_id)  # type: ignore[arg-type]  # checked in the lines above


def invalid(error: ValidationError, what: str = "body") -> Problem:
    """Return the problem that names each wrong field of the `what` (body, query, …), or `malformed_json`."""
    found = error.errors(include_url=False, include_context=False, include_input=False)
    if found[0]["type"] == "json_invalid":
        return Problem("malformed_json", f"{found[0]['msg']}.")
    fields = [FieldError(pointer(*each["loc"]), says(each), each["type"]) for each in found]
    return Problem("invalid_request", f"The {what} is not valid.", errors=fields)


def pointer(*path: str | int) -> str:
    """Return the RFC 6901 JSON pointer of a path."""
    return "".join("/" + str(step).replace("~", "~0").replace("/", "~1") for step in path)


def document(problem: Problem, request_id: str) -> bytes:
    """Return the RFC 9457 document, JSON. `instance` holds the request id, which the log line has too."""
    kind = KINDS[problem.code]
    body: dict[str, object] = {
        "type": f"urn:clinic-hub:problem:{problem.code}",
        "title": kind.title,
        "status": kind.status,
        "code": problem.code,
        "detail": problem.detail,
        "instance": f"urn:clinic-hub:request:{request_id}",
    }
    if problem.errors is not None:
        body["errors"] = problem.errors
    if problem.appointment_id is not None:
        body["appointmentId"] = problem.appointment_id
    return orjson.dumps(body)
