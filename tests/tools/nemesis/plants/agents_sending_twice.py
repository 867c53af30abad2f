"""An agents process that sends texts whoever else does: it leads always, and claims what others have claimed."""

from datetime import datetime

from agents.texts.sending import TextSender
from hub.records.texts import MongoTexts
from hub.texting.text import Text
from tests.tools.nemesis import agents

_claim = MongoTexts.claim
_lead = TextSender.lead


async def _claim_anyway(self: MongoTexts, text: Text, now: datetime) -> Text:
    return await _claim(self, text, now) or text


def _lead_anyway(self: TextSender, *, leads: bool) -> None:  # noqa: ARG001 -- as what it stands for
    _lead(self, leads=True)


if __name__ == "__main__":
    MongoTexts.claim = _claim_anyway
    TextSender.lead = _lead_anyway
    agents.main()
