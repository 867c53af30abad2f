"""Commands about a doctor's own hours: the same handlers as over REST, by `api.commands.hours`."""

from collections.abc import Mapping, Sequence

from api.commands.hours import HoursCommands
from api.http.rate_limits import WriteRateLimit
from api.sockets.appointments import Answer, Command, rate_limited
from api.sockets.inbound import AddTimeOff, ChangeHours, RemoveTimeOff, read
from api.sockets.session import Client


def commands(hours_commands: HoursCommands, write_rate_limit: WriteRateLimit) -> Mapping[str, Command]:
    """Return the commands by event name. Each is a write that counts together with those over REST."""

    async def change_hours(client: Client, args: Sequence[object]) -> Answer:
        ask = read(ChangeHours, args)
        own = await hours_commands.change(client.identity, ask, "socket", ask.command_id)
        return own.model_dump(mode="json", by_alias=True)

    async def add_time_off(client: Client, args: Sequence[object]) -> Answer:
        ask = read(AddTimeOff, args)
        entered = await hours_commands.add_time_off(client.identity, ask, "socket", ask.command_id)
        return entered.model_dump(mode="json", by_alias=True)

    async def remove_time_off(client: Client, args: Sequence[object]) -> Answer:
        ask = read(RemoveTimeOff, args)
        await hours_commands.remove_time_off(client.identity, ask.time_off_id, "socket", ask.command_id)
        return {}

    return {
        "change_hours": rate_limited(change_hours, write_rate_limit),
        "add_time_off": rate_limited(add_time_off, write_rate_limit),
        "remove_time_off": rate_limited(remove_time_off, write_rate_limit),
    }
