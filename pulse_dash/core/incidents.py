"""Incidents and maintenance windows as operators tell of them; what the rule opens and closes is told by incident_rule.

They are read from memory by everybody; what an operator writes stands in the audit log.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from pulse_dash.core import operators
from pulse_dash.core.access import open_because
from pulse_dash.core.board import KEPT
from pulse_dash.core.errors import FieldError, Invalid
from pulse_dash.core.names import NAME_LENGTH, name_problem
from pulse_dash.core.work import Work
from pulse_dash.store.incidents import Incident

KINDS: Mapping[str, tuple[str, ...]] = {
    "incident": ("investigating", "identified", "monitoring", "resolved"),
    "maintenance": ("scheduled", "in_progress", "completed"),
}
IMPACTS = ("none", "minor", "major", "critical")
OVER = frozenset({"resolved", "completed"})
MOST_UPDATES = 100
LONGEST_BODY, LONGEST_POSTMORTEM = 4_000, 20_000


def in_words(status: str) -> str:
    """A status as people read it: `in_progress` is "In progress"."""
    return status.replace("_", " ").capitalize()


@open_because("anybody may see what went wrong")
def listing(work: Work) -> Sequence[Incident]:
    """The newest, from memory."""
    return work.parts.board.incidents


@open_because("only operators pass, and the first line asks")
async def may_declare(work: Work) -> None:
    """Raises Unauthenticated, OperatorOnly."""
    await operators.must_be(work, "incident.opened", resource_id="", name="")


@open_because("only operators pass, and the first line asks")
async def may_update(work: Work, incident_id: str) -> Incident:
    """The incident, for who may change it. Raises NotFound, Unauthenticated, OperatorOnly."""
    found = await work.as_system("read an incident").store.incidents.get(incident_id)
    await operators.must_be(work, "incident.updated", resource_id=found.id, name=found.title)
    return found


@open_because("only operators pass, and the first line asks")
async def declare(
    work: Work,
    *,
    title: str,
    body: str,
    kind: str = "incident",
    status: str | None = None,
    impact: str = "minor",
    components: Sequence[str] = (),
    starts_at: datetime | None = None,
    ends_at: datetime | None = None,
) -> Incident:
    """Tell of an incident, or of a maintenance window to come. Raises OperatorOnly, Invalid."""
    await may_declare(work)
    now = work.clock.now()
    began = starts_at or now
    at = status or ("in_progress" if kind == "maintenance" and began <= now else KINDS[kind][0])
    errors = [*_wrong(work, kind, at, components, impact), *_wrong_words(title=title, body=body)]
    if kind == "maintenance" and (ends_at is None or ends_at <= began):
        errors.append(FieldError("ends_at", "A maintenance window ends, and after it began."))
    if kind == "incident" and ends_at is not None:
        errors.append(FieldError("ends_at", "Only maintenance has an end that is known before."))
    if kind == "incident" and began > now:
        errors.append(FieldError("starts_at", "An incident has begun; what is to come is maintenance."))
    if errors:
        raise Invalid(*errors)
    document = {
        "kind": kind,
        "title": title.strip(),
        "impact": "none" if kind == "maintenance" else impact,
        "status": at,
        "components": list(components),
        "updates": [{"at": now, "status": at, "body": body}],
        "postmortem": "",
        "started_at": began,
        "ends_at": ends_at if kind == "maintenance" else None,
        "resolved_at": now if at in OVER else None,
        "created_by": getattr(work.actor, "id", "system"),
        "untold": now,
    }
    if kind == "maintenance" and at not in OVER:
        document["turns_at"] = began if at == "scheduled" else ends_at
    return await add(work, document, home=await operators.home_of(work))


@open_because("only operators pass, and the first line asks")
async def update(
    work: Work,
    incident_id: str,
    *,
    status: str | None = None,
    body: str | None = None,
    title: str | None = None,
    impact: str | None = None,
    components: Sequence[str] | None = None,
    postmortem: str | None = None,
) -> Incident:
    """Change what is named; a body is one more word on how it goes. Raises NotFound, OperatorOnly, Invalid."""
    before, now = await may_update(work, incident_id), work.clock.now()
    then = before.status if status is None else status
    weight = before.impact if impact is None else impact
    errors = _wrong(work, before.kind, then, components or (), weight)
    if errors := [*errors, *_wrong_words(title=title, body=body or None, postmortem=postmortem or None)]:
        raise Invalid(*errors)
    # However much was said, it can still be told that it is over.
    ends = then in OVER and before.status not in OVER
    if (body is not None or status is not None) and not ends and len(before.updates) >= MOST_UPDATES:
        raise Invalid(FieldError("body", f"An incident has {MOST_UPDATES} updates at most, and one more when it ends."))
    named = {"title": title and title.strip(), "impact": impact, "postmortem": postmortem, "status": status}
    values: dict[str, Any] = {name: value for name, value in named.items() if value is not None}
    if components is not None:
        values["components"] = list(components)
    changes = {name: {"before": getattr(before, name), "after": after} for name, after in values.items()}
    if body is not None or status is not None:
        kept = [{"at": each.at, "status": each.status, "body": each.body} for each in before.updates]
        values["updates"] = [*kept, {"at": now, "status": then, "body": body or ""}]
        values["untold"] = now
        changes["body"] = {"before": None, "after": body or ""}
    unset: list[str] = []
    if status is not None:
        values["resolved_at"] = (before.resolved_at or now) if status in OVER else None
        unset = ["open", "failing", "turns_at"] if status in OVER else []
        if status == "in_progress" and before.ends_at is not None and before.ends_at > now:
            # Begun by hand: the clock has only its end to tell of.
            values |= {"started_at": min(before.started_at, now), "turns_at": before.ends_at}
    entry = _entry(work, "incident.updated", before.id, before.title, await operators.home_of(work), changes)
    # Two operators' words at once: the second is told to read again, so that no word is lost.
    expect = {"updated_at": before.updated_at}
    store = work.as_system("an operator changes an incident").store
    changed = await store.incidents.change(before.id, values, entry, unset=unset, expect=expect)
    await read(work)
    return changed


@open_because("a job of the house")
async def read(work: Work) -> None:
    """Bring the newest into this node's memory. Raises Unavailable."""
    found = await work.as_system("read incidents").store.incidents.newest(KEPT)
    work.parts.board.remember(found)
    work.parts.bus.say("status:")


@open_because("operators and the rule come through it, each after its own question")
async def add(work: Work, document: dict[str, Any], *, home: str | None) -> Incident:
    """Keep a new one. Raises DuplicateKey where the rule opened one of this cause already."""
    incident_id = work.new_id("inc")
    told = {name: {"before": None, "after": document[name]} for name in ("kind", "status", "impact", "components")}
    entry = _entry(work, "incident.opened", incident_id, document["title"], home, told)
    store = work.as_system("tell of an incident").store
    made = await store.incidents.add({"_id": incident_id, **document}, entry)
    await read(work)
    return made


def _wrong_words(**words: str | None) -> list[FieldError]:
    """The words among these that cannot be told; a None is not looked at."""
    longest = {"body": LONGEST_BODY, "postmortem": LONGEST_POSTMORTEM}
    return [
        FieldError(name, problem)
        for name, text in words.items()
        if text is not None and (problem := name_problem(text, most=longest.get(name, NAME_LENGTH)))
    ]


def _wrong(work: Work, kind: str, status: str, components: Sequence[str], impact: str) -> list[FieldError]:
    errors: list[FieldError] = []
    if impact not in IMPACTS:
        errors.append(FieldError("impact", f"Must be one of {', '.join(IMPACTS)}."))
    if status not in KINDS[kind]:
        errors.append(FieldError("status", f"Must be one of {', '.join(KINDS[kind])}."))
    known = {each.name for each in work.parts.board.components}
    if set(components) - known:
        errors.append(FieldError("components", f"Must be of {', '.join(sorted(known))}."))
    return errors


def _entry(
    work: Work, action: str, incident_id: str, title: str, org_id: str | None, changes: Mapping[str, Any]
) -> dict[str, Any]:
    return work.entry(action, org_id=org_id, resource="incident", resource_id=incident_id, name=title, changes=changes)
