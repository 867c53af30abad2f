"""Pictures that tests upload, and the upload."""

from io import BytesIO
from typing import Any

from aiohttp import FormData
from PIL import Image

from tests.api.rest_clinic import Answer, RestClinic


def picture(width: int = 40, height: int = 30, kind: str = "PNG", **more: Any) -> bytes:
    """Return an image file, red on the left and blue on the right."""
    image = Image.new("RGB", (width, height), "red")
    image.paste("blue", (width // 2, 0, width, height))
    written = BytesIO()
    image.save(written, kind, **more)
    return written.getvalue()


def form(**fields: bytes) -> FormData:
    data = FormData()
    for name, content in fields.items():
        data.add_field(name, content, filename=f"{name}.bin", content_type="application/octet-stream")
    return data


async def upload(clinic: RestClinic, who: str, content: bytes) -> Answer:
    return await clinic.ask("POST", "/api/v1/users/me/photo", who, data=form(photo=content))
