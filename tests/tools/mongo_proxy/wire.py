"""MongoDB's wire protocol, as far as drivers use it: OP_MSG, and OP_QUERY for the first `hello` of a connection.

BSON is read and written by PyMongo's own codec.
"""

import asyncio
import struct
from dataclasses import dataclass
from typing import Any

import bson

Document = dict[str, Any]

_HEADER = struct.Struct("<iiii")
_QUERY_REPLY = struct.Struct("<iqii")
_OP_REPLY, _OP_QUERY, _OP_MSG = 1, 2004, 2013
_CHECKSUM_PRESENT, _MORE_TO_COME = 1, 2
_CHECKSUM_BYTES = 4


@dataclass(frozen=True)
class Message:
    """A command or an answer. One that is `unacknowledged` gets no answer."""

    document: Document
    request_id: int
    legacy: bool = False
    """Whether it came as OP_QUERY, and is answered as OP_REPLY."""
    unacknowledged: bool = False


async def read_message(reader: asyncio.StreamReader) -> Message:
    """Return the next message. Raises `asyncio.IncompleteReadError` at the end of the stream."""
    length, request_id, _, opcode = _HEADER.unpack(await reader.readexactly(_HEADER.size))
    body = await reader.readexactly(length - _HEADER.size)
    match opcode:
        case 2013:
            (flags,) = struct.unpack_from("<I", body)
            end = len(body) - (_CHECKSUM_BYTES if flags & _CHECKSUM_PRESENT else 0)
            return Message(_sections(body[4:end]), request_id, unacknowledged=bool(flags & _MORE_TO_COME))
        case 2004:
            name_end = body.index(b"\0", 4)
            database = body[4:name_end].decode().removesuffix(".$cmd")
            document = bson.decode(body[name_end + 1 + 8 :])
            return Message({**document, "$db": database}, request_id, legacy=True)
        case _:
            raise ConnectionError(f"a message of kind {opcode}, which no driver of ours sends")


def command_bytes(document: Document, request_id: int, *, unacknowledged: bool = False) -> bytes:
    """Return a command as OP_MSG."""
    return _op_msg(document, request_id, 0, _MORE_TO_COME if unacknowledged else 0)


def answer_bytes(document: Document, to: Message) -> bytes:
    """Return the answer to a message, in the form in which that came."""
    if not to.legacy:
        return _op_msg(document, to.request_id, to.request_id, 0)
    body = _QUERY_REPLY.pack(0, 0, 0, 1) + bson.encode(document)
    return _HEADER.pack(_HEADER.size + len(body), to.request_id, to.request_id, _OP_REPLY) + body


def _op_msg(document: Document, request_id: int, response_to: int, flags: int) -> bytes:
    body = struct.pack("<Ib", flags, 0) + bson.encode(document)
    return _HEADER.pack(_HEADER.size + len(body), request_id, response_to, _OP_MSG) + body


def _sections(body: bytes) -> Document:
    """Return the document of an OP_MSG with the sequences beside it put where they belong."""
    document: Document = {}
    sequences: Document = {}
    at = 0
    while at < len(body):
        kind, size = struct.unpack_from("<bi", body, at)
        section = body[at + 1 : at + 1 + size]
        if kind == 0:
            document = bson.decode(section)
        else:
            name_end = section.index(b"\0", 4)
            sequences[section[4:name_end].decode()] = bson.decode_all(section[name_end + 1 :])
        at += 1 + size
    return document | sequences
