"""A sign-up that waits for the code that was texted to its phone."""

from hub.scheduling.values import Id, Instant, Value


class PendingSignUp(Value):
    """What somebody has typed to get an account. `id` is a secret of the browser or program that signs up.

    Anybody can sign up with anybody's address and phone. So each sign-up is of its own: another one with the same
    address neither replaces it nor is confirmed by its code. `code_hash` is None until the code is texted, which it is
    only if no account has the address or the phone. `tries` counts the answers so far, with a code or without.
    """

    id: Id
    name: str
    email: str
    phone: str
    password_hash: str
    expires_at: Instant
    code_hash: str | None = None
    tries: int = 0
