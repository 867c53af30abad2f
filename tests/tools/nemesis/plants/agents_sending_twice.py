"""An agents process that always sends texts as the leader, and ignores the claims of other workers."""

from datetime import datetime

from agents.texts.sending import TextSender
from hub.records.texts import MongoTexts
from hub.texting.text import Text
from tests.tools.nemesis import agents

_claim = MongoTexts.claim
_set_leading = TextSender.set_leading


async def _claim_anyway(self: MongoTexts, text: Text, now: datetime) -> Text:
    return await _claim(self, text, now) or text


def _lead_always(self: TextSender, *, leading: bool) -> None:  # noqa: ARG001 -- the signature of the original
    _set_leading(self, leading=True)


if __name__ == "__main__":
    MongoTexts.claim = _claim_anyway
    TextSender.set_leading = _lead_always
    agents.main()
