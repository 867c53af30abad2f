"""An api process whose erasures leave what is to come: they neither cancel appointments nor decline offers."""

from api.commands.erasures import ErasureCommands
from hub.accounts.account import Erasure
from hub.scheduling.appointment import Appointment
from tests.tools.nemesis import api


async def _leave(_: ErasureCommands, __: Appointment, ___: Erasure) -> None:
    return None


if __name__ == "__main__":
    ErasureCommands._end = _leave  # type: ignore[method-assign]
    api.main()
