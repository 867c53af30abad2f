"""An api process with a bug: it gives a command a new id each time it repeats it."""

from typing import Any

from api import __main__ as api
from hub.bus.messages import Reply
from hub.bus.requests import Requests, Sender
from hub.ids import new_id
from hub.scheduling.commands import Command, CommandAdapter

_on_reply = Requests.on_reply
_init = Requests.__init__
_id_of: dict[str, str] = {}
"""Maps each sent id to the id for which a caller awaits the reply."""


class _FreshIds:
    def __init__(self, sender: Sender) -> None:
        self._sender = sender

    async def send(self, command: Command, encoded: bytes) -> None:
        if command.id not in _id_of:
            _id_of[command.id] = command.id
            return await self._sender.send(command, encoded)
        again = command.model_copy(update={"id": new_id()})
        _id_of[again.id] = command.id
        return await self._sender.send(again, CommandAdapter.dump_json(again, by_alias=True, exclude_none=True))


def _wrap(self: Requests, sender: Sender, *rest: Any) -> None:
    _init(self, _FreshIds(sender), *rest)


def _find(self: Requests, reply: Reply) -> None:
    waiting = _id_of.get(reply.command_id, reply.command_id)
    _on_reply(self, reply.model_copy(update={"command_id": waiting}))


if __name__ == "__main__":
    Requests.__init__ = _wrap
    Requests.on_reply = _find
    api.main()
