"""Organizations over HTTP."""

from __future__ import annotations

from typing import Annotated, Literal

from fastapi import APIRouter, Depends, Request, Response
from pydantic import Field

from pulse_dash.api.auth import Email
from pulse_dash.api.bodies import Answer, Body, Listing, Moment, Name, PageLimit, PageNumber, Search, listed
from pulse_dash.api.idempotent import idempotent
from pulse_dash.api.principals import Caller
from pulse_dash.api.team import InvitedAnswer, invited_answer
from pulse_dash.api.versions import IfMatch, tag, version_of
from pulse_dash.core import organizations
from pulse_dash.core.access import Permission, UserActor
from pulse_dash.core.organizations import Organization
from pulse_dash.core.work import Work

router = APIRouter(prefix="/v1/organizations", tags=["organizations"])


class NewOrganization(Body):
    name: Name
    admin_email: Annotated[Email | None, Field(description="Who is invited as its admin.")] = None


class OrganizationChange(Body):
    name: Name | None = None
    plan: Literal["free", "pro", "enterprise"] | None = None
    requires_second_factor: bool | None = None


class OrganizationAnswer(Answer):
    id: str
    name: str
    plan: str
    role: str | None
    members: int
    requires_second_factor: bool
    created_at: Moment
    updated_at: Moment


class NewOrganizationAnswer(OrganizationAnswer):
    """With the invitation of its admin, where one was named."""

    invitation: InvitedAnswer | None


async def _there(request: Request, work: Caller, org_id: str) -> None:
    """Asked before the body is looked at: 404 and 403 come before a wrong field is told."""
    if organizations.is_an_operators(work.actor, request.scope["state"].get("json", {})):
        await organizations.of_operator(work, org_id)
    else:
        await work.narrowed(Permission.ORGANIZATION_CHANGE).store.organizations.get(org_id)


@router.post("", status_code=201, summary="Make an organization")
@idempotent
async def create(work: Caller, body: NewOrganization, response: Response) -> NewOrganizationAnswer:
    made = await organizations.create(work, name=body.name, admin_email=body.admin_email)
    invitation = invited_answer(work, made.invited) if made.invited else None
    return NewOrganizationAnswer(**_answer(work, made.organization, response).model_dump(), invitation=invitation)


@router.get("", summary="My organizations")
async def listing(
    work: Caller, page: PageNumber = 1, limit: PageLimit = 20, search: Search = ""
) -> Listing[OrganizationAnswer]:
    found = await organizations.listing(work, search=search, page=page, limit=limit)
    return listed(found, [_answer(work, organization) for organization in found.items])


@router.get("/{org_id}", summary="One organization")
async def read(work: Caller, org_id: str, response: Response) -> OrganizationAnswer:
    return _answer(work, await organizations.read(work, org_id), response)


@router.put(
    "/{org_id}",
    summary="Change the named fields",
    dependencies=[Depends(_there)],
)
async def change(
    work: Caller, org_id: str, body: OrganizationChange, response: Response, if_match: IfMatch = None
) -> OrganizationAnswer:
    version = version_of(if_match)
    if body.plan is not None and organizations.is_an_operators(work.actor, body.model_fields_set):
        return _answer(work, await organizations.change_plan(work, org_id, body.plan, version=version), response)
    return _answer(work, await organizations.change(work, org_id, **body.model_dump(), version=version), response)


@router.delete("/{org_id}", status_code=204, summary="Delete it with its projects; all keys stop")
async def delete(work: Caller, org_id: str) -> None:
    await organizations.delete(work, org_id)


@router.post("/{org_id}/restore", summary="Bring it back within 30 days; keys stay revoked")
async def restore(work: Caller, org_id: str, response: Response) -> OrganizationAnswer:
    return _answer(work, await organizations.restore(work, org_id), response)


def _answer(work: Work, organization: Organization, response: Response | None = None) -> OrganizationAnswer:
    if response is not None:
        tag(response, organization.version)
    role = organization.role_of(work.actor.id) if isinstance(work.actor, UserActor) else None
    return OrganizationAnswer(
        id=organization.id,
        name=organization.name,
        plan=organization.plan,
        role=role,
        members=len(organization.members),
        requires_second_factor=organization.requires_second_factor,
        created_at=organization.created_at,
        updated_at=organization.updated_at,
    )
