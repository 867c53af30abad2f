"""What we read and write as Socket.IO packets: JSON events in, and nothing that the library would stumble over."""

import json
from typing import Any

import orjson
import socketio.packet

_TAKEN_IN = frozenset({socketio.packet.CONNECT, socketio.packet.DISCONNECT, socketio.packet.EVENT})
_NOT_OURS = frozenset({"connect", "disconnect", "*"})
"""As names of events from a raw client these would run the server's own handlers with the client's arguments."""


class BadPacket(Exception):
    """No client library sends this."""


class Json:
    """What python-socketio asks of a JSON module: written by orjson, read by the standard library.

    A browser may send half of an emoji, which orjson would not read: that deserves an answer, not a cut.
    """

    @staticmethod
    def dumps(value: object, **_: object) -> str:
        """Return JSON without spaces. Raises TypeError for what is no JSON."""
        return orjson.dumps(value).decode()

    @staticmethod
    def loads(text: str) -> Any:
        """Return what the JSON says. Raises ValueError and RecursionError."""
        return json.loads(text)


class Packet(socketio.packet.Packet):  # type: ignore[misc]  # published without types
    """A Socket.IO packet that holds JSON only.

    Binary packets are refused: one may announce 10^10 attachments and keep what comes, or refer to one that never
    comes and wedge its connection. We send none, so looking for bytes in all we send is left out as well.
    """

    uses_binary_events = False
    json = Json

    def decode(self, encoded_packet: object) -> int:
        """Read a packet. Raises BadPacket."""
        if not isinstance(encoded_packet, str):  # engine.io parses JSON of its own accord, and takes binary frames
            raise BadPacket("not text")
        try:
            attachments: int = super().decode(encoded_packet)
        except (ValueError, RecursionError) as error:
            raise BadPacket("not readable") from error
        if attachments or self.packet_type not in _TAKEN_IN:
            raise BadPacket("a type of packet that clients do not send us")
        if self.packet_type == socketio.packet.EVENT and not _is_event(self.data):
            raise BadPacket("not an event")
        return attachments


def event_text(event: str, data: object) -> str:
    """Return the text of an event packet in the default namespace."""
    encoded: str = Packet(socketio.packet.EVENT, data=[event, data]).encode()
    return encoded


def _is_event(data: object) -> bool:
    return isinstance(data, list) and bool(data) and isinstance(data[0], str) and data[0] not in _NOT_OURS
