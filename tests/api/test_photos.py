from io import BytesIO

import pytest
from PIL import Image
from PIL.ExifTags import GPS, IFD, Base
from pydantic import ValidationError

from api.app import _photos
from api.http.request_reading import BODY_LIMIT
from api.http.uploads import LIMIT
from api.resources.pictures import SIDE
from hub.records.s3_photos import BucketPhotos
from hub.settings import Settings
from tests.api.pictures import form, picture, upload
from tests.api.rest_clinic import RestClinic, opening

PHOTO = "/api/v1/users/me/photo"
FIELD = b'--x\r\nContent-Disposition: form-data; name="photo"\r\n'
OF_CARL = "/api/v1/users/patient-carl/photo"


def with_a_place() -> bytes:
    exif = Image.Exif()
    exif[Base.Orientation.value] = 6  # held sideways: to be turned a quarter to the right
    exif[Base.Make.value] = "Spycam"
    exif.get_ifd(IFD.GPSInfo)[GPS.GPSLatitude.value] = (52.0, 31.0, 12.0)
    return picture(1600, 1000, "JPEG", exif=exif, comment=b"at home")


def bomb() -> bytes:
    """A file of some kilobytes that says, truly, that it is 25 million pixels."""
    written = BytesIO()
    Image.new("1", (5000, 5000)).save(written, "PNG")
    return written.getvalue()


async def test_a_picture_is_stored_small_upright_and_without_metadata(clinic: RestClinic) -> None:
    answer = await upload(clinic, "carl", with_a_place())
    assert answer.status == 200
    assert answer.body["photo"] == OF_CARL

    shown = await clinic.ask("GET", OF_CARL, "carl")

    with Image.open(BytesIO(shown.body)) as kept:
        assert (kept.format, kept.mode, kept.size) == ("JPEG", "RGB", (320, SIDE))
        top = kept.getpixel((160, 50))
        assert isinstance(top, tuple)
        assert (top[0] > 200, top[2] < 50) == (True, True)  # red was on the left
        assert not kept.getexif()
        assert kept.info.keys() <= {"jfif", "jfif_version", "jfif_unit", "jfif_density"}
    for told in (b"Spycam", b"at home", b"Exif"):
        assert told in with_a_place()
        assert told not in shown.body


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP"])
async def test_each_of_three_formats_is_taken(clinic: RestClinic, kind: str) -> None:
    assert (await upload(clinic, "carl", picture(kind=kind))).status == 200


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"not a picture",
        b"<svg xmlns='http://www.w3.org/2000/svg'/>",
        picture(kind="GIF"),
        picture(kind="TIFF"),
        picture(400, 300, "JPEG")[:900],
        picture(400, 300, "PNG")[:-60],
        b"\x89PNG\r\n\x1a\n" + b"\x00" * 50,
        bomb(),
    ],
    ids=["empty", "text", "svg", "gif", "tiff", "half a jpeg", "half a png", "png head", "too many pixels"],
)
async def test_an_invalid_picture_is_refused_and_the_old_one_stays(clinic: RestClinic, content: bytes) -> None:
    await upload(clinic, "carl", picture())
    before = (await clinic.ask("GET", OF_CARL, "carl")).body

    answer = await upload(clinic, "carl", content)

    assert (answer.status, answer.code) == (422, "invalid_request")
    assert [error["pointer"] for error in answer.body["errors"]] == ["/photo"]
    assert (await clinic.ask("GET", OF_CARL, "carl")).body == before


async def test_a_file_may_be_larger_than_any_other_body(clinic: RestClinic) -> None:
    written = BytesIO()
    Image.effect_noise((1200, 1200), 90).save(written, "PNG")
    assert len(written.getvalue()) > 10 * BODY_LIMIT
    assert (await upload(clinic, "carl", written.getvalue())).status == 200


async def test_pictures_go_to_the_bucket_when_one_is_set(clinic: RestClinic, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_REGION", "us-east-1")
    records = clinic.services.records
    async with _photos(Settings(photo_store="s3://clinic/photos"), records) as photos:
        assert isinstance(photos, BucketPhotos)
    async with _photos(Settings(photo_store=None), records) as photos:
        assert photos is records.photos


@pytest.mark.parametrize(
    "url", ["clinic", "https://clinic", "s3://", "s3://RestClinic", "s3://clinic/../x y", "s3://c"]
)
def test_an_invalid_bucket_url_is_refused(url: str) -> None:
    with pytest.raises(ValidationError):
        Settings(photo_store=url)


async def test_a_file_that_is_too_large_is_refused(clinic: RestClinic) -> None:
    answer = await upload(clinic, "carl", b"\x00" * (LIMIT + 1))
    assert (answer.status, answer.code) == (413, "body_too_large")


async def test_a_form_without_the_field_is_told_so(clinic: RestClinic) -> None:
    answer = await clinic.ask("POST", PHOTO, "carl", data=form(picture=picture()))
    assert (answer.status, [error["pointer"] for error in answer.body["errors"]]) == (422, ["/photo"])


async def test_another_field_before_the_picture_ends_the_request(clinic: RestClinic) -> None:
    answer = await clinic.ask("POST", PHOTO, "carl", data=form(title=b"x" * 2 * LIMIT, photo=picture()))
    assert (answer.status, [error["pointer"] for error in answer.body["errors"]]) == (422, ["/photo"])
    assert (await clinic.ask("POST", PHOTO, "carl", data=form(photo=picture(), title=b"me"))).status == 200


@pytest.mark.parametrize(
    ("content_type", "body", "code"),
    [
        ("application/json", b"{}", "unsupported_media_type"),
        ("image/png", picture(), "unsupported_media_type"),
        ("multipart/mixed; boundary=x", b"--x--\r\n", "unsupported_media_type"),
        ("multipart/form-data", b"--x--\r\n", "malformed_request"),
        ("multipart/form-data; boundary=x", b"", "malformed_request"),
        ("multipart/form-data; boundary=x", b"no boundary at all", "malformed_request"),
        ("multipart/form-data; boundary=x", b"--x\r\n\r\nhalf a", "invalid_request"),
        ("multipart/form-data; boundary=" + "x" * 80, b"--x--\r\n", "malformed_request"),
        # These two are read as far as they go, and what came is no picture.
        ("multipart/form-data; boundary=x", FIELD + b"Content-Length: ten\r\n\r\nabc\r\n--x--\r\n", "invalid_request"),
        ("multipart/form-data; boundary=x", FIELD + b"\r\ncut off", "invalid_request"),
    ],
)
async def test_what_is_no_form_is_refused(clinic: RestClinic, content_type: str, body: bytes, code: str) -> None:
    answer = await clinic.ask("POST", PHOTO, "carl", data=body, headers={"Content-Type": content_type})
    assert answer.code == code
    assert (await clinic.ask("GET", "/api/v1/users/me", "carl")).body["photo"] is None


async def test_a_picture_is_cached_by_its_reader_alone_and_asked_for_once(clinic: RestClinic) -> None:
    await upload(clinic, "carl", picture())
    first = await clinic.ask("GET", OF_CARL, "carl")
    assert first.headers["Cache-Control"] == "private, max-age=60"

    again = await clinic.ask("GET", OF_CARL, "carl", headers={"If-None-Match": first.headers["ETag"]})
    assert (again.status, again.body) == (304, b"")

    await upload(clinic, "carl", picture(20, 20))
    changed = await clinic.ask("GET", OF_CARL, "carl", headers={"If-None-Match": first.headers["ETag"]})
    assert changed.status == 200
    assert changed.body != first.body


async def test_a_doctor_sees_the_picture_of_an_own_patient_only(clinic: RestClinic) -> None:
    await upload(clinic, "carl", picture())
    assert (await clinic.ask("GET", OF_CARL, "ada")).status == 404
    await clinic.book("carl", "ada", opening(1))
    assert (await clinic.ask("GET", OF_CARL, "ada")).status == 200
    assert (await clinic.ask("GET", OF_CARL, "ben")).status == 404


async def test_everybody_signed_in_finds_a_doctors_picture(clinic: RestClinic) -> None:
    assert (await clinic.ask("GET", "/api/v1/doctors/doctor-ada", "dora")).body["photo"] is None
    await upload(clinic, "ada", picture())
    path = (await clinic.ask("GET", "/api/v1/doctors/doctor-ada", "dora")).body["photo"]
    assert (await clinic.ask("GET", path, "dora")).status == 200


async def test_a_picture_that_was_removed_is_gone_from_the_store(clinic: RestClinic) -> None:
    await upload(clinic, "carl", picture())
    account = await clinic.services.records.users.by_id("patient-carl")
    assert account is not None
    assert account.photo is not None
    assert await clinic.services.records.photos.get(account.photo)

    assert (await clinic.ask("DELETE", PHOTO, "carl")).status == 204

    assert await clinic.services.records.photos.get(account.photo) is None
    assert (await clinic.ask("GET", OF_CARL, "carl")).status == 404
    assert (await clinic.ask("DELETE", PHOTO, "carl")).status == 204
