"""Projects: making one with its first key, finding, changing and deleting it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Final

from pulse_dash.core import connections, keys, project_webhooks
from pulse_dash.core.access import Permission, open_because, requires
from pulse_dash.core.connections import GivenLiveKit, GivenStorage, LiveKitTaken
from pulse_dash.core.errors import FieldError, Invalid, PreconditionFailed
from pulse_dash.core.keys import ShownKey
from pulse_dash.core.names import name_errors, name_problem
from pulse_dash.core.organizations import RESTORABLE
from pulse_dash.core.project_webhooks import GivenWebhook
from pulse_dash.core.secret import Secret
from pulse_dash.core.work import Work
from pulse_dash.store.engine import DuplicateKey
from pulse_dash.store.projects import Order, OwnLiveKit, OwnStorage, Project
from pulse_dash.store.records import Making, Page

FIRST_KEY = "default"
LONGEST_PREFIX = 32

Shown = Callable[[Any], Any]
# The organizations that were deleted last are looked at; those before them were at an earlier round.
_LET_GO_AT_ONCE = 200
_OF_LIVEKIT = ("livekit", "livekit_id", "livekit_pair")


class _Unchanged:
    """What a change does not speak of; None takes it away."""


UNCHANGED: Final = _Unchanged()


class _Draft:
    """A change of a project: the fields to set, those to take away, and what the audit log tells of both."""

    def __init__(self, before: Project) -> None:
        self.before = before
        self.values: dict[str, Any] = {}
        self.gone: list[str] = []
        self.changes: dict[str, dict[str, Any]] = {}

    def texts(self, **asked: str | None) -> dict[str, str]:
        """Set the texts that are others than before; answers them."""
        new = {field: text for field, text in asked.items() if text not in (None, getattr(self.before, field))}
        for field, text in new.items():
            self.changes[field] = {"before": getattr(self.before, field), "after": text}
        self.values |= new
        return new

    def set(self, field: str, values: Mapping[str, Any], shown: Shown) -> None:
        """Set a connection's fields."""
        self.values |= values
        self.changes[field] = {"before": shown(_as_kept(self.before, field)), "after": shown(values[field])}

    def clear(self, field: str, fields: Sequence[str], shown: Shown = lambda kept: kept) -> None:
        """Take a field away with those beside it, where it is there."""
        if getattr(self.before, field) is not None:
            self.gone += fields
            self.changes[field] = {"before": shown(_as_kept(self.before, field)), "after": None}


@dataclass(frozen=True, slots=True)
class NewWebhook:
    """The webhook that a project was made with."""

    id: str
    secret: Secret


@dataclass(frozen=True, slots=True)
class CreatedProject:
    """A new project, its first key and, where an address was named, its webhook; secrets are shown this once."""

    project: Project
    key: ShownKey
    webhook: NewWebhook | None = None


@requires(Permission.PROJECTS_CREATE)
async def create(
    work: Work,
    *,
    org_id: str,
    name: str,
    region: str | None = None,
    livekit: GivenLiveKit | None = None,
    storage: GivenStorage | None = None,
    webhook_url: str | None = None,
) -> CreatedProject:
    """Make a project in an organization, on the installation's LiveKit and bucket or on ones of its own; with a webhook
    of all events where an address is named, for whom also may change webhooks.

    Raises NotFound, Forbidden, Invalid, LiveKitTaken."""
    await work.store.organizations.get(org_id)
    name, region = name.strip(), work.parts.policy.regions[0] if region is None else region
    _check(work, name=name, region=region)
    project_id = work.new_id("prj")
    # Its own entry stands in the log before those of what is made with it.
    entry = work.entry("project.created", org_id=org_id, resource="project", resource_id=project_id, name=name)
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
    makes, webhook = [Making("keys", key_document)], None
    if webhook_url is not None:
        await work.narrowed(Permission.WEBHOOKS_CHANGE).store.organizations.get(org_id)
        secret, webhook_document = await project_webhooks.drafted(
            work, org_id, project_id, name, GivenWebhook(webhook_url), field="webhook_url"
        )
        placed = {**webhook_document, "place": project_webhooks.place(project_id, 0)}
        makes.append(Making("webhooks", placed))
        webhook = NewWebhook(webhook_document["_id"], secret)
    try:
        project = await work.store.projects.add(document, entry, makes=makes)
    except DuplicateKey as taken:
        raise _taken(taken) from taken
    return CreatedProject(project, shown, webhook)


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
    development_prefix: str | _Unchanged | None = UNCHANGED,
    version: int | None = None,
) -> Project:
    """Change the named fields and leave the rest; `version` is the one the caller has read, if it says so.

    A LiveKit or bucket of None is the installation's again; without a development prefix a key alone opens nothing.
    Raises NotFound, Forbidden, Invalid, LiveKitTaken, PreconditionFailed, Moved."""
    before = await work.store.projects.get(project_id)
    if version not in (None, before.version):
        raise PreconditionFailed
    draft = _Draft(before)
    _check(work, **draft.texts(name=None if name is None else name.strip(), region=region))
    if isinstance(livekit, GivenLiveKit):
        draft.set("livekit", await connections.livekit_fields(work, livekit), _shown_livekit)
    elif livekit is None:
        draft.clear("livekit", _OF_LIVEKIT, _shown_livekit)
    if isinstance(storage, GivenStorage):
        draft.set("storage", await connections.storage_fields(work, storage), _shown_storage)
    elif storage is None:
        draft.clear("storage", ("storage",), _shown_storage)
    if isinstance(development_prefix, str):
        _check_prefix(development_prefix)
        draft.texts(development_prefix=development_prefix)
    elif development_prefix is None:
        draft.clear("development_prefix", ("development_prefix",))
    if not draft.changes:
        return before
    entry = work.entry(
        "project.updated",
        org_id=before.org_id,
        resource="project",
        resource_id=project_id,
        name=before.name,
        changes=draft.changes,
    )
    try:
        return await work.store.projects.change(
            project_id, draft.values, entry, unset=draft.gone, expect={"version": before.version}
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


@open_because("a job of the house")
async def let_go(work: Work) -> int:
    """Delete the projects of organizations that nobody can restore any more, so that their LiveKits are not called and
    may be named elsewhere; answers how many. Raises Unavailable."""
    gone = await work.store.deleted_organizations.before(work.clock.now() - RESTORABLE, _LET_GO_AT_ONCE)
    found = await work.store.projects.of_organizations([organization.id for organization in gone])
    for project in found:
        entry = work.entry(
            "project.deleted", org_id=project.org_id, resource="project", resource_id=project.id, name=project.name
        )
        await work.store.projects.change(project.id, {"deleted_at": work.clock.now()}, entry, unset=_OF_LIVEKIT)
    return len(found)


def _check(work: Work, *, name: str | None = None, region: str | None = None) -> None:
    errors = [] if name is None else name_errors(name=name)
    if region is not None and region not in work.parts.policy.regions:
        errors.append(FieldError("region", f"Must be one of {', '.join(work.parts.policy.regions)}."))
    if errors:
        raise Invalid(*errors)


def _check_prefix(prefix: str) -> None:
    if problem := name_problem(prefix, most=LONGEST_PREFIX):
        raise Invalid(FieldError("development_tokens.room_prefix", problem))


def _taken(taken: DuplicateKey) -> DuplicateKey | LiveKitTaken:
    return LiveKitTaken() if taken.index == "livekit_pair" else taken


def _as_kept(before: Project, field: str) -> Any:
    own: OwnLiveKit | OwnStorage | str | None = getattr(before, field)
    return own if own is None or isinstance(own, str) else asdict(own)


def _shown_livekit(kept: Any) -> dict[str, Any] | None:
    """What the audit log tells of it: never the pair."""
    return None if kept is None else {name: kept[name] for name in ("url", "key_hint", "secret_hint")}


def _shown_storage(kept: Any) -> dict[str, Any] | None:
    shown = ("provider", "bucket", "endpoint", "region", "public_url", "key_hint", "secret_hint")
    return None if kept is None else {name: kept[name] for name in shown}
