"""Bans of identities: while one holds, no token is minted for that identity and it is put out of every room.

Each node remembers the banned identities of the projects that it mints for, so a token costs a look into a dict.
"""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from datetime import datetime

from pulse_dash.core import revocations
from pulse_dash.core.access import Permission, open_because, requires
from pulse_dash.core.errors import Conflict, FieldError, Forbidden, Invalid, NotFound, PulseError, Unavailable
from pulse_dash.core.known import Banned
from pulse_dash.core.names import name_problem, text_errors
from pulse_dash.core.work import Work
from pulse_dash.store.bans import Ban, holds_of
from pulse_dash.store.engine import DuplicateKey
from pulse_dash.store.records import Page

MOST_BANS = 10_000
LONGEST_REASON = 500


class IdentityBanned(Forbidden):
    """The project bans this identity; the caller's own permission is not what is missing."""

    code = "identity_banned"

    def __init__(self, until: datetime | None) -> None:
        ends = f" until {until.isoformat(timespec='seconds')}" if until else ""
        PulseError.__init__(self, f"This identity is banned from the project{ends}. Lift the ban first.")
        self.permission = ""


class TooManyBans(Conflict):
    """A node holds a project's bans in memory, so their number has an end."""

    code = "too_many_bans"

    def __init__(self) -> None:
        super().__init__(f"A project holds {MOST_BANS:,} bans at most. Lift some first.")


@open_because("tokens and accountability ask for a project that they have found")
async def refuse_banned(work: Work, project_id: str, identity: str) -> None:
    """Raises IdentityBanned while a ban holds; Unavailable."""
    refuse_one_of(work, await _of(work, project_id), identity)


@open_because("whoever asks has found the bans")
def refuse_one_of(work: Work, banned: Banned, identity: str) -> None:
    """Raises IdentityBanned while one of these bans holds for the identity."""
    if identity in banned and _holds(work, banned[identity]):
        raise IdentityBanned(banned[identity])


@open_because("tokens and accountability ask for a project that they have found")
async def is_banned(work: Work, project_id: str, identity: str) -> bool:
    """Whether a ban holds for this identity now. Raises Unavailable."""
    known = await _of(work, project_id)
    return identity in known and _holds(work, known[identity])


@requires(Permission.PEOPLE_VIEW)
async def listing(work: Work, project_id: str, *, search: str = "", page: int = 1, limit: int = 20) -> Page[Ban]:
    """The project's bans, the newest first; those that ran out stay until they are lifted. `search` is part of an
    identity, whatever its case.

    Raises NotFound, Forbidden."""
    await work.store.projects.get(project_id)
    return await work.store.bans.of_project(project_id, search=search, page=page, limit=limit)


@requires(Permission.BANS_CHANGE)
async def ban(work: Work, project_id: str, *, identity: str, reason: str, until: datetime | None = None) -> Ban:
    """Ban an identity from all rooms of the project, and put it out of those that run; banned again is changed.

    Raises NotFound, Forbidden, Invalid, TooManyBans. LiveKit away does not keep the ban from holding."""
    project = await work.store.projects.get(project_id)
    _check(work, identity, reason, until)
    ban_id, holds = work.new_id("ban"), holds_of(project_id, identity)
    full = await work.store.bans.count({"project_id": project_id}) >= MOST_BANS
    if full and await work.store.bans.holding(holds) is None:
        raise TooManyBans
    document = {
        "_id": ban_id,
        "org_id": project.org_id,
        "project_id": project_id,
        "identity": identity,
        "reason": reason.strip(),
        "until": until,
        "created_by": getattr(work.actor, "id", "system"),
        "lifted_at": None,
        "holds": holds,
    }
    told = {"identity": identity, "reason": reason.strip(), "until": until}
    changes = {name: {"before": None, "after": value} for name, value in told.items()}
    entry = _entry(work, "identity.banned", project.org_id, project_id, project.name, changes)
    try:
        made = await work.store.bans.add(document, entry)
    except DuplicateKey:
        there = await work.store.bans.holding(holds)
        if there is None:
            raise
        made = await work.store.bans.change(there.id, {"reason": reason.strip(), "until": until}, entry)
    # While LiveKit is away nobody is put out; on the installation's, accountability does it when it is back.
    with suppress(Unavailable):
        await revocations.put_out(work, project, await revocations.rooms_with(work, project, identity, None), identity)
    return made


@requires(Permission.BANS_CHANGE)
async def lift(work: Work, project_id: str, ban_id: str) -> None:
    """Let the identity in again, on every node within a second. Raises NotFound, Forbidden."""
    project = await work.store.projects.get(project_id)
    found = await work.store.bans.get(ban_id)
    if found.project_id != project_id:
        raise NotFound
    changes = {"identity": {"before": found.identity, "after": None}}
    entry = _entry(work, "identity.unbanned", project.org_id, project_id, project.name, changes)
    await work.store.bans.change(ban_id, {"lifted_at": work.clock.now()}, entry, unset=["holds"])


async def _of(work: Work, project_id: str) -> Banned:
    return await work.parts.known_bans.of(work.as_system("who is banned").store, project_id)


def _check(work: Work, identity: str, reason: str, until: datetime | None) -> None:
    errors = text_errors(("identity", identity))
    if problem := name_problem(reason, most=LONGEST_REASON):
        errors.append(FieldError("reason", problem))
    if until is not None and until <= work.clock.now():
        errors.append(FieldError("until", "Must lie in the future; leave it out for a ban for good."))
    if errors:
        raise Invalid(*errors)


def _holds(work: Work, until: datetime | None) -> bool:
    return until is None or until > work.clock.now()


def _entry(
    work: Work, action: str, org_id: str, project_id: str, name: str, changes: Mapping[str, object]
) -> dict[str, object]:
    return work.entry(action, org_id=org_id, resource="project", resource_id=project_id, name=name, changes=changes)
