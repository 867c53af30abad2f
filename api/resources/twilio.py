"""What Twilio posts: texts that came in, and what has become of ours. Whoever else posts here is turned away."""

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
"""More than Twilio sends; each one costs us some hashing."""
_PROBLEMS: Final[tuple[Code, ...]] = (
    "not_found",
    "forbidden",
    "unsupported_media_type",
    "body_too_large",
    "malformed_request",
)
F = TypeVar("F", bound="_Form")


class _Form(BaseModel):
    """Fields that Twilio signs; more of them come, and new ones appear unannounced."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    account_sid: Annotated[str, Field(alias="AccountSid")]
    message_id: Annotated[Id, Field(alias="MessageSid")]
    sender: Annotated[str, Field(alias="From", min_length=1, max_length=64)]
    recipient: Annotated[str, Field(alias="To", min_length=1, max_length=64)]


class _Inbound(_Form):
    body: Annotated[str, Field(alias="Body")] = ""  # none, or a blank one, comes with a picture
    opt_out_type: Annotated[str | None, Field(alias="OptOutType")] = None


class _Report(_Form):
    status: Annotated[str, Field(alias="MessageStatus")]
    error_code: Annotated[int, Field(alias="ErrorCode"), BeforeValidator(lambda given: given or 0)] = 0


class AboutText(Value):
    """Which text of ours a report is about; without it, Twilio's own id has to tell."""

    text: Annotated[Id | None, Field(alias=TEXT)] = None


@routes.endpoint("POST", WEBHOOK, access=Access.ANYONE, problems=_PROBLEMS, form=_Inbound, gives="text/xml")
async def text_received(services: Services, request: web.Request) -> File:
    """Obey a text that a patient has sent, and answer it in TwiML."""
    form = await _signed(_Inbound, services.settings, request)
    message = InboundText(
        id=form.message_id,
        phone=form.sender,
        our_number=form.recipient,
        body=form.body,
        received_at=services.clock(),
        answer=None,
    )
    answer = await services.text_replies.reply_to(message, form.opt_out_type)
    twiml = MessagingResponse()
    if answer:
        twiml.message(answer)
    return File(str(twiml).encode(), {})


@routes.endpoint("POST", STATUS, access=Access.ANYONE, status=204, problems=_PROBLEMS, form=_Report)
async def text_reported(services: Services, request: web.Request, query: AboutText) -> None:
    """Take in how far a text of ours has come."""
    form = await _signed(_Report, services.settings, request)
    text_id = query.text or await _known_as(services, form.message_id)
    if text_id is None:
        log.warning("text_not_known", message_id=form.message_id)
        return
    report = Report(
        sid=form.message_id,
        status=form.status,
        error_code=form.error_code,
        phone=form.recipient,
        our_number=form.sender,
    )
    if not await record_report(services.records, text_id, report, services.clock()):
        log.warning("text_status_not_known", message_id=form.message_id)


async def _known_as(services: Services, sid: str) -> str | None:
    text = await services.records.texts.by_sid(sid)
    return None if text is None else text.id


async def _signed(form: type[F], settings: Settings, request: web.Request) -> F:
    """Return the form of a request that Twilio has signed for our account. Raises `Problem`."""
    account, token = settings.twilio_account_sid, settings.twilio_auth_token
    if account is None or token is None:
        raise Problem("not_found", "Twilio is not set up here.")
    if request.content_type != FORM_TYPE:
        raise Problem("unsupported_media_type", f"Send the body as {FORM_TYPE}.")
    fields = await _fields(request)
    signature = request.headers.get(SIGNATURE, "")
    # Over the address that Twilio was given. What the request says of its host and scheme is a proxy's, or a forger's.
    address = public_url(settings) + request.raw_path
    right = request.raw_path.startswith("/") and RequestValidator(token.get_secret_value()).validate(
        address, fields, signature
    )
    if not right or fields.getall("AccountSid", []) != [account]:
        raise Problem("forbidden", "The signature is not Twilio's, or not for our account and address.")
    try:
        return form.model_validate(dict(fields), by_alias=True, by_name=False)
    except ValidationError as error:
        raise invalid(error, "form") from None


async def _fields(request: web.Request) -> MultiDict[str]:
    """Return the fields as they were signed: blank ones, repeated ones and spaces included. Raises `Problem` (400)."""
    raw = await request.read()
    try:
        return MultiDict(parse_qsl(raw.decode(), keep_blank_values=True, max_num_fields=_FIELDS))
    except ValueError:
        raise Problem("malformed_request", "The form cannot be read.") from None
