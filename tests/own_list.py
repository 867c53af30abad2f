"""A doctor's list of the own appointments, read over REST as evidence for the judge."""

from datetime import datetime

from pydantic import TypeAdapter

from hub.client.member import Member
from hub.client.rest import API, Call, Reply
from hub.clock import Clock
from hub.ops.judge.reads import Read
from hub.scheduling.values import rfc3339
from hub.scheduling.views import AppointmentView

_LIMIT = 200
_WITHIN = 12.0
"""Seconds."""
_APPOINTMENTS: TypeAdapter[list[AppointmentView]] = TypeAdapter(list[AppointmentView])


async def read_own(doctor: Member, begin: datetime, clock: Clock, known: int | None = None) -> Read | None:
    """List the appointments that start at `begin` or later; None if the hub could not answer.

    It is sent with the position `known`, by default with what this member has seen.
    """
    user, rest = doctor.user, doctor._rest
    if known is None:
        known = rest._positions._seqs.get(user.id, 0)
    else:
        rest._positions._seqs = {user.id: known}
    query = {"from": rfc3339(begin), "limit": str(_LIMIT)}
    reply = await rest.call(Call("GET", f"{API}/appointments", query=query), _WITHIN)
    if not isinstance(reply, Reply) or reply.problem is not None:
        return None
    shown = _APPOINTMENTS.validate_python(reply.body, extra="ignore")
    position = int(reply.position.rpartition("=")[2])
    return Read(user, clock(), begin, _LIMIT, known, position, tuple(shown))
