"""The access log: who looked at whose data, who logged in, and who changed accounts and rights."""

from datetime import timedelta
from typing import Literal

from hub.scheduling.values import Id, Instant, Role, Value

AccessAction = Literal[
    "patients_searched",
    "patient_shown",
    "patient_registered",
    "patient_changed",
    "patient_joined",
    "appointments_listed",
    "appointment_shown",
    "appointment_changed",
    "waitlist_shown",
    "waitlist_changed",
    "board_shown",
    "snapshot_sent",
    "events_resumed",
    "events_followed",
    "events_ended",
    "outside_hours_shown",
    "day_changed",
    "texts_shown",
    "photo_shown",
    "calendar_read",
    "signed_up",
    "logged_in",
    "log_in_refused",
    "log_in_limited",
    "logged_out",
    "logged_out_everywhere",
    "password_changed",
    "password_refused",
    "password_reset",
    "phone_proven",
    "log_in_ended",
    "second_factor_refused",
    "second_factor_made",
    "second_factor_ended",
    "recovery_codes_made",
    "profile_changed",
    "photo_changed",
    "calendar_link_made",
    "calendar_link_ended",
    "display_made",
    "display_ended",
    "account_added",
    "account_disabled",
    "account_enabled",
    "log_ins_ended",
    "data_exported",
    "data_erased",
]
"""What was done. `docs/security.md` says what each line holds."""

REFERS_WITHIN = timedelta(hours=1)
"""A line may name an earlier line of the same people instead of the people, for this long after it."""
EVERY_DOCTOR = "*"
"""Stands for all doctors in the line of a socket that is sent all events of the clinic."""


class AccessEntry(Value):
    """One line of the access log. It is written once and never changed.

    `by` is the account that did it, in the role `by_role`; the command line writes `by_role` system and `by` cli. None
    if nobody is known, as at a refused log-in. `address` and `request_id` are those of the request.

    `people` are the ids of the accounts whose data was shown or changed. A list whose people are those of an earlier
    line names that line in `same_as` instead. `doctors` are those whose events a socket is sent from now on, or has
    been sent until now. `fields` names what was changed. `key` stands for an e-mail address that no account has: it is
    a keyed hash. The database deletes the line after `expires_at`.
    """

    id: Id
    at: Instant
    action: AccessAction
    by: str | None = None
    by_role: Role | None = None
    address: str | None = None
    request_id: str | None = None
    people: tuple[str, ...] = ()
    same_as: Id | None = None
    doctors: tuple[str, ...] = ()
    fields: tuple[str, ...] = ()
    key: str | None = None
    expires_at: Instant
