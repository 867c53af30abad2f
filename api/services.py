"""What the endpoints work with, assembled once per process."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import timedelta
from time import monotonic

from api.commands.appointments import AppointmentCommands
from api.commands.command_client import CommandClient
from api.commands.day_changes import DayChangeCommands
from api.commands.erasures import ErasureCommands
from api.commands.hours import HoursCommands
from api.commands.joins import JoinCommands
from api.commands.text_replies import TextReplies
from api.commands.waitlist import WaitlistCommands
from api.http.access_log import AccessLog
from api.http.identity import Authenticator
from api.http.problems import Problem
from api.http.rate_limits import ReadRateLimit, UploadRateLimit, VisitorRateLimit, WriteRateLimit
from api.http.revocations import Revocations
from api.http.sign_in_rate_limits import SignInRateLimits
from api.people.directory import Directory
from api.people.doctor_patients import DoctorPatients
from api.people.names import Names
from api.retention import Retention
from api.timeouts import Timeouts
from api.views.board import Boards
from api.views.calendar_files import CalendarFiles
from api.views.doctor_directory import DoctorDirectory
from api.views.doctor_statistics import DoctorStatistics
from api.views.patient_views import PatientViews
from api.views.view_store import ViewStore
from hub.accounts.account import Account
from hub.accounts.identity import Identity
from hub.accounts.sessions import SignIn
from hub.accounts.tokens import AccessTokens
from hub.bus.messages import AppointmentNotice, Notice
from hub.bus.ports import Commands, NoticeFeed, OnNotice, SessionAnnouncer
from hub.clock import Clock
from hub.records.ports import PhotoRecords, Records
from hub.scheduling.events import PatientErased
from hub.settings import Settings
from hub.texting.wording import Clinic


@dataclass(frozen=True)
class Engine:
    """A server that the hub cannot work without. Operators see `where` (host:port); it must not hold a password."""

    name: str
    where: str
    answers: Callable[[], Awaitable[bool]]


@dataclass(frozen=True)
class Services:
    """Everything that endpoints use."""

    settings: Settings
    timeouts: Timeouts
    clock: Clock
    records: Records
    photos: PhotoRecords
    commands: Commands
    notice_feed: NoticeFeed
    engines: tuple[Engine, ...]
    tokens: AccessTokens
    authenticator: Authenticator
    revocations: Revocations
    sign_in: SignIn
    appointment_commands: AppointmentCommands
    hours_commands: HoursCommands
    day_changes: DayChangeCommands
    joins: JoinCommands
    erasures: ErasureCommands
    waitlist_commands: WaitlistCommands
    sign_in_rate_limits: SignInRateLimits
    text_replies: TextReplies
    write_rate_limit: WriteRateLimit
    read_rate_limit: ReadRateLimit
    upload_rate_limit: UploadRateLimit
    visitor_rate_limit: VisitorRateLimit
    views: ViewStore
    patient_views: PatientViews
    doctor_directory: DoctorDirectory
    boards: Boards
    doctor_statistics: DoctorStatistics
    directory: Directory
    doctor_patients: DoctorPatients
    calendar_files: CalendarFiles
    names: Names
    access_log: AccessLog
    retention: Retention


def assemble(  # noqa: PLR0913  # every other service is made of these
    *,
    settings: Settings,
    clock: Clock,
    records: Records,
    photos: PhotoRecords,
    commands: Commands,
    notice_feed: NoticeFeed,
    session_announcer: SessionAnnouncer,
    engines: tuple[Engine, ...],
    timeouts: Timeouts,
) -> Services:
    """Return the services. Opens no connection."""
    lifetime = timedelta(minutes=settings.access_token_minutes)
    retired_keys = [key.get_secret_value() for key in settings.jwt_retired_secret_keys]
    tokens = AccessTokens(settings.jwt_secret_key.get_secret_value(), lifetime, clock, retired_keys)
    revocations = Revocations(records.sessions, session_announcer, lifetime, clock, timeouts.revocation_check)
    refresh_lifetime = timedelta(days=settings.refresh_token_days)
    # The lifetime of a command is measured by the hub's clock, which may run faster than the machine's.
    view_memory = settings.view_memory_mb * 1024 * 1024
    for_patients = view_memory // 8
    views = ViewStore(records, notice_feed, clock, monotonic, view_memory - for_patients)
    command_client = CommandClient(commands, clock, timeouts.command * (settings.clock_rate or 1), views.on_reply)
    appointment_commands = AppointmentCommands(records, command_client, views.entry)
    directory = Directory(records.users)
    views.listen(forget_erased(directory))
    names = Names(directory)
    access_log = AccessLog(
        records.access_log,
        clock,
        days=settings.audit_days,
        secret=settings.jwt_secret_key.get_secret_value(),
        every=timeouts.access_log,
    )
    doctor_directory = DoctorDirectory(records, monotonic)
    sign_in = SignIn(
        records.users,
        records.sessions,
        tokens,
        refresh_lifetime,
        clock,
        revocations.announce,
        staff_must_enrol=settings.staff_second_factor == "required",
    )
    sign_in_rate_limits = SignInRateLimits(records.attempts, settings, clock)
    return Services(
        settings=settings,
        timeouts=timeouts,
        clock=clock,
        records=records,
        photos=photos,
        commands=commands,
        notice_feed=notice_feed,
        engines=engines,
        tokens=tokens,
        authenticator=Authenticator(tokens.verify, revocations.ended, clock),
        revocations=revocations,
        sign_in=sign_in,
        appointment_commands=appointment_commands,
        day_changes=DayChangeCommands(records, command_client, names, access_log, clock),
        joins=JoinCommands(records, command_client, clock),
        erasures=ErasureCommands(
            records, photos, command_client, sign_in, directory, sign_in_rate_limits.forget, clock
        ),
        waitlist_commands=WaitlistCommands(records, command_client, names, access_log),
        hours_commands=HoursCommands(records, command_client, clock),
        sign_in_rate_limits=sign_in_rate_limits,
        text_replies=TextReplies(
            records=records,
            commands=appointment_commands,
            clock=clock,
            monotonic=monotonic,
            clinic=Clinic(settings.clinic_name, settings.clinic_phone),
            reply_within=timeouts.text_reply,
        ),
        write_rate_limit=WriteRateLimit(settings, monotonic),
        read_rate_limit=ReadRateLimit(settings, monotonic),
        upload_rate_limit=UploadRateLimit(monotonic),
        visitor_rate_limit=VisitorRateLimit(settings, monotonic),
        views=views,
        patient_views=PatientViews(views, doctor_directory, records.appointments, monotonic, for_patients),
        doctor_directory=doctor_directory,
        boards=Boards(views, doctor_directory, names, records, clock),
        doctor_statistics=DoctorStatistics(views, records, clock),
        directory=directory,
        names=names,
        doctor_patients=DoctorPatients(records.appointments, clock),
        calendar_files=CalendarFiles(),
        access_log=access_log,
        retention=Retention(records, clock, text_days=settings.text_days, inbound_text_days=settings.inbound_text_days),
    )


def forget_erased(directory: Directory) -> OnNotice:
    """Return what forgets the name of an erased patient, in each process that is told of the erasure."""

    def forget(notice: Notice) -> None:
        if isinstance(notice, AppointmentNotice) and isinstance(notice.event, PatientErased):
            directory.erase(notice.appointment.patient_id)

    return forget


async def own_account(services: Services, who: Identity) -> Account:
    """Return the caller's account. Raises `Problem`."""
    account = await services.records.users.by_id(who.user_id)
    if account is None or account.erased:
        raise Problem("invalid_token", "The account of this token does not exist.")
    return account
