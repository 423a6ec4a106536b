"""Projects over HTTP. The secret of a project's first key stands in the answer that makes it, and never again."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query, Response
from pydantic import Field

from pulse_dash.api.bodies import (
    Address,
    Answer,
    Body,
    Listing,
    Moment,
    Name,
    PageLimit,
    PageNumber,
    Search,
    Text,
    listed,
)
from pulse_dash.api.connections import (
    LiveKitAnswer,
    LiveKitBody,
    StorageAnswer,
    StorageBody,
    livekit_answer,
    storage_answer,
)
from pulse_dash.api.idempotent import ShownOnce, idempotent
from pulse_dash.api.principals import Caller, reach
from pulse_dash.api.versions import IfMatch, tag, version_of
from pulse_dash.core import projects
from pulse_dash.core.development import DEFAULT_PREFIX
from pulse_dash.core.projects import LONGEST_PREFIX, UNCHANGED, Project

router = APIRouter(prefix="/v1/projects", tags=["projects"])

OrganizationId = Annotated[str | None, Query(description="Only this organization's projects.")]
Region = Annotated[str | None, Query(max_length=64, description="Only projects of this region.")]


class NewProject(Body):
    org_id: Text
    name: Name
    region: Text | None = None
    webhook_url: Address | None = Field(None, description="A webhook of all events; more under …/webhooks.")
    livekit: LiveKitBody | None = Field(None, description="The installation's without it.")
    storage: StorageBody | None = Field(None, description="The installation's bucket without it.")


class DevelopmentTokens(Body):
    """What a key opens without its secret: tokens for rooms of one prefix."""

    room_prefix: Text = Field(DEFAULT_PREFIX, min_length=1, max_length=LONGEST_PREFIX)


class ProjectChange(Body):
    name: Name | None = None
    region: Text | None = None
    livekit: LiveKitBody | None = Field(None, description="null is the installation's again.")
    storage: StorageBody | None = Field(None, description="null is the installation's bucket again.")
    development_tokens: DevelopmentTokens | None = Field(None, description="null switches them off.")


class ProjectAnswer(Answer):
    id: str
    org_id: str
    name: str
    region: str
    livekit: LiveKitAnswer | None
    storage: StorageAnswer | None
    development_tokens: DevelopmentTokens | None
    created_at: Moment
    updated_at: Moment


class NewWebhookAnswer(Answer):
    id: str
    secret: ShownOnce


class CreatedProjectAnswer(ProjectAnswer):
    pulse_api_key: str
    pulse_api_secret: ShownOnce
    webhook: NewWebhookAnswer | None = None


@router.post(
    "",
    status_code=201,
    summary="Make a project with its first key",
    dependencies=[reach(projects.create, "organizations", "org_id", body=True)],
)
@idempotent
async def create(work: Caller, body: NewProject, response: Response) -> CreatedProjectAnswer:
    made = await projects.create(
        work,
        org_id=body.org_id,
        name=body.name,
        region=body.region,
        livekit=body.livekit and body.livekit.given(),
        storage=body.storage and body.storage.given(),
        webhook_url=body.webhook_url,
    )
    answer, webhook = _answer(made.project, response), made.webhook
    return CreatedProjectAnswer(
        **answer.model_dump(),
        pulse_api_key=made.key.public,
        pulse_api_secret=made.key.secret.reveal(),
        webhook=webhook and NewWebhookAnswer(id=webhook.id, secret=webhook.secret.reveal()),
    )


@router.get("", summary="My projects")
async def listing(
    work: Caller,
    org_id: OrganizationId = None,
    region: Region = None,
    page: PageNumber = 1,
    limit: PageLimit = 20,
    search: Search = "",
) -> Listing[ProjectAnswer]:
    found = await projects.listing(work, org_id=org_id, region=region, search=search, page=page, limit=limit)
    return listed(found, [_answer(project) for project in found.items])


@router.get("/{project_id}", summary="One project")
async def read(work: Caller, project_id: str, response: Response) -> ProjectAnswer:
    return _answer(await projects.read(work, project_id), response)


@router.put(
    "/{project_id}", summary="Change the named fields", dependencies=[reach(projects.change, "projects", "project_id")]
)
async def change(
    work: Caller, project_id: str, body: ProjectChange, response: Response, if_match: IfMatch = None
) -> ProjectAnswer:
    # A field that is named as null is not the same as one that is left out.
    named = body.model_fields_set
    changed = await projects.change(
        work,
        project_id,
        name=body.name,
        region=body.region,
        livekit=(body.livekit and body.livekit.given()) if "livekit" in named else UNCHANGED,
        storage=(body.storage and body.storage.given()) if "storage" in named else UNCHANGED,
        development_prefix=(body.development_tokens and body.development_tokens.room_prefix)
        if "development_tokens" in named
        else UNCHANGED,
        version=version_of(if_match),
    )
    return _answer(changed, response)


@router.delete("/{project_id}", status_code=204, summary="Delete it; its keys stop")
async def delete(work: Caller, project_id: str) -> None:
    await projects.delete(work, project_id)


def _answer(project: Project, response: Response | None = None) -> ProjectAnswer:
    if response is not None:
        tag(response, project.version)
    return ProjectAnswer(
        id=project.id,
        org_id=project.org_id,
        name=project.name,
        region=project.region,
        livekit=livekit_answer(project),
        storage=storage_answer(project),
        development_tokens=None
        if project.development_prefix is None
        else DevelopmentTokens(room_prefix=project.development_prefix),
        created_at=project.created_at,
        updated_at=project.updated_at,
    )
