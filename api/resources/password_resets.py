"""A forgotten password: a code is texted to the proven phone of the account, and replaces it once."""

from http import HTTPStatus

from aiohttp import web

from api.http.access_log import Doer
from api.http.endpoints import Routes
from api.http.identity import Access
from api.resources.account_texts import checked_code, tell, text_code
from api.resources.after_answer import after_answer
from api.resources.log_ins import invalid_field, require_good_password
from api.resources.phone_codes import WRONG_CODE
from api.resources.typed_codes import Digits
from api.services import Services
from hub.accounts.calendar_links import end_calendar_link
from hub.accounts.fields import Email, NewPassword
from hub.accounts.passwords import hash_password
from hub.scheduling.values import Role, Value

routes = Routes("/api/v1/auth/password")


class Forgotten(Value):
    """The e-mail address of the account."""

    email: Email


class PasswordReset(Value):
    """The e-mail address, the code that was texted, and the new password."""

    email: Email
    code: Digits
    password: NewPassword


@routes.endpoint("POST", "/forgot", access=Access.ANYONE, status=HTTPStatus.ACCEPTED, problems=["too_many_requests"])
async def forgot_password(services: Services, request: web.Request, body: Forgotten) -> None:
    """Text a code for a new password to the proven phone of this account, if there is such an account.

    The answer is the same, and as quick, for every address.
    """
    await services.sign_in_rate_limits.count("code", request.remote, body.email)
    after_answer(_text_reset_code(services, body.email))


@routes.endpoint("POST", "/reset", access=Access.ANYONE, status=HTTPStatus.NO_CONTENT, problems=["too_many_requests"])
async def reset_password(services: Services, request: web.Request, body: PasswordReset) -> None:
    """Replace a forgotten password. All log-ins of the account end, and the private link of its calendar."""
    await services.sign_in_rate_limits.count("login", request.remote, f"reset of {body.email}")
    account = await services.records.users.by_email(body.email)
    require_good_password(services, "/password", body.password, account.name if account else None, body.email)
    if account is None or await checked_code(services, account, "password", body.code) is None:
        raise invalid_field("/code", WRONG_CODE, "wrong_code")
    fresh = await hash_password(body.password.get_secret_value(), services.settings.bcrypt_rounds)
    changed = account.model_copy(update={"password_hash": fresh, "must_change_password": False})
    if await services.records.users.change(account, changed) == "stale":
        raise invalid_field("/code", WRONG_CODE, "wrong_code")  # the password was changed meanwhile
    await services.sign_in.end_all(account.id)
    await end_calendar_link(services.records.users, account.id)
    services.access_log.note("password_reset", Doer(account.id, Role(account.role)), people=(account.id,))
    await tell(services, account, "password_reset")


async def _text_reset_code(services: Services, email: str) -> None:
    account = await services.records.users.by_email(email)
    if account is not None and account.phone_verified and account.phone is not None:
        await text_code(services, account, "password")
