"""The incidents that nobody has to write: opened when checks fail in a row, closed when they succeed again.

One cause has one incident. A component that needs another fails with it, so both stand in the incident of the one that
is needed, and it closes when all of them have recovered.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Any, Final

from pulse_dash.core import incidents
from pulse_dash.core.access import open_because
from pulse_dash.core.incidents import Incident
from pulse_dash.core.outages import FAILURES, SUCCESSES, Turn
from pulse_dash.core.work import Work
from pulse_dash.store.engine import DuplicateKey
from pulse_dash.store.records import Moved

# What fails so soon after the first belongs to the same moment, and needs no word of its own.
_TOGETHER: Final = timedelta(minutes=1)


@open_because("a job of the house")
async def follow(work: Work, turn: Turn) -> None:
    """Open, widen or close what the rule decided; done twice it is done once. Raises Unavailable."""
    board, store = work.parts.board, work.as_system("incidents by the rule").store
    lasting = await store.incidents.lasting(board.cause_of(turn.component), turn.component)
    try:
        if turn.began and lasting is None:
            await _open(work, turn)
        elif turn.began and lasting is not None:
            await _widen(work, lasting, turn)
        elif lasting is not None and turn.component in lasting.failing:
            await _recover(work, lasting, turn)
    except (Moved, DuplicateKey):
        # An operator or another node wrote in between: what there is now is looked at again.
        await follow(work, turn)


async def _open(work: Work, turn: Turn) -> None:
    board, now = work.parts.board, work.clock.now()
    word = f"{FAILURES} checks in a row failed, the first at {turn.at:%H:%M:%S} UTC."
    document = {
        "kind": "incident",
        "title": _title(work, turn.component),
        "impact": "major",
        "status": "investigating",
        "components": [turn.component],
        "updates": [{"at": now, "status": "investigating", "body": word}],
        "postmortem": "",
        "started_at": turn.at,
        "open": board.cause_of(turn.component),
        "failing": [turn.component],
        "created_by": "rule",
        "untold": now,
    }
    await incidents.add(work, document, home=None)


async def _widen(work: Work, lasting: Incident, turn: Turn) -> None:
    """One more component fails of the same cause; the cause itself gives the incident its name."""
    if turn.component in lasting.failing:
        return
    values: dict[str, Any] = {
        "components": list(dict.fromkeys([*lasting.components, turn.component])),
        "failing": [*lasting.failing, turn.component],
    }
    others = {_title(work, name) for name in lasting.failing}
    if turn.component == lasting.outage and lasting.title in others:
        values["title"] = _title(work, turn.component)
    if turn.at - lasting.started_at > _TOGETHER:
        values |= _word(work, lasting, lasting.status, f"{work.parts.board.title_of(turn.component)} fails too.")
    await _change(work, lasting, values)


async def _recover(work: Work, lasting: Incident, turn: Turn) -> None:
    """The last one that recovers closes it."""
    known = {each.name for each in work.parts.board.components}
    failing = [name for name in lasting.failing if name != turn.component and name in known]
    if failing:
        await _change(work, lasting, {"failing": failing})
        return
    minutes = max(1, round((turn.at - lasting.started_at).total_seconds() / 60))
    word = f"{SUCCESSES} checks in a row succeeded. It lasted {minutes} min."
    values = {"status": "resolved", "resolved_at": turn.at, **_word(work, lasting, "resolved", word)}
    await _change(work, lasting, values, "open", "failing")


async def _change(work: Work, lasting: Incident, values: dict[str, Any], *unset: str) -> None:
    entry = work.entry("incident.updated", org_id=None, resource="incident", resource_id=lasting.id, name=lasting.title)
    expect = {"open": lasting.outage, "updated_at": lasting.updated_at}
    store = work.as_system("incidents by the rule").store
    await store.incidents.change(lasting.id, values, entry, unset=unset, expect=expect)


def _word(work: Work, lasting: Incident, status: str, body: str) -> dict[str, Any]:
    now = work.clock.now()
    kept = [{"at": each.at, "status": each.status, "body": each.body} for each in lasting.updates]
    return {"updates": [*kept, {"at": now, "status": status, "body": body}], "untold": now}


def _title(work: Work, component: str) -> str:
    return f"{work.parts.board.title_of(component)} does not work"
