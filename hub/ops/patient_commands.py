"""The command `clinic-hub patient export`."""

import sys

from cyclopts import App

from hub.ops.access_lines import note
from hub.ops.account_commands import say, store
from hub.records.personal_data import personal_data

app = App(name="patient", help="Export the data of a patient.")


@app.command(name="export")
async def export(patient: str, /) -> int:
    """Print all that the hub has stored of a patient as JSON: profile, appointments with their history, texts.

    Parameters
    ----------
    patient
        The id of the patient.

    """
    async with store() as records:
        account = await records.users.by_id(patient)
        if account is None or account.role != "patient":
            say(f"There is no patient with the id {patient!r}.", sys.stderr)
            return 1
        data = await personal_data(records, account)
        await note(records, "data_exported", account.id)
    say(data.model_dump_json(by_alias=True, indent=2))
    return 0
