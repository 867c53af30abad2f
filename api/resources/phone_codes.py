"""The proof that a phone is the caller's: a code that is texted to it."""

from http import HTTPStatus

from aiohttp import web

from api.http.endpoints import Routes
from api.http.identity import Access
from api.resources.account_texts import checked_code, text_code
from api.resources.log_ins import invalid_field
from api.resources.profile import User, user_of
from api.resources.typed_codes import Digits
from api.services import Services, own_account
from hub.accounts.identity import Identity
from hub.scheduling.values import Value

routes = Routes("/api/v1/users/me/phone")

WRONG_CODE = "This is not the code, or not any more. After five tries or ten minutes, ask for a new one"


class PhoneCode(Value):
    """The code that was texted to the phone."""

    code: Digits


@routes.endpoint("POST", "/code", access=Access.SIGNED_IN, status=HTTPStatus.ACCEPTED, problems=["too_many_requests"])
async def send_phone_code(services: Services, request: web.Request, who: Identity) -> None:
    """Text a code to the caller's phone, unless it is proven. It is good for ten minutes and replaces the last one."""
    account = await own_account(services, who)
    await services.sign_in_rate_limits.count("code", request.remote, account.id)
    if not account.phone_verified:
        await text_code(services, account, "phone")


@routes.endpoint("POST", "/verify", access=Access.SIGNED_IN, problems=["too_many_requests"])
async def verify_phone(services: Services, request: web.Request, who: Identity, body: PhoneCode) -> User:
    """Prove that the phone is the caller's, by the code that was texted to it. A code is good for five tries."""
    await services.sign_in_rate_limits.count("login", request.remote, f"code of {who.user_id}")
    account = await own_account(services, who)
    if account.phone_verified:
        return user_of(account)
    code = await checked_code(services, account, "phone", body.code)
    if code is None:
        raise invalid_field("/code", WRONG_CODE, "wrong_code")
    await services.records.users.change(account, account.model_copy(update={"phone_verified": True}))
    after = await own_account(services, who)
    if after.phone == code.phone:
        services.access_log.note("phone_proven", who, people=(who.user_id,))
        return user_of(after)
    # The phone was changed at the same moment: the other one is not proven.
    await services.records.users.change(after, after.model_copy(update={"phone_verified": False}))
    raise invalid_field("/code", WRONG_CODE, "wrong_code")
