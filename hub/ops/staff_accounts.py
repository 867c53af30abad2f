"""Creates, disables and enables the accounts of receptionists. Receptionists cannot sign up themselves."""

from datetime import datetime

from hub.accounts.account import Account
from hub.accounts.fields import Email, Name, Phone
from hub.accounts.passwords import hash_password
from hub.accounts.ports import Unique, UserRecords
from hub.clock import Clock
from hub.ids import new_id, new_secret
from hub.records.errors import StoreUnavailable
from hub.records.ports import Records
from hub.scheduling.values import Value


class NewReceptionist(Value):
    """The data of a receptionist's new account."""

    name: Name
    email: Email
    phone: Phone | None


async def create_receptionist(
    users: UserRecords, receptionist: NewReceptionist, now: datetime, bcrypt_rounds: int
) -> tuple[Account, str] | Unique:
    """Create the account; return it with its first password, or the field that another account already has.

    The first password opens nothing but the change of the password. Raises `StoreUnavailable`.
    """
    password = new_secret()[:20]
    account = Account(
        id=new_id(),
        role="receptionist",
        name=receptionist.name,
        email=receptionist.email,
        phone=receptionist.phone,
        password_hash=await hash_password(password, bcrypt_rounds),
        created_at=now,
        must_change_password=True,
    )
    return await users.add([account]) or (account, password)


async def disable_receptionist(records: Records, account: Account, clock: Clock) -> int:
    """Refuse log-ins of the receptionist and end all sessions; return how many. Raises `StoreUnavailable`.

    The api processes read the ended sessions from the record within two seconds. The sessions of a receptionist who is
    disabled already are ended too: an earlier attempt may have failed half-way.
    """
    await _set_disabled(records.users, account, disabled=True)
    return len(await records.sessions.revoke_all(account.id, clock()))


async def enable_receptionist(records: Records, account: Account) -> None:
    """Allow log-ins of the receptionist again. Raises `StoreUnavailable`."""
    await _set_disabled(records.users, account, disabled=False)


async def end_display_link(records: Records, account: Account) -> bool:
    """End the link of the display that the receptionist has made; return whether there was one.

    Raises `StoreUnavailable`.
    """
    if account.display_key_hash is None:
        return False
    if await records.users.change(account, account.model_copy(update={"display_key_hash": None})) is not None:
        raise StoreUnavailable("the account was deleted meanwhile")
    return True


async def _set_disabled(users: UserRecords, account: Account, *, disabled: bool) -> None:
    if await users.change(account, account.model_copy(update={"disabled": disabled})) is not None:
        raise StoreUnavailable("the account was deleted meanwhile")
