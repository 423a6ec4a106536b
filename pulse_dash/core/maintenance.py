"""Maintenance windows begin and end by the clock: each turn is one more word in the window, which subscribers are told.

A window that an operator ended or cancelled turns no more. What a turn means for checks is told by the incident itself.
"""

from __future__ import annotations

from typing import Any, Final

from pulse_dash.core import incidents
from pulse_dash.core.access import open_because
from pulse_dash.core.incidents import Incident
from pulse_dash.core.work import Work
from pulse_dash.store.records import Moved

_BATCH: Final = 20


@open_because("a job of the house")
async def turn(work: Work) -> int:
    """Say of each window whose time has come that it began or ended; answers how many turned.

    Each word is written with what it changes, and only over what was read: neither a crash nor a second node says one
    twice. A window that passed while no node ran is said to be over, and nothing of its beginning. Raises Unavailable.
    """
    now, turned = work.clock.now(), 0
    for window in await work.store.incidents.turning(now, _BATCH):
        try:
            await _turn(work, window)
        except Moved:
            # An operator or another node wrote in between; the next look sees what there is then.
            continue
        turned += 1
    if turned:
        await incidents.read(work)
    return turned


async def _turn(work: Work, window: Incident) -> None:
    now = work.clock.now()
    if window.ends_at is not None and window.ends_at <= now:
        status, body = "completed", "The window is over."
        values: dict[str, Any] = {"resolved_at": window.ends_at}
    else:
        status = "in_progress"
        body = f"The window has begun. It is to end on {window.ends_at:%-d %B %Y at %H:%M} UTC."
        values = {"turns_at": window.ends_at}
    kept = [{"at": each.at, "status": each.status, "body": each.body} for each in window.updates]
    values |= {"status": status, "updates": [*kept, {"at": now, "status": status, "body": body}], "untold": now}
    changes = {"status": {"before": window.status, "after": status}}
    await work.store.incidents.change(
        window.id,
        values,
        work.entry(
            "incident.updated",
            org_id=None,
            resource="incident",
            resource_id=window.id,
            name=window.title,
            changes=changes,
        ),
        unset=["turns_at"] if status == "completed" else [],
        expect={"updated_at": window.updated_at},
    )
