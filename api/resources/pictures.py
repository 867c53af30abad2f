"""Pictures that people send of themselves: checked by reading them, and written anew."""

import asyncio
from concurrent.futures import ThreadPoolExecutor
from io import BytesIO

from PIL import Image, ImageOps

SIDE = 512
"""Pixels of the longer side, at most, of what is kept."""
_PIXELS = 24_000_000
_FORMATS = ("JPEG", "PNG", "WEBP")
_QUALITY = 85
_AT_ONCE = 2

# Few threads: a picture unpacks to a hundred times its file, and a wave of them must not take all memory.
_drawing = ThreadPoolExecutor(_AT_ONCE, thread_name_prefix="pictures")


class NoPicture(Exception):
    """What came cannot be used; the message says to its sender why."""


async def portrait(sent: bytes) -> bytes:
    """Return the picture as a JPEG of at most `SIDE` pixels a side, upright, with nothing in it but pixels.

    Raises `NoPicture`.
    """
    return await asyncio.get_running_loop().run_in_executor(_drawing, _portrait, sent)


def _portrait(sent: bytes) -> bytes:
    try:
        with Image.open(BytesIO(sent), formats=_FORMATS) as image:
            # Before anything is unpacked: a file of some kilobytes may say that it is gigabytes of pixels.
            if image.width * image.height > _PIXELS:
                raise NoPicture(f"Send a picture of at most {_PIXELS // 1_000_000} million pixels")
            image.draft("RGB", (2 * SIDE, 2 * SIDE))  # lets a large JPEG be unpacked at a fraction of its size
            upright = ImageOps.exif_transpose(image).convert("RGBA")
    except (OSError, ValueError, SyntaxError, Image.DecompressionBombError):
        raise NoPicture("Send a whole picture: JPEG, PNG or WebP") from None
    upright.thumbnail((SIDE, SIDE))
    # Onto a new image: what else the file held (place, time, device, comments) stays behind.
    clean = Image.new("RGB", upright.size, "white")
    clean.paste(upright, mask=upright)
    written = BytesIO()
    clean.save(written, "JPEG", quality=_QUALITY)
    return written.getvalue()
