"""Assembles the parts of the Socket.IO side, once per process."""

from collections.abc import Callable

from api.services import Services
from api.sockets.boards import SocketBoards
from api.sockets.commands import COMMANDS, Handlers
from api.sockets.dispatch import Dispatch
from api.sockets.gateway import Gateway
from api.sockets.history import HistoryReader
from api.sockets.limits import Limits
from api.sockets.patient_subscriptions import PatientSubscriptions
from api.sockets.presence import Presence
from api.sockets.server import Server
from api.sockets.session import SessionRegistry
from api.sockets.slot_watches import SlotWatches
from api.sockets.sync import Sync
from api.sockets.tokens import Tokens
from hub.accounts.identity import Identity


def assemble(services: Services, recognise: Callable[[str], Identity], limits: Limits) -> Gateway:
    """Return the gateway; `recognise` is the method of the api's authenticator. Opens nothing.

    The caller then calls `gateway.server.attach(app)`, gives `gateway.deliver` to the bus, runs `gateway.run()` as a
    task, and calls `gateway.close()` at the end.
    """
    records, clock = services.records, services.clock
    sessions = SessionRegistry(services.notice_feed)
    server = Server(services.settings.cors_origins, limits)
    tokens = Tokens(sessions, server, recognise, services.revocations.ended, clock, limits)
    history = HistoryReader(records, limits)
    handlers = Handlers(
        appointments=services.appointment_commands,
        waitlist=services.waitlist_commands,
        hours=services.hours_commands,
        slot_watches=SlotWatches(services.views, sessions, records.appointments, clock, limits),
        boards=SocketBoards(services.boards, sessions),
        sync=Sync(services.views, history, services.names, services.access_log, clock, limits),
        tokens=tokens,
        names=services.names,
        access_log=services.access_log,
    )
    return Gateway(
        server=server,
        sessions=sessions,
        tokens=tokens,
        dispatch=Dispatch(COMMANDS, handlers, tokens.require_login, services.write_rate_limit, limits),
        patient_subscriptions=PatientSubscriptions(
            sessions, server, history, services.names, services.patient_views, records, limits
        ),
        presence=Presence(sessions, records, clock, limits),
        history=history,
        names=services.names,
        access_log=services.access_log,
        limits=limits,
    )
