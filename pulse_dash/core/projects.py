"""Projects: making one with its first key, finding, changing and deleting it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, Final

from pulse_dash.core import connections, keys
from pulse_dash.core.access import Permission, requires
from pulse_dash.core.connections import GivenLiveKit, GivenStorage, LiveKitTaken
from pulse_dash.core.errors import FieldError, Invalid, PreconditionFailed
from pulse_dash.core.keys import ShownKey
from pulse_dash.core.names import name_errors
from pulse_dash.core.work import Work
from pulse_dash.store.engine import DuplicateKey
from pulse_dash.store.projects import Order, OwnLiveKit, OwnStorage, Project
from pulse_dash.store.records import Making, Page

FIRST_KEY = "default"
_OF_LIVEKIT = ("livekit", "livekit_id", "livekit_pair")


class _Unchanged:
    """What a change does not speak of; None takes it away."""


UNCHANGED: Final = _Unchanged()


@dataclass(frozen=True, slots=True)
class CreatedProject:
    """A new project and its first key, whose secret is shown this once."""

    project: Project
    key: ShownKey


@requires(Permission.PROJECTS_CREATE)
async def create(
    work: Work,
    *,
    org_id: str,
    name: str,
    region: str | None = None,
    livekit: GivenLiveKit | None = None,
    storage: GivenStorage | None = None,
) -> CreatedProject:
    """Make a project in an organization, on the installation's LiveKit and bucket or on ones of its own.

    Raises NotFound, Forbidden, Invalid, LiveKitTaken."""
    await work.store.organizations.get(org_id)
    name, region = name.strip(), work.parts.policy.regions[0] if region is None else region
    _check(work, name=name, region=region)
    project_id = work.new_id("prj")
    shown, key_document = await keys.drafted(work, org_id=org_id, project_id=project_id, name=FIRST_KEY)
    document = {
        "_id": project_id,
        "org_id": org_id,
        "name": name,
        "region": region,
        "created_by": getattr(work.actor, "id", "system"),
        "deleted_at": None,
        "first_token_at": None,
        "first_participant_at": None,
        **(await connections.livekit_fields(work, livekit) if livekit else {}),
        **(await connections.storage_fields(work, storage) if storage else {}),
    }
    entry = work.entry("project.created", org_id=org_id, resource="project", resource_id=project_id, name=name)
    try:
        project = await work.store.projects.add(document, entry, makes=[Making("keys", key_document)])
    except DuplicateKey as taken:
        raise _taken(taken) from taken
    return CreatedProject(project, shown)


@requires(Permission.VIEW)
async def listing(
    work: Work,
    *,
    org_id: str | None = None,
    region: str | None = None,
    live: bool | None = None,
    search: str = "",
    order: Order = Order.OLDEST,
    page: int = 1,
    limit: int = 20,
) -> Page[Project]:
    """The caller's projects; of one organization, of one region, with or without somebody in a room, where so asked.

    While LiveKit does not answer nobody knows who is live, and `live` chooses nothing. Raises NotFound."""
    if org_id is not None:
        await work.store.organizations.get(org_id)
    snapshot = work.parts.live.now
    busy = None
    if live is not None and snapshot is not None:
        busy = live, [project for project, rooms in snapshot.rooms.items() if rooms]
    return await work.store.projects.search(
        org_id=org_id, region=region, busy=busy, search=search, order=order, page=page, limit=limit
    )


@requires(Permission.VIEW)
async def read(work: Work, project_id: str) -> Project:
    """One project. Raises NotFound."""
    return await work.store.projects.get(project_id)


@requires(Permission.PROJECTS_CHANGE)
async def change(
    work: Work,
    project_id: str,
    *,
    name: str | None = None,
    region: str | None = None,
    livekit: GivenLiveKit | _Unchanged | None = UNCHANGED,
    storage: GivenStorage | _Unchanged | None = UNCHANGED,
    version: int | None = None,
) -> Project:
    """Change the named fields and leave the rest; `version` is the one the caller has read, if it says so.

    A LiveKit or bucket of None is the installation's again.
    Raises NotFound, Forbidden, Invalid, LiveKitTaken, PreconditionFailed, Moved."""
    before = await work.store.projects.get(project_id)
    if version not in (None, before.version):
        raise PreconditionFailed
    texts: dict[str, str] = {}
    if name is not None and name.strip() != before.name:
        texts["name"] = name.strip()
    if region is not None and region != before.region:
        texts["region"] = region
    _check(work, **texts)
    values: dict[str, Any] = {**texts}
    unset: list[str] = []
    changes = {field: {"before": getattr(before, field), "after": value} for field, value in texts.items()}
    if isinstance(livekit, GivenLiveKit):
        values |= await connections.livekit_fields(work, livekit)
    elif livekit is None and before.livekit is not None:
        unset += _OF_LIVEKIT
    if isinstance(storage, GivenStorage):
        values |= await connections.storage_fields(work, storage)
    elif storage is None and before.storage is not None:
        unset.append("storage")
    for field, shown in (("livekit", _shown_livekit), ("storage", _shown_storage)):
        if field in values or field in unset:
            changes[field] = {"before": shown(_as_kept(getattr(before, field))), "after": shown(values.get(field))}
    if not changes:
        return before
    entry = work.entry(
        "project.updated",
        org_id=before.org_id,
        resource="project",
        resource_id=project_id,
        name=before.name,
        changes=changes,
    )
    try:
        return await work.store.projects.change(
            project_id, values, entry, unset=unset, expect={"version": before.version}
        )
    except DuplicateKey as taken:
        raise _taken(taken) from taken


@requires(Permission.PROJECTS_DELETE)
async def delete(work: Work, project_id: str) -> None:
    """Delete it; its keys are refused everywhere within a second. Raises NotFound, Forbidden."""
    before = await work.store.projects.get(project_id)
    entry = work.entry(
        "project.deleted", org_id=before.org_id, resource="project", resource_id=project_id, name=before.name
    )
    # Its LiveKit speaks for it no more, and may serve another project.
    await work.store.projects.change(project_id, {"deleted_at": work.clock.now()}, entry, unset=_OF_LIVEKIT)


def _check(work: Work, *, name: str | None = None, region: str | None = None) -> None:
    errors = [] if name is None else name_errors(name=name)
    if region is not None and region not in work.parts.policy.regions:
        errors.append(FieldError("region", f"Must be one of {', '.join(work.parts.policy.regions)}."))
    if errors:
        raise Invalid(*errors)


def _taken(taken: DuplicateKey) -> DuplicateKey | LiveKitTaken:
    return LiveKitTaken() if taken.index == "livekit_pair" else taken


def _as_kept(own: OwnLiveKit | OwnStorage | None) -> dict[str, Any] | None:
    return None if own is None else asdict(own)


def _shown_livekit(kept: Mapping[str, Any] | None) -> dict[str, Any] | None:
    """What the audit log tells of it: never the pair."""
    return None if kept is None else {name: kept[name] for name in ("url", "key_hint", "secret_hint")}


def _shown_storage(kept: Mapping[str, Any] | None) -> dict[str, Any] | None:
    shown = ("provider", "bucket", "endpoint", "region", "public_url", "key_hint", "secret_hint")
    return None if kept is None else {name: kept[name] for name in shown}
