"""The Socket.IO packets of this server: JSON events only, and nothing that would break the library."""

import json
from typing import Any

import orjson
import socketio.packet

_ACCEPTED = frozenset({socketio.packet.CONNECT, socketio.packet.DISCONNECT, socketio.packet.EVENT})
_RESERVED = frozenset({"connect", "disconnect", "*"})
"""An event with such a name, from a raw client, would run the server's own handler with the client's arguments."""


class BadPacket(Exception):
    """A packet that no client library sends."""


class Json:
    """The JSON module of python-socketio: orjson writes, the standard library reads.

    A browser may send half of an emoji, which orjson does not read. The client should get an error, not a cut.
    """

    @staticmethod
    def dumps(value: object, **_: object) -> str:
        """Return JSON without spaces. Raises TypeError for a value that is not JSON."""
        return orjson.dumps(value).decode()

    @staticmethod
    def loads(text: str) -> Any:
        """Return the value of a JSON text. Raises ValueError and RecursionError."""
        return json.loads(text)


class Packet(socketio.packet.Packet):  # type: ignore[misc]  # published without types
    """A Socket.IO packet that holds JSON only.

    Binary packets are refused. One may announce 10^10 attachments, which keeps all that arrive in memory; or refer to
    an attachment that never comes, which blocks its connection for ever. This server sends none, so it does not search
    its own data for bytes either.
    """

    uses_binary_events = False
    json = Json

    def decode(self, encoded_packet: object) -> int:
        """Read a packet. Raises BadPacket."""
        if not isinstance(encoded_packet, str):  # engine.io parses JSON by itself, and accepts binary frames
            raise BadPacket("not text")
        try:
            attachments: int = super().decode(encoded_packet)
        except (ValueError, RecursionError) as error:
            raise BadPacket("not readable") from error
        if attachments or self.packet_type not in _ACCEPTED:
            raise BadPacket("a packet type that clients do not send")
        if self.packet_type == socketio.packet.EVENT and not _is_event(self.data):
            raise BadPacket("not an event")
        return attachments


def event_text(event: str, data: object) -> str:
    """Return the text of an event packet in the default namespace."""
    encoded: str = Packet(socketio.packet.EVENT, data=[event, data]).encode()
    return encoded


def _is_event(data: object) -> bool:
    return isinstance(data, list) and bool(data) and isinstance(data[0], str) and data[0] not in _RESERVED
