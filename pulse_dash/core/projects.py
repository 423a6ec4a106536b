"""Projects: making one with its first key, finding, changing and deleting it."""

from __future__ import annotations

from dataclasses import dataclass

from pulse_dash.core import keys
from pulse_dash.core.access import Permission, requires
from pulse_dash.core.errors import FieldError, Invalid, PreconditionFailed
from pulse_dash.core.keys import ShownKey
from pulse_dash.core.names import name_errors
from pulse_dash.core.work import Work
from pulse_dash.store.projects import Project
from pulse_dash.store.records import Making, Page

FIRST_KEY = "default"


@dataclass(frozen=True, slots=True)
class CreatedProject:
    """A new project and its first key, whose secret is shown this once."""

    project: Project
    key: ShownKey


@requires(Permission.PROJECTS_CREATE)
async def create(work: Work, *, org_id: str, name: str, region: str | None = None) -> CreatedProject:
    """Make a project in an organization. Raises NotFound, Forbidden, Invalid."""
    await work.store.organizations.get(org_id)
    name, region = name.strip(), work.parts.policy.regions[0] if region is None else region
    _check(work, name=name, region=region)
    project_id = work.new_id("prj")
    shown, key_document = await keys.drafted(work, org_id=org_id, project_id=project_id, name=FIRST_KEY)
    project = await work.store.projects.add(
        {
            "_id": project_id,
            "org_id": org_id,
            "name": name,
            "region": region,
            "created_by": getattr(work.actor, "id", "system"),
            "deleted_at": None,
            "first_token_at": None,
            "first_participant_at": None,
        },
        work.entry("project.created", org_id=org_id, resource="project", resource_id=project_id, name=name),
        makes=[Making("keys", key_document)],
    )
    return CreatedProject(project, shown)


@requires(Permission.VIEW)
async def listing(
    work: Work,
    *,
    org_id: str | None = None,
    region: str | None = None,
    search: str = "",
    page: int = 1,
    limit: int = 20,
) -> Page[Project]:
    """The caller's projects, oldest first; of one organization where named. Raises NotFound."""
    if org_id is not None:
        await work.store.organizations.get(org_id)
    return await work.store.projects.search(org_id=org_id, region=region, search=search, page=page, limit=limit)


@requires(Permission.VIEW)
async def read(work: Work, project_id: str) -> Project:
    """One project. Raises NotFound."""
    return await work.store.projects.get(project_id)


@requires(Permission.PROJECTS_CHANGE)
async def change(
    work: Work, project_id: str, *, name: str | None = None, region: str | None = None, version: int | None = None
) -> Project:
    """Change the named fields and leave the rest; `version` is the one the caller has read, if it says so.

    Raises NotFound, Forbidden, Invalid, PreconditionFailed, Moved."""
    before = await work.store.projects.get(project_id)
    if version not in (None, before.version):
        raise PreconditionFailed
    values: dict[str, str] = {}
    if name is not None and name.strip() != before.name:
        values["name"] = name.strip()
    if region is not None and region != before.region:
        values["region"] = region
    _check(work, **values)
    if not values:
        return before
    entry = work.entry(
        "project.updated",
        org_id=before.org_id,
        resource="project",
        resource_id=project_id,
        name=before.name,
        changes={field: {"before": getattr(before, field), "after": value} for field, value in values.items()},
    )
    return await work.store.projects.change(project_id, values, entry, expect={"version": before.version})


@requires(Permission.PROJECTS_DELETE)
async def delete(work: Work, project_id: str) -> None:
    """Delete it; its keys are refused everywhere within a second. Raises NotFound, Forbidden."""
    before = await work.store.projects.get(project_id)
    entry = work.entry(
        "project.deleted", org_id=before.org_id, resource="project", resource_id=project_id, name=before.name
    )
    await work.store.projects.change(project_id, {"deleted_at": work.clock.now()}, entry)


def _check(work: Work, *, name: str | None = None, region: str | None = None) -> None:
    errors = [] if name is None else name_errors(name=name)
    if region is not None and region not in work.parts.policy.regions:
        errors.append(FieldError("region", f"Must be one of {', '.join(work.parts.policy.regions)}."))
    if errors:
        raise Invalid(*errors)
