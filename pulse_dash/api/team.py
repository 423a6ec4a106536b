"""Members and invitations over HTTP."""

from __future__ import annotations

from typing import Annotated, Literal

from fastapi import APIRouter, Depends
from pydantic import Field

from pulse_dash.api.auth import Email, SignedInAnswer, signed_in_answer
from pulse_dash.api.bodies import Answer, Body, Listing, Moment, PageLimit, PageNumber, Search, cut, listed
from pulse_dash.api.downloads import Csv, Downloading, csv_file
from pulse_dash.api.idempotent import ShownOnce, idempotent
from pulse_dash.api.principals import Caller, Whoever, reach
from pulse_dash.core import csv_text, invitations, joining, members
from pulse_dash.core.access import Role, UserActor
from pulse_dash.core.invitations import Invitation, Invited
from pulse_dash.core.members import Membership
from pulse_dash.core.work import Work

router = APIRouter(tags=["team"])

_ORGANIZATION = "/v1/organizations/{org_id}"
RoleName = Literal["owner", "admin", "developer", "viewer"]


class InvitationBody(Body):
    email: Email
    role: RoleName


class RoleBody(Body):
    role: RoleName


class TransferBody(Body):
    user_id: str


class AcceptBody(Body):
    token: Annotated[str, Field(max_length=200)]
    # Their rules are told after the token's: a spent invitation is 410 whatever else was sent.
    name: Annotated[str, Field(description="For a new account.")] | None = None
    password: Annotated[str, Field(description="For a new account, 10 to 128 characters.")] | None = None


class MemberAnswer(Answer):
    """Null is what the caller may not see of others: the address without `people.view`, the last two without
    `members.change`; `last_seen_at` also of who was not there yet."""

    id: str
    email: str | None
    name: str
    role: RoleName
    joined_at: Moment
    last_seen_at: Moment | None
    second_factor: bool | None


class InvitationAnswer(Answer):
    """`email` is null for whoever does not hold `people.view`."""

    id: str
    email: str | None
    role: RoleName
    status: Literal["pending", "accepted", "revoked", "expired"]
    expires_at: Moment
    created_at: Moment


class InvitedAnswer(InvitationAnswer):
    """With the link where no mail is sent, this once."""

    accept_url: ShownOnce


async def _there(work: Caller, org_id: str, user_id: str) -> None:
    """Asked before the body is looked at: 404 and 403 come before a wrong field is told."""
    await members.read_to_change(work, org_id, user_id)


@router.get(f"{_ORGANIZATION}/members", summary="Everybody in the organization")
async def listing(
    work: Caller, org_id: str, page: PageNumber = 1, limit: PageLimit = 20, search: Search = ""
) -> Listing[MemberAnswer]:
    everybody = [_member(each) for each in await members.listing(work, org_id)]
    found = cut(everybody, page, limit, search=search, words=lambda each: (each.id, each.name, each.email or ""))
    return listed(found, found.items)


@router.get(f"{_ORGANIZATION}/members.csv", summary="Everybody in the organization, as a file", response_class=Csv)
async def as_csv(work: Downloading, org_id: str) -> Csv:
    people = [_member(each) for each in await members.listing(work, org_id)]
    lines = [csv_text.line(MemberAnswer.model_fields), *(csv_text.line(dict(each).values()) for each in people)]
    return csv_file("members", lines)


@router.post(
    f"{_ORGANIZATION}/members",
    status_code=201,
    summary="Invite an address",
    dependencies=[reach(invitations.invite, "organizations", "org_id")],
)
@idempotent
async def invite(work: Caller, org_id: str, body: InvitationBody) -> InvitedAnswer:
    return invited_answer(work, await invitations.invite(work, org_id, email=body.email, role=Role(body.role)))


@router.get(f"{_ORGANIZATION}/members/{{user_id}}", summary="One member")
async def read(work: Caller, org_id: str, user_id: str) -> MemberAnswer:
    return _member(await members.read(work, org_id, user_id))


@router.put(
    f"{_ORGANIZATION}/members/{{user_id}}/role",
    summary="Give a member another role",
    dependencies=[Depends(_there)],
)
async def change_role(work: Caller, org_id: str, user_id: str, body: RoleBody) -> MemberAnswer:
    return _member(await members.change_role(work, org_id, user_id, Role(body.role)))


@router.delete(f"{_ORGANIZATION}/members/{{user_id}}", status_code=204, summary="Remove a member, or leave")
async def remove(work: Caller, org_id: str, user_id: str) -> None:
    if isinstance(work.actor, UserActor) and work.actor.id == user_id:
        await members.leave(work, org_id)
    else:
        await members.remove(work, org_id, user_id)


@router.post(
    f"{_ORGANIZATION}/transfer",
    status_code=204,
    summary="Hand the organization over to another member",
    dependencies=[reach(members.transfer, "organizations", "org_id")],
)
async def transfer(work: Caller, org_id: str, body: TransferBody) -> None:
    await members.transfer(work, org_id, body.user_id)


@router.get(f"{_ORGANIZATION}/invitations", summary="Invitations and what became of them")
async def invitations_of(
    work: Caller, org_id: str, page: PageNumber = 1, limit: PageLimit = 20, search: Search = ""
) -> Listing[InvitationAnswer]:
    newest = [_invitation(work, each) for each in await invitations.listing(work, org_id)]
    found = cut(newest, page, limit, search=search, words=lambda each: (each.id, each.email or ""))
    return listed(found, found.items)


@router.post(f"{_ORGANIZATION}/invitations/{{invitation_id}}/resend", summary="Send a new link; the old one dies")
async def resend(work: Caller, org_id: str, invitation_id: str) -> InvitedAnswer:
    return invited_answer(work, await invitations.resend(work, org_id, invitation_id))


@router.delete(f"{_ORGANIZATION}/invitations/{{invitation_id}}", status_code=204, summary="Take an invitation back")
async def revoke(work: Caller, org_id: str, invitation_id: str) -> None:
    await invitations.revoke(work, org_id, invitation_id)


@router.post("/v1/invitations/accept", summary="Join by an invitation")
async def accept(work: Whoever, body: AcceptBody) -> SignedInAnswer:
    joined = await joining.accept(work, body.token, name=body.name, password=body.password)
    return await signed_in_answer(work, joined)


def _member(member: Membership) -> MemberAnswer:
    return MemberAnswer(
        id=member.id,
        email=member.email,
        name=member.name,
        role=member.role.value,
        joined_at=member.joined_at,
        last_seen_at=member.last_seen_at,
        second_factor=member.second_factor,
    )


def _invitation(work: Work, invitation: Invitation) -> InvitationAnswer:
    return InvitationAnswer.model_validate(
        {
            "id": invitation.id,
            "email": invitation.email or None,
            "role": invitation.role,
            "status": invitation.status(work.clock.now()),
            "expires_at": invitation.expires_at,
            "created_at": invitation.created_at,
        }
    )


def invited_answer(work: Work, invited: Invited) -> InvitedAnswer:
    """A fresh invitation as it is told to whoever made it."""
    return InvitedAnswer(**_invitation(work, invited.invitation).model_dump(), accept_url=invited.accept_url)
