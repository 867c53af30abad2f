"""Carries out what a patient asks for in a text, and writes the reply."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal, assert_never

import structlog

from api.commands.appointments import AppointmentCommands, ChangeKind
from api.commands.command_client import command_id
from api.http.problems import Problem
from api.http.rate_limits import Monotonic, Rate, TokenBuckets
from hub.accounts.account import Account
from hub.accounts.fields import first_name
from hub.accounts.identity import Identity
from hub.bus.ports import NoAnswer
from hub.clock import Clock
from hub.records.errors import StoreUnavailable
from hub.records.ports import Records
from hub.scheduling.aggregate import events_of
from hub.scheduling.apply import as_of
from hub.scheduling.appointment import Appointment
from hub.scheduling.events import OfferAccepted, OfferDeclined
from hub.scheduling.values import Role, Status
from hub.texting import wording
from hub.texting.inbound import CARRIERS_HELP, Intent, intent_of
from hub.texting.inbound_text import InboundText
from hub.texting.reply_targets import answerable_texts, last_cancelled, reply_targets
from hub.texting.text import Text
from hub.texting.wording import Clinic, Language

log = structlog.get_logger()

NO_REPLY = ""
"""Sends no reply: the carrier has answered already, or the sender must not get one."""
_EXPIRES = timedelta(minutes=5)
"""A message that was received longer ago, and not answered because the process died, is not carried out any more.

Twilio repeats a request at once, so a later one is a replay, whose "2" would cancel a newer appointment.
"""
_LONGEST_NAME = 20
"""A longer first name is cut, so that a reply stays short."""
_RECENTLY = timedelta(minutes=10)
"""A patient who was asked to try again, and replies within this time, means the same appointment."""
_REPLIES = Rate(burst=30, per_second=30 / 3600)
"""Replies to one phone. Without a limit, another machine and the hub could answer each other for ever."""

_OVER = frozenset({Status.CANCELLED, Status.LAPSED})
Change = Literal["confirm", "cancel"]
_ANSWERS: Mapping[Change, ChangeKind] = {"confirm": "accept", "cancel": "decline"}
"""What the same reply does with an offer."""


@dataclass(frozen=True)
class _Reply:
    """The words, and whether they say what has become of an appointment."""

    words: str
    decided: bool


_SILENCE = _Reply(NO_REPLY, decided=False)


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
                    return await self._store_reply(stored, _SILENCE)
                reply = await self._carry_out(stored, opt_out_type)
        except (StoreUnavailable, NoAnswer, TimeoutError) as error:
            if intent_of(message.body, opt_out_type) in {Intent.STOP, Intent.START}:
                raise StoreUnavailable("an opt-out was not stored") from error
            log.warning("inbound_text_failed", message_id=message.id, cause=type(error).__name__)
            reply = _Reply(wording.try_later(self._clinic), decided=False)
        return await self._store_reply(message, reply)

    async def _store_reply(self, message: InboundText, reply: _Reply) -> str:
        try:
            await self._records.inbound_texts.answered(message.id, reply.words, decided=reply.decided)
        except StoreUnavailable:
            # The outcome is stored with the appointment, so the same message again would get the same reply.
            log.warning("text_reply_not_stored", message_id=message.id)
        return reply.words

    async def _carry_out(self, message: InboundText, opt_out_type: str | None) -> _Reply:
        match intent := intent_of(message.body, opt_out_type):
            case Intent.STOP:
                await self._records.opt_outs.add(message.phone, message.our_number, self._clock())
                return _SILENCE
            case Intent.START:
                await self._records.opt_outs.remove(message.phone, message.our_number)
                return _SILENCE
            case Intent.HELP if opt_out_type or message.body.strip().lower() in CARRIERS_HELP:
                return _SILENCE  # the carrier replies
            case Intent.HELP | Intent.OTHER | Intent.CONFIRM | Intent.CANCEL:
                return await self._reply(message, intent)
            case _:
                assert_never(intent)

    async def _reply(self, message: InboundText, intent: Intent) -> _Reply:
        if self._replies.wait(message.phone):
            log.warning("inbound_text_rate_limited", message_id=message.id)
            return _SILENCE
        self._replies.take(message.phone)
        patients = await self._records.users.patients_with_phone(message.phone)
        if not patients:
            return _Reply(wording.unmonitored_number(self._clinic), decided=False)
        match intent:
            case Intent.CONFIRM:
                return await self._change_appointment(patients, message, "confirm")
            case Intent.CANCEL:
                return await self._change_appointment(patients, message, "cancel")
            case _:
                return _Reply(wording.how_to_reply(self._clinic, patients[0].language), decided=False)

    async def _change_appointment(self, patients: Sequence[Account], message: InboundText, change: Change) -> _Reply:
        """Confirm or cancel the appointment that the message is about; return a reply with its status.

        `patients` are the people with the phone. The appointment is of one of them.
        """
        now = self._clock()
        appointment = await self._applied(patients, message) or await self._change_target(patients, message, change)
        if appointment is None:
            return _Reply(wording.no_open_appointment(self._clinic, patients[0].language), decided=False)
        handled = message.model_copy(update={"about": appointment.id, "decided": True})
        following = (await self._conversation(patients, handled, now)).following(appointment.id)
        return _Reply(await self._status_reply(patients, appointment, following), decided=True)

    async def _applied(self, patients: Sequence[Account], message: InboundText) -> Appointment | None:
        """Return the appointment as the command of this message left it; None if no such command was applied.

        That is a repeated message whose reply was lost. The reply is what its command did then, whatever has happened
        to that appointment since.
        """
        for patient in patients:
            applied = command_id(self._identity(patient.id, message), message.id)
            changed = await self._records.appointments.by_command(applied)
            if isinstance(changed, Appointment):
                return as_of(changed, events_of(changed, applied)[-1].seq)
        return None

    def _identity(self, patient_id: str, message: InboundText) -> Identity:
        return Identity(user_id=patient_id, role=Role.PATIENT, session_id=message.id, expires_at=self._clock())

    async def _change_target(
        self, patients: Sequence[Account], message: InboundText, change: Change
    ) -> Appointment | None:
        """Change the appointment that the message is about, and return it; None if there is none.

        The message is bound to the appointment before anything changes: a message that is delivered again, or twice at
        once, is about the same appointment, although another one would be next by then.
        """
        about = message.about
        if about is None:
            target = (await self._conversation(patients, message, self._clock())).target
            if target is None:
                return None
            about = await self._records.inbound_texts.bind(message.id, target.id)
        appointment = await self._appointment(about)
        if appointment.status in _OVER or (change, appointment.status) == ("confirm", Status.CONFIRMED):
            return appointment
        try:
            who = self._identity(appointment.patient_id, message)
            kind = _ANSWERS[change] if appointment.status is Status.OFFERED else change
            await self._commands.change(who, kind, appointment.id, "sms", message.id)
        except Problem as problem:
            if problem.code == "try_again":
                raise NoAnswer(problem.detail) from problem
            log.info("inbound_text_refused", message_id=message.id, code=problem.code)
        return await self._appointment(about)

    async def _appointment(self, appointment_id: str) -> Appointment:
        found = await self._records.appointments.by_ids([appointment_id])
        return found[appointment_id]

    async def _conversation(self, patients: Sequence[Account], message: InboundText, now: datetime) -> "_Conversation":
        """Return the texts about the patients' future appointments and the replies to them, this message included."""
        sent = [text for one in patients for text in await self._records.texts.to_person(one.id, since=now)]
        texts = (
            sorted(sent, key=lambda text: (text.created_at, text.seq, text.id), reverse=True)
            if len(patients) > 1
            else sent
        )
        appointments = await self._records.appointments.by_ids(
            {text.appointment_id for text in texts if text.appointment_id}
        )
        answerable = answerable_texts(texts, appointments, message.phone)
        if not answerable:
            return _Conversation(answerable, appointments, [], now)
        since = min(text.created_at for text in answerable.values())
        earlier = await self._records.inbound_texts.about_appointments(message.phone, since)
        own = [message] if message.about else []
        return _Conversation(answerable, appointments, own + [each for each in earlier if each.id != message.id], now)

    async def _status_reply(
        self, patients: Sequence[Account], appointment: Appointment, following: Appointment | None
    ) -> str:
        """Return a reply with the status of the appointment, and with the one that the next reply is about.

        If several people have the phone, the reply says for whom the appointment is.
        """
        names = {patient.id: first_name(patient.name) for patient in patients} if len(patients) > 1 else {}
        language = next((one.language for one in patients if one.id == appointment.patient_id), patients[0].language)
        when = await self._local_time(appointment, language, names)
        if following is None:
            return self._alone(appointment, when, language)
        then = await self._local_time(following, language, names)
        match appointment.status:
            case Status.CONFIRMED:
                return wording.confirmed_and_next(self._clinic, when, then, language)
            case Status.CANCELLED:
                return wording.cancelled_and_next(self._clinic, when, then, language)
            case Status.LAPSED:
                return wording.offer_over_and_next(self._clinic, when, then, language)
            case Status.SCHEDULED if isinstance(appointment.last, OfferAccepted):
                return wording.confirmed_and_next(self._clinic, when, then, language)
            case Status.SCHEDULED | Status.COMPLETED | Status.NO_SHOW | Status.OFFERED:
                return wording.too_late_and_next(self._clinic, when, then, language)
            case _:
                assert_never(appointment.status)

    def _alone(self, appointment: Appointment, when: str, language: Language) -> str:
        """Return a reply with the status of the appointment alone."""
        match appointment.status:
            case Status.CONFIRMED:
                return wording.confirmed(self._clinic, when, language)
            case Status.CANCELLED:
                return wording.cancelled_by_patient(self._clinic, when, language)
            case Status.LAPSED if isinstance(appointment.last, OfferDeclined):
                return wording.offer_declined(self._clinic, when, language)
            case Status.LAPSED:
                return wording.offer_over(self._clinic, when, language)
            case Status.SCHEDULED if isinstance(appointment.last, OfferAccepted):
                return wording.booked(self._clinic, when, language)
            case Status.SCHEDULED | Status.COMPLETED | Status.NO_SHOW | Status.OFFERED:
                return wording.too_late_to_change(self._clinic, when, language)
            case _:
                assert_never(appointment.status)

    async def _local_time(self, appointment: Appointment, language: Language, names: Mapping[str, str]) -> str:
        """Return the start in the local time of the appointment's doctor, with the patient's name if it is given."""
        doctor = await self._records.users.by_id(appointment.doctor_id)
        if doctor is None or doctor.schedule is None:
            raise LookupError(f"appointment {appointment.id} has no doctor")
        when = wording.local_time(appointment.start, doctor.schedule.zone, language)
        name = names.get(appointment.patient_id)
        return f"{when} ({name[:_LONGEST_NAME]})" if name else when


@dataclass(frozen=True)
class _Conversation:
    """The texts that a patient may reply to, and the patient's replies about appointments, the latest first."""

    texts: Mapping[str, Text]
    appointments: Mapping[str, Appointment]
    replies: Sequence[InboundText]
    now: datetime

    @property
    def target(self) -> Appointment | None:
        """The appointment that a reply is about now; one that is cancelled already if there is no other."""
        if self.replies and not self.replies[0].decided and self.now - self.replies[0].received_at < _RECENTLY:
            # The sender was asked to try again, or the last message is still being carried out.
            repeated = self.appointments.get(self.replies[0].about or "")
            if repeated:
                return repeated
        targets = reply_targets(self.texts, self.appointments, self.replies)
        return targets[0] if targets else last_cancelled(self.texts, self.appointments, self.replies)

    def following(self, about: str) -> Appointment | None:
        """Return the appointment that the next reply is about, unless that is the same one."""
        targets = reply_targets(self.texts, self.appointments, self.replies)
        return targets[0] if targets and targets[0].id != about else None
