"""Reads an uploaded file from a form: multipart/form-data, RFC 7578."""

from typing import Final

from aiohttp import BodyPartReader, hdrs, web
from aiohttp.http_exceptions import HttpProcessingError

from api.http.problems import Code, FieldError, Problem, pointer

CONTENT_TYPE: Final = "multipart/form-data"
LIMIT = 8 * 1024 * 1024
"""Maximum size of a file in bytes."""
PROBLEMS: tuple[Code, ...] = ("malformed_request", "unsupported_media_type", "body_too_large", "invalid_request")
"""The problems of every upload."""

_UNREADABLE = (ValueError, RuntimeError, HttpProcessingError, AssertionError)
"""What aiohttp's reader raises for a body that is not a valid form."""


async def read_upload(request: web.Request, field: str) -> bytes:
    """Return the file in the first field, which has to have this name.

    Raises `Problem`, also when the file has more than `LIMIT` bytes.
    """
    if request.content_type != CONTENT_TYPE:
        raise Problem(
            "unsupported_media_type",
            f"Send the file as {CONTENT_TYPE}.",
            headers={hdrs.ACCEPT: CONTENT_TYPE},
        )
    try:
        reader = await request.multipart()
        # A part of another name ends the request: it would have to be read, however long it is, to get past it.
        part = await reader.next()
        if isinstance(part, BodyPartReader) and part.name == field:
            return await _read(part)
    except _UNREADABLE:
        raise Problem("malformed_request", "The form cannot be read.") from None
    raise Problem(
        "invalid_request",
        "The form is not valid.",
        errors=[FieldError(pointer(field), "Field required", "missing")],
    )


async def _read(part: BodyPartReader) -> bytes:
    read = bytearray()
    while chunk := await part.read_chunk():
        read += chunk
        if len(read) > LIMIT:
            raise Problem("body_too_large", f"A file may have at most {LIMIT} bytes.")
    return bytes(read)
