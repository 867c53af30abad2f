"""Commands about a doctor's own hours: the same handlers as over REST, by `api.commands.hours`."""

from collections.abc import Mapping, Sequence

from api.commands.hours import OwnHours
from api.http.rate_limits import Pace
from api.sockets.appointments import Answer, Command, paced
from api.sockets.inbound import AddTimeOff, ChangeHours, RemoveTimeOff, read
from api.sockets.session import Client


def commands(own_hours: OwnHours, pace: Pace) -> Mapping[str, Command]:
    """Return the commands by event name. Each is a write that counts together with those over REST."""

    async def change_hours(client: Client, args: Sequence[object]) -> Answer:
        ask = read(ChangeHours, args)
        own = await own_hours.change(client.identity, ask, "socket", ask.command_id)
        return own.model_dump(mode="json", by_alias=True)

    async def add_time_off(client: Client, args: Sequence[object]) -> Answer:
        ask = read(AddTimeOff, args)
        entered = await own_hours.add_time_off(client.identity, ask, "socket", ask.command_id)
        return entered.model_dump(mode="json", by_alias=True)

    async def remove_time_off(client: Client, args: Sequence[object]) -> Answer:
        ask = read(RemoveTimeOff, args)
        await own_hours.remove_time_off(client.identity, ask.time_off_id, "socket", ask.command_id)
        return {}

    return {
        "change_hours": paced(change_hours, pace),
        "add_time_off": paced(add_time_off, pace),
        "remove_time_off": paced(remove_time_off, pace),
    }
