"""Commands about a doctor's own hours: the same handlers as over REST, by `api.own_hours`."""

from collections.abc import Mapping, Sequence

from api.own_hours import OwnHours
from api.sockets.appointments import Answer, Command
from api.sockets.asks import AddTimeOff, ChangeHours, RemoveTimeOff, read
from api.sockets.client import Client


def commands(own_hours: OwnHours) -> Mapping[str, Command]:
    """Return the commands by event name."""

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

    return {"change_hours": change_hours, "add_time_off": add_time_off, "remove_time_off": remove_time_off}
