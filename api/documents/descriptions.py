"""The sentence of every field in the documents, by the field's name as `examples` has their examples.

A model's own `Field(description=…)` comes first.
"""

from collections.abc import Mapping
from typing import Final

from api.documents.json_schemas import Json

_NO_FIELDS: Final = frozenset({"example", "examples"})

_OF_ENTRY: Mapping[str, str] = {
    "id": "The id of the entry.",
    "from": "The first day on which the patient could come, by the doctor's clock.",
    "to": "The last day on which the patient could come, by the doctor's clock.",
    "patientId": "The patient who waits. Patients wait for themselves and leave it out.",
    "createdAt": "The time at which the patient began to wait.",
    "status": "Whether the patient still waits, or how the entry has ended.",
    "version": "The number of events of the entry so far.",
    "doctor": "The doctor's id and name; for patients only.",
    "patient": "The patient's id and name; for doctors and receptionists only.",
}
"""The description of fields of entries of the waitlist, in each of these models."""
_ENTRIES: Final = frozenset({"WaitRequest", "JoinWaitlist", "EntryView", "NamedEntry", "ListedEntry"})

_OF_MODEL: Mapping[tuple[str, str], str] = {
    ("Actor", "id"): "The id of the person or of the part of the hub that gave the command.",
    ("Actor", "role"): "The role in which the command was given.",
    ("AppointmentChanged", "type"): "What happened to the appointment.",
    ("NamedAppointment", "id"): "The id of the appointment.",
    ("NamedAppointment", "createdAt"): "The time at which the appointment was booked.",
    ("NamedAppointment", "start"): "The start of the appointment.",
    ("NamedAppointment", "end"): "The end of the appointment, 30 minutes after its start.",
    ("NamedAppointment", "status"): "The present status of the appointment.",
    ("NamedAppointment", "version"): "The number of events of the appointment so far.",
    ("Between", "opens"): "The first minute after midnight at which an appointment may start, by the doctor's clock.",
    ("Between", "closes"): "The minute after midnight before which an appointment has to start.",
    ("OfferRequest", "start"): "The start of the free slot to offer.",
    ("OfferSlot", "start"): "The start of the free slot to offer.",
    ("WaitingChanged", "type"): "What happened to the entry.",
    ("BoardDoctor", "appointments"): "The appointments that start on the day, of every status, by start.",
    ("BoardDoctor", "id"): "The id of the doctor.",
    ("BoardDoctor", "name"): "The doctor's name.",
    ("BoardView", "date"): "The day: for each doctor, that day in the doctor's time zone.",
    ("Book", "patientId"): "The patient for whom a doctor books. Patients book for themselves and leave it out.",
    ("BookRequest", "patientId"): "The patient for whom a doctor books. Patients book for themselves and leave it out.",
    ("Call", "calledAt"): "When the patient was called in.",
    ("Call", "doctor"): "The name of the doctor.",
    (
        "Call",
        "initials",
    ): "The first letters of the patient's first and last name; empty if the name cannot be read now.",
    ("Call", "start"): "The start of the appointment, by which the patient is known.",
    ("Call", "zone"): "The time zone of the doctor.",
    ("CalendarChanged", "type"): "What happened to the schedule.",
    ("Closing", "code"): "The reason, for programs.",
    ("Closing", "detail"): "The reason in one sentence, for people.",
    ("AppointmentDone", "type"): "The kind of line: an appointment was moved or cancelled.",
    ("AppointmentLeft", "type"): "The kind of line: an appointment could not be changed.",
    ("DayBegun", "type"): "The kind of line: the first one.",
    ("DayFinished", "type"): "The kind of line: the last one.",
    ("DayInterrupted", "type"): "The kind of line: the last one, if the hub could not go on.",
    ("AppointmentDone", "appointment"): "The appointment right after it was moved or cancelled.",
    ("AppointmentDone", "replayed"): "Whether an earlier request with the same key had done it.",
    ("AppointmentLeft", "code"): "Why it could not be changed, for programs.",
    ("AppointmentLeft", "detail"): "Why it could not be changed, for people.",
    ("AppointmentForStaff", "patient"): "The patient's id and name.",
    ("AppointmentLeft", "patient"): "The patient's id and name.",
    ("AppointmentLeft", "start"): "The start of the appointment when the request was first made.",
    ("CancelDay", "reason"): "Why the day is cancelled. It is in the history, which the patients may read.",
    ("DayBegun", "total"): "The number of appointments that will be changed.",
    ("DayFinished", "changed"): "The number of appointments that were moved or cancelled.",
    ("DayFinished", "notChanged"): "The appointments that could not be moved or cancelled, and why.",
    ("DayFinished", "position"): "The last `seq` of the doctor that the request caused.",
    ("DayInterrupted", "code"): "Why the hub could not go on, for programs.",
    ("DayInterrupted", "detail"): "Why the hub could not go on, for people.",
    ("MoveDay", "date"): "The day whose appointments are moved, in the doctor's time zone.",
    ("DoctorView", "id"): "The id of the doctor.",
    ("FreeDay", "date"): "The day, in the doctor's time zone.",
    ("FreeDay", "free"): "The number of slots that can be booked now.",
    ("DoctorView", "name"): "The doctor's name.",
    ("EngineState", "name"): "What the server is: the database or the broker.",
    ("DisplayLink", "path"): "The path of the display on this server. It contains a secret key.",
    ("LogInEntry", "createdAt"): "The time of the log-in.",
    ("LogInEntry", "current"): "Whether it is the log-in of the access token.",
    ("LogInEntry", "expiresAt"): "The time at which the log-in ends by itself.",
    ("LogInEntry", "id"): "The id of the log-in.",
    ("FeedLink", "path"): "The path of the calendar feed on this server. It contains a secret key.",
    ("FieldError", "code"): "What is wrong, for programs.",
    ("FieldError", "detail"): "What is wrong, for people.",
    ("LeadGroup", "count"): "The number of appointments in the group.",
    ("WaitingTimes", "all"): "The waits of all patients of the range.",
    ("WaitingTimes", "byHour"): "The waits by the hour in which the appointment starts, all 24 hours.",
    ("Waits", "count"): "The number of patients who arrived and were called in.",
    ("NamedAppointment", "doctor"): "The doctor's id and name; for patients only.",
    ("NamedAppointment", "patient"): "The patient's id and name; for doctors and receptionists only.",
    ("PersonName", "id"): "The id of the person.",
    ("PersonName", "name"): "The person's name; null if the account does not exist any more, or cannot be read now.",
    ("PastEvent", "at"): "The time at which it happened.",
    ("PastEvent", "start"): "The start that a booking or a move set, or null.",
    ("PastEvent", "type"): "What happened.",
    ("Problem", "status"): "The HTTP status of the answer.",
    ("Problem", "title"): "The kind of problem in a few words.",
    ("Problem", "type"): "The kind of problem, as a URN.",
    ("NewPatient", "email"): "The e-mail address; it may be that of somebody else.",
    ("NewPatient", "phone"): "The phone number with the code of its country; it may be that of somebody else.",
    ("PatientChange", "email"): "The new e-mail address, or null to remove it.",
    ("PatientChange", "phone"): "The new phone number with the code of its country, or null to remove it.",
    ("PatientView", "email"): "The e-mail address, or null.",
    ("PatientView", "phone"): "The phone number with the code of its country, or null.",
    ("PatientView", "hasLogIn"): "Whether the patient has an account to log in with.",
    ("PatientView", "joinedInto"): "The account with which the patient was joined; null if with none.",
    ("JoinRequest", "into"): "The account, which can log in, that gets the appointments.",
    ("JoinView", "patient"): "The account that has the appointments now.",
    ("JoinView", "moved"): "How many appointments this request has moved to the account.",
    ("JoinView", "conflicts"): "The appointments that stay with the first patient, and why.",
    ("Conflict", "appointmentId"): "The id of the appointment.",
    ("Conflict", "start"): "The start of the appointment.",
    ("Conflict", "code"): "Why it stays, for programs: `patient_busy` if the account has another appointment then.",
    ("Conflict", "detail"): "Why it stays, for people.",
    ("LogIn", "code"): "A code of the second factor, if the account has one.",
    ("ProfileChange", "currentPassword"): "The present password, with another e-mail address or phone.",
    ("ProfileChange", "zone"): "The new time zone, or null to remove it.",
    ("ResumeAck", "mode"): "`resume`: the events after the position that was sent.",
    ("ResumeAck", "position"): "The last `seq` of each doctor that the events include.",
    ("Shift", "weekday"): "The day of the week: 0 is Monday, 6 is Sunday.",
    ("SnapshotAck", "mode"): "`snapshot`: everything, because the client sent no position or one that is too old.",
    ("SlotChanged", "seq"): "The event of the doctor that changed the slot.",
    ("SlotsAck", "position"): "The last `seq` of the doctor that the slots include.",
    ("SnapshotAck", "position"): "The last `seq` of each doctor that the snapshot includes.",
    ("Statistics", "zone"): "The doctor's time zone, in which weekdays, hours and weeks are counted.",
    ("TextView", "at"): "The time at which the text reached its status.",
    ("TextView", "kind"): "What the text is about.",
    ("TextView", "start"): "The start of the appointment that the text names.",
    ("TextView", "status"): "How far the text has come.",
    ("TextView", "to"): "Whom the text is for.",
    ("TimeOff", "end"): "The end of the time off, which is not part of it.",
    ("TimeOff", "id"): "The id of the time off.",
    ("TimeOff", "start"): "The start of the time off.",
    ("Watch", "since"): "The highest `seq` of each doctor that the client has seen; the answer is never older.",
    ("User", "createdAt"): "The time at which the account was made.",
    ("User", "id"): "The id of the account.",
}
"""The description of fields whose name says something else in another model."""

_NAMED: Mapping[str, str] = {
    "AccountSid": "The id of the clinic's Twilio account.",
    "Body": "The words of the text.",
    "ErrorCode": "Twilio's code of the error, or 0.",
    "From": "The phone number that sent the text.",
    "Idempotency-Key": "A random key of this command. A request with the same key is carried out once.",
    "If-Position": "The `Position` headers of earlier answers. An answer with a `Position` is not from before them.",
    "MessageSid": "Twilio's id of the text.",
    "MessageStatus": "How far the text has come, in Twilio's words.",
    "OptOutType": "Set by Twilio when the text is STOP, START or HELP, or a word of the same meaning.",
    "To": "The phone number to which the text was sent.",
    "accessToken": "The token for the `Authorization: Bearer` header and for the sockets.",
    "all": "All appointments of the range.",
    "appointment": "The appointment after the change.",
    "appointmentId": "The id of the appointment.",
    "appointments": "The client's own appointments.",
    "arrivedAt": "The time at which the patient was checked in; null before.",
    "at": "The time of it.",
    "available": "Whether the slot can be booked now.",
    "by": "Who did it, and through which channel.",
    "byHour": "The appointments by the hour in which they start, all 24 hours.",
    "byWeek": "The appointments by week, from the first week with an appointment to the last.",
    "byWeekday": "The appointments by day of the week, all seven days.",
    "calendar": "The doctor's schedule.",
    "cancellationRate": "Cancelled appointments divided by all; null without appointments.",
    "cancelled": "The number of cancelled appointments.",
    "closes": "The end of the shift in minutes after midnight, in the doctor's time zone.",
    "code": "The kind of error, for programs.",
    "commandId": "A random id of this command. A command with the same id is carried out once.",
    "completed": "The number of appointments that took place.",
    "completedAt": "The time at which the appointment was completed; null before.",
    "confirmed": "The number of appointments that the patient has confirmed.",
    "count": "The number of them.",
    "createdAt": "The time at which it was made.",
    "current": "The present password.",
    "cursor": "The position of the page, from the `Link` header of the page before.",
    "date": "The day, in the doctor's time zone.",
    "calendarLink": "The private link of the calendar; null if there is none.",
    "enabled": "Whether a log-in needs a code.",
    "recoveryCodes": "The recovery codes.",
    "recoveryCodesLeft": "The number of recovery codes that have not been used.",
    "secret": "The secret, in base32, to type into the authenticator app.",
    "uri": "The same as an address of the scheme otpauth.",
    "phoneVerified": "Whether the person has proven the phone, or the clinic has entered it.",
    "device": "What the browser or program said of itself when it logged in; null if nothing.",
    "lastRead": "When it was last read, by ten minutes; null if not yet.",
    "lastUsedAt": "The time at which its tokens were last refreshed.",
    "detail": "What is wrong in one sentence, for people.",
    "disabled": "Whether the doctor accepts no new appointments.",
    "doctorId": "The id of the doctor.",
    "doctors": "The doctors, ordered by their names.",
    "email": "The e-mail address, which is also the name for the log-in.",
    "end": "The end, which is not part of it.",
    "engines": "The servers that the process needs and that answer.",
    "error": "Why the command was refused.",
    "errors": "One entry for each field that is wrong.",
    "events": "The events after the position that was sent, in their order.",
    "expiresAt": "The time at which the access token expires.",
    "expiresIn": "Seconds until the access token expires.",
    "from": "The beginning of the range: what starts at this time is included.",
    "groups": "The number of appointments by lead time.",
    "hour": "The hour of the day, 0 to 23, in the doctor's time zone.",
    "id": "The id of the resource.",
    "inRoomAt": "The time at which the patient was called into the room; null before.",
    "instance": "The id of the request as a URN. The log has the same id.",
    "key": "The secret key of the calendar feed.",
    "language": "The language of the texts.",
    "leadTimes": "How long before their start the appointments were booked.",
    "limit": "The most entries of the answer.",
    "medianMinutes": "The median in minutes; null without appointments.",
    "mode": "The kind of answer.",
    "monday": "The Monday with which the week begins.",
    "name": "The name of the person.",
    "new": "The new password.",
    "noShow": "The number of appointments to which the patient did not come.",
    "noShowRate": "No-shows divided by completed appointments and no-shows; null if there are none.",
    "note": "A note for the doctor, or null.",
    "number": "Which one of them this is, from 1 on.",
    "between": "The part of the day that suits, or null if any does.",
    "entries": "The entries of the waitlist.",
    "entry": "The entry of the waitlist.",
    "entryId": "The id of the entry of the waitlist.",
    "offeredUntil": "When the offer ends, if it is one that is still open; else null.",
    "place": "The place in the doctor's line, 1 for the first; null if the patient does not wait any more.",
    "weekdays": "The days of the week that suit (0 is Monday), or null if all do.",
    "now": "The time of the server.",
    "ok": "Whether the command was carried out.",
    "opens": "The start of the shift in minutes after midnight, in the doctor's time zone.",
    "outside": "The future appointments outside the doctor's hours. They stay as they are until they are moved.",
    "p90Minutes": "The 90th percentile in minutes; null without appointments.",
    "passwordChangeRequired": "Whether the first password has to be changed before anything else is possible.",
    "password": "The password of the account.",
    "patientId": "The id of the patient.",
    "patientOptedOut": "Whether the patient's phone has sent STOP or a word of the same meaning.",
    "phone": "The phone number with the code of its country.",
    "photo": "The path of the picture, or null.",
    "plannedAt": "The time at which the text was planned.",
    "pointer": "The JSON Pointer (RFC 6901) of the field that is wrong.",
    "position": "The last `seq` of each doctor that the answer includes.",
    "prev": "The `seq` of the event before this one, of the same doctor. If the client lacks it, the client syncs.",
    "previousStart": "The start before a move, or null.",
    "problem": "Why the text did not arrive, if that is known.",
    "q": "Beginnings of parts of the name, of the e-mail address or of the digits of the phone, at least 2 letters.",
    "reason": "Why the patient comes, or null.",
    "refreshToken": "The token for the next refresh. Each one can be used once.",
    "replayed": "Whether this answer repeats that of an earlier command with the same key.",
    "retryAfter": "Seconds after which to send the command again.",
    "role": "The role of the person.",
    "scheduled": "The number of appointments that are booked and not yet confirmed.",
    "seq": "The number of the event. It counts the events of one doctor.",
    "shifts": "The weekly shifts, in the doctor's time zone.",
    "since": "The last `seq` of each doctor that the client has applied. Without it, everything is sent.",
    "slots": "The slots of the day.",
    "specialty": "What the doctor is a specialist in, or null.",
    "start": "The start of it, which is part of it.",
    "status": "The status of it.",
    "tally": "The appointments of it, by status.",
    "text": "The id of the text.",
    "texts": "The kinds of texts that the person wants to receive.",
    "timeOff": "Time in which the doctor does not work.",
    "timeOffId": "The id of the time off.",
    "title": "A few words for people.",
    "to": "The end of the range: what starts at this time or later is not included.",
    "token": "A new access token of the same person.",
    "tokenType": "The kind of the access token, for the `Authorization` header.",
    "total": "The number of all appointments.",
    "type": "The kind of it.",
    "underMinutes": "The bound of the lead times in the group, in minutes. The last group has none.",
    "unixMs": "The time of the server in milliseconds since 1970.",
    "user": "The account of the person who is logged in.",
    "version": "The number of events so far.",
    "via": "The channel of the command.",
    "visit": "How far the visit has come: the patient has `arrived` or is `in_room`; null before.",
    "waitingTimes": "How long patients waited from their arrival until they were called into the room.",
    "waits": "The waits of the hour.",
    "weekday": "The day of the week: 0 is Monday, 6 is Sunday.",
    "where": "The host and port of the server.",
    "zone": "The time zone, by its name in the IANA database.",
}
"""The description of every other field of this name, in any model, query or header."""

_PATHS: Mapping[str, str] = {
    "/users/{id}": "The id of the account.",
    "/doctors/{id}": "The id of the doctor.",
    "/patients/{id}": "The id of the patient.",
    "/stats/doctor/{id}": "The id of the doctor.",
    "/time-off/{id}": "The id of the time off.",
    "/appointments/{id}": "The id of the appointment.",
    "/waitlist/{id}": "The id of the entry of the waitlist.",
    "/displays/{id}": "The id of the receptionist who has made the link.",
    "/calendars/{id}": "The id of the person whose calendar it is.",
}
"""The description of `id` in a path with these parts."""


def field_description(name: str, model: str = "") -> str | None:
    """Return the description of a field, by its name in JSON and the name of its model."""
    of_entry = _OF_ENTRY.get(name) if model in _ENTRIES else None
    return _OF_MODEL.get((model, name)) or of_entry or _NAMED.get(name)


def parameter_description(name: str, path: str) -> str | None:
    """Return the description of a parameter of a path, query or header."""
    in_path = (text for part, text in _PATHS.items() if part in path and name == "id")
    return next(in_path, None) or field_description(name)


def describe_fields(document: Json) -> None:
    """Give every field of every schema in the document its description, and take off the title that pydantic makes.

    The generated title repeats the name in another spelling, such as "Doctorid".
    """
    pending: list[tuple[object, str]] = [(document, "")]
    while pending:
        part, name = pending.pop()
        if isinstance(part, list):
            pending += [(each, name) for each in part]
        elif isinstance(part, dict):
            _describe(part, name)
            pending += [(each, key) for key, each in part.items() if key not in _NO_FIELDS]


def _describe(schema: Json, name: str) -> None:
    properties = schema.get("properties")
    if not isinstance(properties, dict):
        return
    model = schema["title"] if isinstance(schema.get("title"), str) else name
    for field, given in properties.items():
        given.pop("title", None)
        text = field_description(field, model)
        if "description" not in given and text is not None:
            given["description"] = text
