"""The parts of the Socket.IO side, put together once per process."""

from collections.abc import Callable

from api.services import Services
from api.sockets import appointments, hours
from api.sockets.gateway import Gateway
from api.sockets.limits import Limits
from api.sockets.patient_subscriptions import Meetings
from api.sockets.resync import OwnRecord
from api.sockets.rooms import Rooms
from api.sockets.server import Server
from api.sockets.subscriptions import Interest
from api.sockets.sync import Syncing
from api.sockets.watch import Watching
from hub.accounts.identity import Identity


def assemble(services: Services, recognise: Callable[[str], Identity], limits: Limits) -> Gateway:
    """Return the gateway; `recognise` is that of the api's authenticator. Opens nothing.

    Then: `gateway.server.attach(app)`, `gateway.tell` to the bus, `gateway.run()` as a task, `gateway.close()` at last.
    """
    rooms = Rooms()
    interest = Interest(services.following)
    watching = Watching(services.records, rooms, interest, services.clock, limits.watches)
    server = Server(services.settings.cors_origins, limits)
    own = OwnRecord(services.records)
    return Gateway(
        server=server,
        rooms=rooms,
        interest=interest,
        meetings=Meetings(rooms, interest, server, own, services.records.appointments),
        own=own,
        commands={
            **appointments.commands(services.appointment_commands, services.write_rate_limit),
            **hours.commands(services.hours_commands, services.write_rate_limit),
            "watch": watching.watch,
            "unwatch": watching.unwatch,
            "sync": Syncing(own, services.clock, limits).sync,
        },
        recognise=recognise,
        ended=services.revocations.ended,
        clock=services.clock,
        limits=limits,
    )
