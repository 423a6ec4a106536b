"""Erasing a person from the audit log: their key goes, and with it what the log holds of them."""

from __future__ import annotations

from pulse_dash.core.access import open_because
from pulse_dash.core.work import Work


@open_because("for whoever erases a person, which has a rule of its own")
async def erase(work: Work, person_id: str) -> bool:
    """Let nobody read any more what the audit log holds of a person; the chain still verifies. False without a key."""
    return bool(await work.parts.store.people.forget(person_id))
