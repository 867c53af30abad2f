"""An api process whose erasures leave the texts to the person as they are."""

from api.commands import erasures
from tests.tools.nemesis import api


async def _leave(*_: object) -> None:
    return None


if __name__ == "__main__":
    erasures.erase_texts = _leave  # type: ignore[attr-defined]
    api.main()
