"""Commands about appointments: the same handlers as over REST, by `api.commands.appointments`."""

from collections.abc import Awaitable, Callable, Mapping, Sequence

from api.commands.appointments import Booking, ChangeKind
from api.http.rate_limits import Pace
from api.sockets.inbound import Book, Change, Reschedule, read
from api.sockets.session import Client
from hub.scheduling.views import AppointmentView

Answer = dict[str, object]
"""What an ack says besides `ok`."""
Command = Callable[[Client, Sequence[object]], Awaitable[Answer]]
"""Carries out what a client asks with these arguments. Raises `Problem`."""


def commands(booking: Booking, pace: Pace) -> Mapping[str, Command]:
    """Return the commands by event name. Each is a write that counts together with those over REST."""

    async def book(client: Client, args: Sequence[object]) -> Answer:
        ask = read(Book, args)
        return _answer(await booking.book(client.identity, ask, "socket", ask.command_id))

    async def reschedule(client: Client, args: Sequence[object]) -> Answer:
        ask = read(Reschedule, args)
        return _answer(
            await booking.change(client.identity, "reschedule", ask.appointment_id, "socket", ask.command_id, ask.start)
        )

    def change(kind: ChangeKind) -> Command:
        async def carry_out(client: Client, args: Sequence[object]) -> Answer:
            ask = read(Change, args)
            return _answer(await booking.change(client.identity, kind, ask.appointment_id, "socket", ask.command_id))

        return carry_out

    return {
        "book": paced(book, pace),
        "confirm": paced(change("confirm"), pace),
        "cancel": paced(change("cancel"), pace),
        "complete": paced(change("complete"), pace),
        "reschedule": paced(reschedule, pace),
    }


def paced(command: Command, pace: Pace) -> Command:
    """Return the command such that it counts as a write of its client."""

    async def carry_out(client: Client, args: Sequence[object]) -> Answer:
        pace.count(client.identity.user_id, client.address)
        return await command(client, args)

    return carry_out


def _answer(appointment: AppointmentView) -> Answer:
    return {"appointment": appointment.model_dump(mode="json", by_alias=True)}
