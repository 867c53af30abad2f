"""The webhooks of Twilio: inbound texts and delivery reports. A request that Twilio did not sign is refused."""

from typing import Annotated, Final, TypeVar
from urllib.parse import parse_qsl

import structlog
from aiohttp import web
from multidict import MultiDict
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError
from twilio.request_validator import RequestValidator
from twilio.twiml.messaging_response import MessagingResponse

from api.http.endpoints import FORM_TYPE, File, Routes
from api.http.identity import Access
from api.http.problems import Code, Problem, invalid
from api.services import Services
from hub.scheduling.values import Id, Value
from hub.settings import Settings, public_url
from hub.texting.callback_urls import STATUS, TEXT, WEBHOOK
from hub.texting.inbound_text import InboundText
from hub.texting.reports import Report, record_report

log = structlog.get_logger()

routes = Routes("")

SIGNATURE: Final = "X-Twilio-Signature"
_FIELDS = 200
"""Maximum number of form fields. Twilio sends fewer; each field costs some hashing."""
_PROBLEMS: Final[tuple[Code, ...]] = (
    "not_found",
    "forbidden",
    "unsupported_media_type",
    "body_too_large",
    "malformed_request",
)
F = TypeVar("F", bound="_Form")


class _Form(BaseModel):
    """The fields that the hub reads. Twilio sends more, and adds new ones without notice."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    account_sid: Annotated[str, Field(alias="AccountSid")]
    message_id: Annotated[Id, Field(alias="MessageSid")]
    sender: Annotated[str, Field(alias="From", min_length=1, max_length=64)]
    recipient: Annotated[str, Field(alias="To", min_length=1, max_length=64)]


class _Inbound(_Form):
    body: Annotated[str, Field(alias="Body")] = ""  # missing or empty when the text is a picture
    opt_out_type: Annotated[str | None, Field(alias="OptOutType")] = None


class _Report(_Form):
    status: Annotated[str, Field(alias="MessageStatus")]
    error_code: Annotated[int, Field(alias="ErrorCode"), BeforeValidator(lambda given: given or 0)] = 0


class AboutText(Value):
    """The text that a delivery report is about. Without it, the text is found by Twilio's message id."""

    text: Annotated[Id | None, Field(alias=TEXT)] = None


@routes.endpoint("POST", WEBHOOK, access=Access.ANYONE, problems=_PROBLEMS, form=_Inbound, gives="text/xml")
async def text_received(services: Services, request: web.Request) -> File:
    """Receive a text, carry out what the patient asks for, and reply in TwiML."""
    form = await _signed_form(_Inbound, services.settings, request)
    message = InboundText(
        id=form.message_id,
        phone=form.sender,
        our_number=form.recipient,
        body=form.body,
        received_at=services.clock(),
        answer=None,
    )
    reply = await services.text_replies.reply_to(message, form.opt_out_type)
    twiml = MessagingResponse()
    if reply:
        twiml.message(reply)
    return File(str(twiml).encode(), {})


@routes.endpoint("POST", STATUS, access=Access.ANYONE, status=204, problems=_PROBLEMS, form=_Report)
async def text_reported(services: Services, request: web.Request, query: AboutText) -> None:
    """Receive a delivery report of a text that the hub sent."""
    form = await _signed_form(_Report, services.settings, request)
    text_id = query.text or await _text_id_of(services, form.message_id)
    if text_id is None:
        log.warning("report_of_unknown_text", message_id=form.message_id)
        return
    report = Report(
        sid=form.message_id,
        status=form.status,
        error_code=form.error_code,
        phone=form.recipient,
        our_number=form.sender,
    )
    if not await record_report(services.records, text_id, report, services.clock()):
        log.warning("report_with_unknown_status", message_id=form.message_id)


async def _text_id_of(services: Services, sid: str) -> str | None:
    text = await services.records.texts.by_sid(sid)
    return None if text is None else text.id


async def _signed_form(form: type[F], settings: Settings, request: web.Request) -> F:
    """Return the form of a request that Twilio has signed for the configured account. Raises `Problem`."""
    account, token = settings.twilio_account_sid, settings.twilio_auth_token
    if account is None or token is None:
        raise Problem("not_found", "Twilio is not configured on this server.")
    if request.content_type != FORM_TYPE:
        raise Problem("unsupported_media_type", f"Send the body as {FORM_TYPE}.")
    fields = await _fields(request)
    signature = request.headers.get(SIGNATURE, "")
    # Twilio signs the configured public address. Host and scheme of the request may come from a proxy or an attacker.
    address = public_url(settings) + request.raw_path
    valid = request.raw_path.startswith("/") and RequestValidator(token.get_secret_value()).validate(
        address, fields, signature
    )
    if not valid or fields.getall("AccountSid", []) != [account]:
        raise Problem("forbidden", "The signature is not Twilio's, or not for this account and address.")
    try:
        return form.model_validate(dict(fields), by_alias=True, by_name=False)
    except ValidationError as error:
        raise invalid(error, "form") from None


async def _fields(request: web.Request) -> MultiDict[str]:
    """Return all fields that were signed, also empty and repeated ones. Raises `Problem` (400)."""
    raw = await request.read()
    try:
        return MultiDict(parse_qsl(raw.decode(), keep_blank_values=True, max_num_fields=_FIELDS))
    except ValueError:
        raise Problem("malformed_request", "The form cannot be read.") from None
