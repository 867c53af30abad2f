"""Commands about appointments: the same handlers as over REST, by `api.commands.appointments`."""

from collections.abc import Awaitable, Callable, Mapping, Sequence

from api.commands.appointments import AppointmentCommands, ChangeKind
from api.http.rate_limits import WriteRateLimit
from api.sockets.inbound import Book, Change, Reschedule, read
from api.sockets.session import Client
from hub.scheduling.views import AppointmentView

Answer = dict[str, object]
"""What an ack says besides `ok`."""
Command = Callable[[Client, Sequence[object]], Awaitable[Answer]]
"""Carries out what a client asks with these arguments. Raises `Problem`."""


def commands(appointment_commands: AppointmentCommands, write_rate_limit: WriteRateLimit) -> Mapping[str, Command]:
    """Return the commands by event name. Each is a write that counts together with those over REST."""

    async def book(client: Client, args: Sequence[object]) -> Answer:
        ask = read(Book, args)
        return _answer(await appointment_commands.book(client.identity, ask, "socket", ask.command_id))

    async def reschedule(client: Client, args: Sequence[object]) -> Answer:
        ask = read(Reschedule, args)
        return _answer(
            await appointment_commands.change(
                client.identity, "reschedule", ask.appointment_id, "socket", ask.command_id, ask.start
            )
        )

    def change(kind: ChangeKind) -> Command:
        async def carry_out(client: Client, args: Sequence[object]) -> Answer:
            ask = read(Change, args)
            return _answer(
                await appointment_commands.change(client.identity, kind, ask.appointment_id, "socket", ask.command_id)
            )

        return carry_out

    return {
        "book": rate_limited(book, write_rate_limit),
        "confirm": rate_limited(change("confirm"), write_rate_limit),
        "cancel": rate_limited(change("cancel"), write_rate_limit),
        "complete": rate_limited(change("complete"), write_rate_limit),
        "reschedule": rate_limited(reschedule, write_rate_limit),
    }


def rate_limited(command: Command, write_rate_limit: WriteRateLimit) -> Command:
    """Return the command such that it counts as a write of its client."""

    async def carry_out(client: Client, args: Sequence[object]) -> Answer:
        write_rate_limit.count(client.identity.user_id, client.address)
        return await command(client, args)

    return carry_out


def _answer(appointment: AppointmentView) -> Answer:
    return {"appointment": appointment.model_dump(mode="json", by_alias=True)}
