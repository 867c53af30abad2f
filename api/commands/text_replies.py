"""What becomes of a text that somebody has sent us, and what they are told."""

import asyncio
from datetime import datetime, timedelta
from typing import Literal, assert_never

import structlog

from api.commands.appointments import AppointmentCommands
from api.commands.command_client import command_id
from api.http.problems import Problem
from api.http.rate_limits import Monotonic, Rate, TokenBuckets
from hub.accounts.account import Account
from hub.accounts.identity import Identity
from hub.bus.ports import NoAnswer
from hub.clock import Clock
from hub.records.errors import StoreUnavailable
from hub.records.ports import Records
from hub.scheduling.appointment import Appointment
from hub.scheduling.events import AppointmentCancelled
from hub.scheduling.values import Role, Status
from hub.texting import wording
from hub.texting.inbound import CARRIERS_HELP, Intent, intent_of
from hub.texting.inbound_text import InboundText
from hub.texting.text import Text, TextStatus
from hub.texting.wording import Clinic

log = structlog.get_logger()

NOTHING = ""
"""The answer that says nothing: the carrier has answered already, or nobody should be."""
ANSWER_WITHIN = 11.0
"""Seconds that a wish may take, one more than a command. Twilio waits 15 in all, and drops what comes later."""
_FORGOTTEN = timedelta(minutes=5)
"""After that nobody waits for what a message asked that we died over. Who brings it then is not Twilio: it tries again
at once, and 2 would cancel whatever the patient has been reminded of since."""
_JUST_NOW = timedelta(minutes=10)
_NEVER_WENT_OUT = frozenset({TextStatus.PLANNED, TextStatus.SKIPPED, TextStatus.RECORDED})
_ANSWERED = Rate(burst=30, per_second=30 / 3600)
"""Texts of one phone that are answered. Another machine may answer each answer with a text, without end."""

Wish = Literal["confirm", "cancel"]


class TextReplies:
    """Does what a text asks for, once for each message however often it is brought."""

    def __init__(
        self,
        records: Records,
        commands: AppointmentCommands,
        clock: Clock,
        monotonic: Monotonic,
        clinic: Clinic,
    ) -> None:
        self._records = records
        self._commands = commands
        self._clock = clock
        self._clinic = clinic
        self._answered = TokenBuckets(_ANSWERED, monotonic)

    async def answer(self, message: InboundText, opt_out_type: str | None) -> str:
        """Return what to tell the sender, `NOTHING` for nothing. The same message again gets the same answer.

        Raises `StoreUnavailable` when a message could not be kept that has to be brought again: a STOP or a START.
        """
        try:
            async with asyncio.timeout(ANSWER_WITHIN):
                kept = await self._records.inbound_texts.receive(message)
                if kept.answer is not None:
                    return kept.answer
                if message.received_at - kept.received_at > _FORGOTTEN:
                    return await self._told(kept, NOTHING)
                answer = await self._act(kept, opt_out_type)
        except (StoreUnavailable, NoAnswer, TimeoutError) as error:
            if intent_of(message.body, opt_out_type) in {Intent.STOP, Intent.START}:
                raise StoreUnavailable("an opt-out was not kept") from error
            log.warning("text_not_obeyed", message_id=message.id, cause=type(error).__name__)
            answer = wording.try_later(self._clinic)
        return await self._told(message, answer)

    async def _told(self, message: InboundText, answer: str) -> str:
        try:
            await self._records.inbound_texts.answered(message.id, answer)
        except StoreUnavailable:
            # What was done is in the record. The message, if it comes again, is worked out again, to the same end.
            log.warning("text_answer_not_kept", message_id=message.id)
        return answer

    async def _act(self, message: InboundText, opt_out_type: str | None) -> str:
        match meaning := intent_of(message.body, opt_out_type):
            case Intent.STOP:
                await self._records.opt_outs.add(message.phone, message.our_number, self._clock())
                return NOTHING
            case Intent.START:
                await self._records.opt_outs.remove(message.phone, message.our_number)
                return NOTHING
            case Intent.HELP if opt_out_type or message.body.strip().lower() in CARRIERS_HELP:
                return NOTHING  # answered by the carrier
            case Intent.HELP | Intent.OTHER | Intent.CONFIRM | Intent.CANCEL:
                return await self._reply(message, meaning)
            case _:
                assert_never(meaning)

    async def _reply(self, message: InboundText, meaning: Intent) -> str:
        if self._answered.wait(message.phone):
            log.warning("too_many_texts_of_one_phone", message_id=message.id)
            return NOTHING
        self._answered.take(message.phone)
        patient = await self._records.users.by_phone(message.phone)
        if patient is None or patient.role != "patient":
            return wording.unmonitored_number(self._clinic)
        match meaning:
            case Intent.CONFIRM:
                return await self._obey(patient, message, "confirm")
            case Intent.CANCEL:
                return await self._obey(patient, message, "cancel")
            case _:
                return wording.how_to_reply(self._clinic, patient.language)

    async def _obey(self, patient: Account, message: InboundText, wish: Wish) -> str:
        """Confirm or cancel what the patient was reminded of; say how it stands then."""
        now = self._clock()
        who = Identity(user_id=patient.id, role=Role.PATIENT, session_id=message.id, expires_at=now)
        # A message whose answer was lost has done its work: its appointment may not be the one to answer for any more.
        appointment = await self._records.appointments.by_command(command_id(who, message.id))
        if isinstance(appointment, Appointment):
            return await self._standing(patient, appointment)
        appointment = await self._reminded(patient.id, now)
        if appointment is None:
            return wording.no_open_reminder(self._clinic, patient.language)
        if appointment.status is Status.CANCELLED or (wish == "confirm" and appointment.status is Status.CONFIRMED):
            return await self._standing(patient, appointment)
        try:
            await self._commands.change(who, wish, appointment.id, "sms", message.id)
        except Problem as problem:
            if problem.code == "try_again":
                raise NoAnswer(problem.detail) from problem
            log.info("text_refused", message_id=message.id, code=problem.code)
        found = await self._records.appointments.by_ids([appointment.id])
        return await self._standing(patient, found[appointment.id])

    async def _reminded(self, patient_id: str, now: datetime) -> Appointment | None:
        """Return the appointment to come that the patient was reminded of last, one that still holds if there is one.

        An appointment that a text has cancelled a moment ago is still the one that is talked about: who sends 2 twice
        does not cancel two.
        """
        reminders = await self._records.texts.reminders_to(patient_id, since=now)
        found = await self._records.appointments.by_ids({reminder.appointment_id for reminder in reminders})
        for reminder in reminders:
            appointment = found.get(reminder.appointment_id)
            if appointment is None or not _is_about(reminder, appointment):
                continue
            if appointment.active or _cancelled_by_text(appointment, now):
                return appointment
        return None

    async def _standing(self, patient: Account, appointment: Appointment) -> str:
        """Say how an appointment stands, in the local time of its doctor."""
        language = patient.language
        doctor = await self._records.users.by_id(appointment.doctor_id)
        if doctor is None or doctor.calendar is None:
            raise LookupError(f"appointment {appointment.id} has no doctor")
        when = wording.local_time(appointment.start, doctor.calendar.zone, language)
        match appointment.status:
            case Status.CONFIRMED:
                return wording.confirmed(self._clinic, when, language)
            case Status.CANCELLED:
                return wording.cancelled_by_patient(self._clinic, when, language)
            case Status.SCHEDULED | Status.COMPLETED | Status.NO_SHOW:
                return wording.too_late_to_change(self._clinic, when, language)
            case _:
                assert_never(appointment.status)


def _is_about(reminder: Text, appointment: Appointment) -> bool:
    """Return whether the reminder went out and the appointment has not been moved since."""
    return reminder.status not in _NEVER_WENT_OUT and reminder.start == appointment.start


def _cancelled_by_text(appointment: Appointment, now: datetime) -> bool:
    event = appointment.last
    return isinstance(event, AppointmentCancelled) and event.by.via == "sms" and now - event.at < _JUST_NOW
