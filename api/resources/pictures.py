"""Decodes an uploaded picture and encodes it again, which validates it and removes its metadata."""

import asyncio
from concurrent.futures import ThreadPoolExecutor
from io import BytesIO

from PIL import Image, ImageOps

SIDE = 512
"""Maximum length of the longer side of a stored picture, in pixels."""
_MAX_PIXELS = 24_000_000
_FORMATS = ("JPEG", "PNG", "WEBP")
_QUALITY = 85
_THREADS = 2

# Few threads: a decoded picture takes a hundred times the memory of its file.
_pool = ThreadPoolExecutor(_THREADS, thread_name_prefix="pictures")


class NoPicture(Exception):
    """The upload is not a usable picture. The message tells the sender why."""


async def portrait(upload: bytes) -> bytes:
    """Return the picture as an upright JPEG without metadata, at most `SIDE` pixels a side.

    Raises `NoPicture`.
    """
    return await asyncio.get_running_loop().run_in_executor(_pool, _portrait, upload)


def _portrait(upload: bytes) -> bytes:
    try:
        with Image.open(BytesIO(upload), formats=_FORMATS) as image:
            # Before decoding: a file of some kilobytes may declare gigabytes of pixels.
            if image.width * image.height > _MAX_PIXELS:
                raise NoPicture(f"Send a picture of at most {_MAX_PIXELS // 1_000_000} million pixels")
            image.draft("RGB", (2 * SIDE, 2 * SIDE))  # decodes a large JPEG at a fraction of its size
            upright = ImageOps.exif_transpose(image).convert("RGBA")
    except (OSError, ValueError, SyntaxError, Image.DecompressionBombError):
        raise NoPicture("Send a complete picture: JPEG, PNG or WebP") from None
    upright.thumbnail((SIDE, SIDE))
    # A new image: the metadata of the file (place, time, device, comments) is not copied.
    clean = Image.new("RGB", upright.size, "white")
    clean.paste(upright, mask=upright)
    written = BytesIO()
    clean.save(written, "JPEG", quality=_QUALITY)
    return written.getvalue()
