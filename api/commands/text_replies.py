"""Carries out what a patient asks for in a text, and writes the reply."""

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
from hub.scheduling.aggregate import events_of
from hub.scheduling.apply import as_of
from hub.scheduling.appointment import Appointment
from hub.scheduling.events import AppointmentCancelled
from hub.scheduling.values import Role, Status
from hub.texting import wording
from hub.texting.inbound import CARRIERS_HELP, Intent, intent_of
from hub.texting.inbound_text import InboundText
from hub.texting.text import Text, TextStatus
from hub.texting.wording import Clinic

log = structlog.get_logger()

NO_REPLY = ""
"""Sends no reply: the carrier has answered already, or the sender must not get one."""
_EXPIRES = timedelta(minutes=5)
"""A message that was received longer ago, and not answered because the process died, is not carried out any more.

Twilio repeats a request at once, so a later one is a replay, whose "2" would cancel a newer appointment.
"""
_RECENTLY = timedelta(minutes=10)
_NOT_SENT = frozenset({TextStatus.PLANNED, TextStatus.SKIPPED, TextStatus.RECORDED})
_REPLIES = Rate(burst=30, per_second=30 / 3600)
"""Replies to one phone. Without a limit, another machine and the hub could answer each other for ever."""

Change = Literal["confirm", "cancel"]


class TextReplies:
    """Carries out each inbound message once, however often it is delivered."""

    def __init__(  # noqa: PLR0913  # what it works with, by name
        self,
        *,
        records: Records,
        commands: AppointmentCommands,
        clock: Clock,
        monotonic: Monotonic,
        clinic: Clinic,
        reply_within: float,
    ) -> None:
        """Take `reply_within`, the seconds after which the sender is asked to try again."""
        self._records = records
        self._commands = commands
        self._clock = clock
        self._clinic = clinic
        self._reply_within = reply_within
        self._replies = TokenBuckets(_REPLIES, monotonic)

    async def reply_to(self, message: InboundText, opt_out_type: str | None) -> str:
        """Return the reply to send, or `NO_REPLY`. The same message again gets the same reply.

        Raises `StoreUnavailable` when a STOP or a START could not be stored, so that it is delivered again.
        """
        try:
            async with asyncio.timeout(self._reply_within):
                stored = await self._records.inbound_texts.receive(message)
                if stored.answer is not None:
                    return stored.answer
                if message.received_at - stored.received_at > _EXPIRES:
                    return await self._store_reply(stored, NO_REPLY)
                reply = await self._carry_out(stored, opt_out_type)
        except (StoreUnavailable, NoAnswer, TimeoutError) as error:
            if intent_of(message.body, opt_out_type) in {Intent.STOP, Intent.START}:
                raise StoreUnavailable("an opt-out was not stored") from error
            log.warning("inbound_text_failed", message_id=message.id, cause=type(error).__name__)
            reply = wording.try_later(self._clinic)
        return await self._store_reply(message, reply)

    async def _store_reply(self, message: InboundText, reply: str) -> str:
        try:
            await self._records.inbound_texts.answered(message.id, reply)
        except StoreUnavailable:
            # The outcome is stored with the appointment, so the same message again would get the same reply.
            log.warning("text_reply_not_stored", message_id=message.id)
        return reply

    async def _carry_out(self, message: InboundText, opt_out_type: str | None) -> str:
        match intent := intent_of(message.body, opt_out_type):
            case Intent.STOP:
                await self._records.opt_outs.add(message.phone, message.our_number, self._clock())
                return NO_REPLY
            case Intent.START:
                await self._records.opt_outs.remove(message.phone, message.our_number)
                return NO_REPLY
            case Intent.HELP if opt_out_type or message.body.strip().lower() in CARRIERS_HELP:
                return NO_REPLY  # the carrier replies
            case Intent.HELP | Intent.OTHER | Intent.CONFIRM | Intent.CANCEL:
                return await self._reply(message, intent)
            case _:
                assert_never(intent)

    async def _reply(self, message: InboundText, intent: Intent) -> str:
        if self._replies.wait(message.phone):
            log.warning("inbound_text_rate_limited", message_id=message.id)
            return NO_REPLY
        self._replies.take(message.phone)
        patient = await self._records.users.by_phone(message.phone)
        if patient is None or patient.role != "patient":
            return wording.unmonitored_number(self._clinic)
        match intent:
            case Intent.CONFIRM:
                return await self._change_appointment(patient, message, "confirm")
            case Intent.CANCEL:
                return await self._change_appointment(patient, message, "cancel")
            case _:
                return wording.how_to_reply(self._clinic, patient.language)

    async def _change_appointment(self, patient: Account, message: InboundText, change: Change) -> str:
        """Confirm or cancel the appointment that the patient was reminded of; return a reply with its status."""
        now = self._clock()
        who = Identity(user_id=patient.id, role=Role.PATIENT, session_id=message.id, expires_at=now)
        # A repeated message whose reply was lost: its command has been applied, perhaps to an earlier appointment.
        # The reply is what it did then, whatever has happened to that appointment since.
        applied = command_id(who, message.id)
        appointment = await self._records.appointments.by_command(applied)
        if isinstance(appointment, Appointment):
            then = as_of(appointment, events_of(appointment, applied)[-1].seq)
            return await self._status_reply(patient, then)
        appointment = await self._reminded_appointment(patient.id, now)
        if appointment is None:
            return wording.no_open_reminder(self._clinic, patient.language)
        if appointment.status is Status.CANCELLED or (change == "confirm" and appointment.status is Status.CONFIRMED):
            return await self._status_reply(patient, appointment)
        try:
            await self._commands.change(who, change, appointment.id, "sms", message.id)
        except Problem as problem:
            if problem.code == "try_again":
                raise NoAnswer(problem.detail) from problem
            log.info("inbound_text_refused", message_id=message.id, code=problem.code)
        found = await self._records.appointments.by_ids([appointment.id])
        return await self._status_reply(patient, found[appointment.id])

    async def _reminded_appointment(self, patient_id: str, now: datetime) -> Appointment | None:
        """Return the future appointment of the last reminder whose appointment is active or was just cancelled by text.

        The one that was just cancelled counts: a patient who sends 2 twice must not cancel two appointments.
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

    async def _status_reply(self, patient: Account, appointment: Appointment) -> str:
        """Return a reply with the status of the appointment, in the local time of its doctor."""
        language = patient.language
        doctor = await self._records.users.by_id(appointment.doctor_id)
        if doctor is None or doctor.schedule is None:
            raise LookupError(f"appointment {appointment.id} has no doctor")
        when = wording.local_time(appointment.start, doctor.schedule.zone, language)
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
    """Return whether the reminder was sent and the appointment has not been moved since."""
    return reminder.status not in _NOT_SENT and reminder.start == appointment.start


def _cancelled_by_text(appointment: Appointment, now: datetime) -> bool:
    event = appointment.last
    return isinstance(event, AppointmentCancelled) and event.by.via == "sms" and now - event.at < _RECENTLY
