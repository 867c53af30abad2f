"""Log-ins of the clinic's own pages: the refresh token is in a cookie that no script can read."""

from dataclasses import replace
from http import HTTPStatus
from http.cookies import SimpleCookie
from typing import Annotated, Final, Literal

from aiohttp import hdrs, web
from multidict import CIMultiDict
from pydantic import Field

from api.commands.command_client import Done
from api.http.access_log import Doer
from api.http.endpoints import Accepted, Answer, Routes
from api.http.identity import Access
from api.http.problems import Problem
from api.http.sign_in_rate_limits import KNOWN_FOR
from api.resources.idempotency import REPLAYED, Repeatable, answer_of
from api.resources.log_ins import Caller, LogIn, log_in, renew
from api.resources.profile import User, user_of
from api.resources.sign_ups import SignUp, SignUpConfirmation, SignUpToConfirm, confirm_sign_up, sign_up_patient
from api.services import Services
from hub.accounts.account import Account
from hub.accounts.sessions import TokenPair
from hub.ids import new_secret
from hub.scheduling.values import Role, Value
from hub.settings import Settings

_PATH: Final = "/api/v1/browser"
routes = Routes(_PATH)

_DAY: Final = 24 * 60 * 60
_REFRESH: Final = "clinic-hub-refresh"
_DEVICE: Final = "clinic-hub-device"
_LONGEST_SECRET: Final = 64
_COOKIE: Final = "Set-Cookie"


class FromPage(Value):
    """Every page sends it. A page of another origin cannot, because the hub allows it to no other origin."""

    requested_by: Annotated[Literal["page"], Field(description="A header that only the hub's own pages can send.")] = (
        Field(alias="X-Requested-By")
    )


class Renewing(FromPage, Repeatable):
    """What a page sends to refresh its access token."""


class PageSession(Value):
    """The access token of a page, and whose it is. `expires_in`: seconds until the access token expires.

    With `password_change_required` the access token is good only for the change of the first password, and for
    log-outs. With `second_factor_required` it is good only to set up a second factor. The token that the next refresh
    gives is good for everything.
    """

    access_token: str
    expires_in: int
    user: User
    password_change_required: bool
    second_factor_required: bool


@routes.endpoint(
    "POST",
    "/sign-in",
    access=Access.ANYONE,
    problems=[
        "forbidden",
        "invalid_credentials",
        "second_factor_required",
        "wrong_second_factor",
        "too_many_requests",
    ],
    sends=[_COOKIE],
)
async def sign_in(services: Services, request: web.Request, headers: FromPage, body: LogIn) -> Answer[PageSession]:  # noqa: ARG001  # it has to be there
    """Log in on a page, to an account of any role. The refresh token comes in a cookie.

    A second cookie is the browser's own: with it, the guesses of others do not keep its user out.
    """
    _require_own_page(request)
    name = _name(services.settings, request, _DEVICE)
    secret = request.cookies.get(name, "")[:_LONGEST_SECRET] or new_secret()
    begun = _begun(services, request, *await log_in(services, replace(Caller.of(request), secret=secret), body, None))
    device = _cookie(services.settings, request, _DEVICE, secret, int(KNOWN_FOR.total_seconds()))
    return Answer(begun.value, CIMultiDict([*begun.headers.items(), (_COOKIE, device)]))


@routes.endpoint(
    "POST",
    "/sign-up",
    access=Access.ANYONE,
    status=HTTPStatus.CREATED,
    problems=["forbidden", "email_taken", "phone_taken", "invalid_credentials", "too_many_requests"],
    sends=[_COOKIE],
)
async def sign_up_on_page(
    services: Services,
    request: web.Request,
    headers: FromPage,  # noqa: ARG001  # it has to be there
    body: SignUp,
) -> Answer[PageSession] | Accepted[SignUpToConfirm]:
    """Create a patient's account on a page, and log in. The refresh token comes in a cookie.

    Where sign-ups must be confirmed, the answer is 202 and without a cookie, as with the sign-up of programs.
    """
    _require_own_page(request)
    result = await sign_up_patient(services, Caller.of(request), body)
    return result if isinstance(result, Accepted) else _begun(services, request, *result)


@routes.endpoint(
    "POST",
    "/sign-up/confirm",
    access=Access.ANYONE,
    status=HTTPStatus.CREATED,
    problems=["forbidden", "invalid_credentials", "too_many_requests"],
    sends=[_COOKIE],
)
async def confirm_sign_up_on_page(
    services: Services,
    request: web.Request,
    headers: FromPage,  # noqa: ARG001  # it has to be there
    body: SignUpConfirmation,
) -> Answer[PageSession]:
    """Create the account of a sign-up on a page with the code that was texted, and log in, as for programs."""
    _require_own_page(request)
    return _begun(services, request, *await confirm_sign_up(services, Caller.of(request), body))


@routes.endpoint(
    "POST",
    "/refresh",
    access=Access.ANYONE,
    problems=["forbidden", "invalid_token", "too_many_requests"],
    sends=[_COOKIE, REPLAYED],
)
async def refresh_on_page(services: Services, request: web.Request, headers: Renewing) -> Answer[PageSession]:
    """Exchange the refresh token in the cookie for a new one, and get an access token.

    A page whose answer was lost repeats the request with the same `Idempotency-Key`, as with the refresh of programs.
    """
    _require_own_page(request)
    services.visitor_rate_limit.count(request.remote)
    account, pair = await renew(services, _token_of(services, request), headers.key)
    begun = _begun(services, request, account, pair)
    return answer_of(Done(begun.value, pair.replayed), begun.headers)


@routes.endpoint(
    "POST", "/sign-out", access=Access.ANYONE, status=HTTPStatus.NO_CONTENT, problems=["forbidden"], sends=[_COOKIE]
)
async def sign_out(services: Services, request: web.Request, headers: FromPage) -> Answer[None]:  # noqa: ARG001  # it has to be there
    """End the log-in of the cookie, with all its tokens and sockets, and remove the cookie."""
    _require_own_page(request)
    if account_and_pair := await services.sign_in.refresh(_token_of(services, request)):
        session_id, _, _ = account_and_pair[1].refresh_token.partition(".")
        await services.sign_in.end(session_id)
        account = account_and_pair[0]
        services.access_log.note("logged_out", Doer(account.id, Role(account.role)), people=(account.id,))
    return Answer(None, {_COOKIE: _cookie(services.settings, request, _REFRESH, "", 0)})


def _require_own_page(request: web.Request) -> None:
    """Return if a page of this origin sends the request. Raises `Problem` (403).

    `SameSite=Strict` keeps the cookie from other sites, but not from other hosts of the same site.
    """
    site = request.headers.get("Sec-Fetch-Site")
    if site is None:  # the page came over plain HTTP, where browsers send Origin only
        own = request.headers.get(hdrs.ORIGIN, "").partition("://")[2] == request.host
    else:
        own = site == "same-origin"
    if not own:
        raise Problem("forbidden", "Only the hub's own pages may do this. Programs log in at /api/v1/auth.")


def _token_of(services: Services, request: web.Request) -> str:
    return request.cookies.get(_name(services.settings, request, _REFRESH), "")


def _begun(services: Services, request: web.Request, account: Account, pair: TokenPair) -> Answer[PageSession]:
    session = PageSession(
        access_token=pair.access_token,
        expires_in=pair.expires_in,
        user=user_of(account),
        password_change_required=account.must_change_password,
        second_factor_required=services.sign_in.must_enrol(account),
    )
    lifetime = services.settings.refresh_token_days * _DAY
    return Answer(session, {_COOKIE: _cookie(services.settings, request, _REFRESH, pair.refresh_token, lifetime)})


def _cookie(settings: Settings, request: web.Request, plain_name: str, value: str, lifetime: int) -> str:
    """Return the header that sets the cookie for `lifetime` seconds."""
    name = _name(settings, request, plain_name)
    cookie: SimpleCookie = SimpleCookie()
    cookie[name] = value
    cookie[name]["path"] = _PATH
    cookie[name]["max-age"] = lifetime
    cookie[name]["httponly"] = True
    cookie[name]["secure"] = name != plain_name
    cookie[name]["samesite"] = "Strict"
    return cookie[name].OutputString()


def _name(settings: Settings, request: web.Request, plain_name: str) -> str:
    """Return the name of the cookie: that of a `Secure` one, except in development over plain HTTP.

    A browser takes a cookie whose name begins with `__Secure-` only with `Secure`, over https. Not every browser takes
    a `Secure` cookie from a loopback address.
    """
    secure = settings.clinic_env == "production" or request.scheme == "https"
    return f"__Secure-{plain_name}" if secure else plain_name
