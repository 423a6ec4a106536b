"""Invitations: asking an address to join an organization, again, or no more. Joining by the link is told by joining."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any, Final

from pulse_dash.core import audit_people
from pulse_dash.core.access import Permission, Role, UserActor, holds, open_because, requires
from pulse_dash.core.errors import (
    Conflict,
    Forbidden,
    Gone,
    NotFound,
    RateLimited,
    Unauthenticated,
)
from pulse_dash.core.mail import Mail
from pulse_dash.core.mail_addresses import plain_address
from pulse_dash.core.mails import post
from pulse_dash.core.members import RANKS, AboveOwnRole
from pulse_dash.core.names import in_a_mail
from pulse_dash.core.vault import random_secret
from pulse_dash.core.work import Work
from pulse_dash.store.engine import Document, DuplicateKey
from pulse_dash.store.invitations import Invitation as Invitation  # noqa: PLC0414 - core hands it on to api and state
from pulse_dash.store.organizations import Organization
from pulse_dash.store.records import Moved

LIFE: Final = timedelta(days=7)
MOST_AN_HOUR: Final = 20
_HOUR: Final = timedelta(hours=1)
# How many mails an hour one address gets from one inviter, and from all of them.
MOST_TO_ONE: Final = 5
_MOST_TO_ONE_OF_ALL: Final = 20
_SHOWN: Final = 200


class InvitationSpent(Gone):
    """Used, run out, taken back, of an organization that is gone, or never ours: told alike."""

    code = "invitation_spent"

    def __init__(self) -> None:
        super().__init__("This invitation was used already, has run out or was taken back. Ask for a new one.")


class Unverified(Forbidden):
    """The caller's own address is not proved yet."""

    code = "address_unverified"

    def __init__(self) -> None:
        super().__init__("verified address")
        self.detail = "Confirm your own address first, with the link that was mailed to you."


class AlreadyThere(Conflict):
    """The address is a member's, or was invited already."""

    code = "already_there"


@dataclass(frozen=True, slots=True)
class Invited:
    """A fresh invitation; `accept_url` where no mail is sent, for the inviter to hand over, this once."""

    invitation: Invitation
    accept_url: str | None


@dataclass(frozen=True, slots=True)
class Drafted:
    """An invitation that is not stored yet, and what its link will hold."""

    document: Document
    token: str


@requires(Permission.MEMBERS_INVITE)
async def invite(work: Work, org_id: str, *, email: str, role: Role) -> Invited:
    """Ask an address to join with a role. Raises NotFound, Forbidden, Invalid, AlreadyThere, RateLimited."""
    organization = await work.store.organizations.get(org_id)
    me = await _inviter(work, organization, role)
    address = plain_address(email)
    await _refuse_member(work, organization, address)
    if await work.store.invitations.since(org_id, work.clock.now() - _HOUR) >= MOST_AN_HOUR:
        raise await _too_many(work, org_id)
    _spare(work, me, address)
    document, token = _document(work, me, org_id, address, role)
    try:
        made = await work.store.invitations.add(document, _entry(work, "member.invited", document, role))
    except DuplicateKey as there:
        raise AlreadyThere("This address was invited already. Send that invitation again instead.") from there
    if await work.store.invitations.since(org_id, work.clock.now() - _HOUR) > MOST_AN_HOUR:
        # Many at once passed the first look; what is too much is taken back before anything is sent.
        await _take_back(work, made)
        raise await _too_many(work, org_id)
    return Invited(made, await _send(work, organization, me, address, token))


@open_because("for whoever makes the organization, who will own it")
def drafted(work: Work, org_id: str, *, email: str, role: Role, field: str) -> Drafted:
    """An invitation into an organization that is about to be made, for whoever stores both: the caller will own it.

    Raises Unauthenticated, Unverified, AlreadyThere, RateLimited; Invalid, which names the field."""
    me = _verified(work)
    address = plain_address(email, field)
    if address == me.email:
        raise AlreadyThere("This is your own address. You will own the organization.")
    _spare(work, me, address)
    document, token = _document(work, me, org_id, address, role)
    entry = _entry(work, "member.invited", document, role)
    return Drafted(work.store.invitations.draft(document, entry), token)


@open_because("for whoever made the organization with it")
async def sent(work: Work, organization: Organization, drafted: Drafted) -> Invited:
    """Mail the link of what was drafted, now that it is stored."""
    accept_url = await _send(work, organization, _verified(work), drafted.document["email"], drafted.token)
    return Invited(work.store.invitations.read(drafted.document), accept_url)


@requires(Permission.MEMBERS_INVITE)
async def resend(work: Work, org_id: str, invitation_id: str) -> Invited:
    """Mail a new link for seven more days; the old one opens nothing. Once a minute.

    Raises NotFound, Forbidden, InvitationSpent, RateLimited."""
    organization = await work.store.organizations.get(org_id)
    before = await _of(work, org_id, invitation_id)
    me = await _inviter(work, organization, Role(before.role))
    if before.status(work.clock.now()) not in ("pending", "expired"):
        raise InvitationSpent
    allowance = work.parts.rates.hit("resend", invitation_id, 1)
    if not allowance.allowed:
        raise RateLimited(allowance.reset)
    _spare(work, me, before.email)
    token = f"{invitation_id}.{random_secret()}"
    entry = _entry(work, "member.invited", {"_id": before.id, "org_id": org_id, "email": before.email})
    sent = await work.store.invitations.change(
        invitation_id, _token_fields(work, token), entry, expect={"accepted_at": None, "revoked_at": None}
    )
    return Invited(sent, await _send(work, organization, me, before.email, token))


@requires(Permission.MEMBERS_INVITE)
async def revoke(work: Work, org_id: str, invitation_id: str) -> None:
    """Take an invitation back. Raises NotFound, Forbidden, InvitationSpent."""
    organization = await work.store.organizations.get(org_id)
    before = await _of(work, org_id, invitation_id)
    await _inviter(work, organization, Role(before.role))
    if before.status(work.clock.now()) not in ("pending", "expired"):
        raise InvitationSpent
    await _take_back(work, before)


def _spare(work: Work, me: UserActor, address: str) -> None:
    """Count one more mail to this address, however many organizations invite it. Raises RateLimited.

    One who invites takes only some of what all together may send, so that nobody keeps another's invitation away."""
    if not work.parts.post.delivers:
        return
    for key, most in ((f"{address} {me.id}", MOST_TO_ONE), (address, _MOST_TO_ONE_OF_ALL)):
        allowance = work.parts.rates.hit("invited", key, most, seconds=int(_HOUR.total_seconds()))
        if not allowance.allowed:
            raise RateLimited(allowance.reset)


async def _too_many(work: Work, org_id: str) -> RateLimited:
    """With the seconds until the oldest of those that fill the hour is older than it."""
    now = work.clock.now()
    filling = await work.store.invitations.newest_since(org_id, now - _HOUR, MOST_AN_HOUR)
    until = min((each.created_at for each in filling), default=now) + _HOUR
    return RateLimited(int((until - now).total_seconds()) + 1)


async def _take_back(work: Work, invitation: Invitation) -> None:
    named = {"_id": invitation.id, "org_id": invitation.org_id, "email": invitation.email}
    await work.store.invitations.change(
        invitation.id,
        {"revoked_at": work.clock.now()},
        _entry(work, "invitation.revoked", named),
        unset=("open",),
        expect={"accepted_at": None},
    )


@open_because("for whoever erases a person, which has a rule of its own")
async def forget_address(work: Work, email: str) -> None:
    """Take back what still waits for this address, and keep nothing of any invitation that names it."""
    system = work.as_system("an address that was erased")
    found = await system.store.invitations.of_address(email)
    for each in found:
        if each.status(work.clock.now()) in ("pending", "expired"):
            # Accepted in this moment, it is gone as well.
            with suppress(Moved, NotFound):
                await _take_back(system, each)
    # The log tells that it was taken back, and under its own key by which address it was called.
    await system.parts.store.logged()
    for each in found:
        await system.store.invitations.forget_one(each.id)
        await audit_people.erase(system, each.id)


@requires(Permission.VIEW)
async def listing(work: Work, org_id: str) -> list[Invitation]:
    """The newest invitations of an organization, whatever became of them; without addresses for whoever does not hold
    `people.view`. Raises NotFound."""
    await work.store.organizations.get(org_id)
    found = await work.store.invitations.of_organization(org_id, limit=_SHOWN)
    if holds(work.actor, Permission.PEOPLE_VIEW, org_id):
        return found
    return [replace(each, email="") for each in found]


async def _inviter(work: Work, organization: Organization, role: Role) -> UserActor:
    """The caller, who may give that role. Raises Unauthenticated, Unverified, AboveOwnRole."""
    me = _verified(work)
    own = organization.role_of(me.id)
    if own is None or RANKS.index(role) > RANKS.index(Role(own)):
        await work.refused("organizations", {"_id": organization.id, "name": organization.name})
        raise AboveOwnRole(role)
    return me


def _verified(work: Work) -> UserActor:
    """The caller, whose address is proved. Raises Unauthenticated, Unverified."""
    if not isinstance(work.actor, UserActor):
        raise Unauthenticated("A project's key invites nobody. Sign in as a user.")
    if not work.actor.verified:
        raise Unverified
    return work.actor


async def _of(work: Work, org_id: str, invitation_id: str) -> Invitation:
    found = await work.store.invitations.get(invitation_id)
    if found.org_id != org_id:
        raise NotFound
    return found


async def _refuse_member(work: Work, organization: Organization, address: str) -> None:
    known = await work.as_system("who has this address").store.users.by_email(address)
    if known is not None and organization.role_of(known.id) is not None:
        raise AlreadyThere("This address belongs to a member of the organization.")


def _document(work: Work, me: UserActor, org_id: str, address: str, role: Role) -> tuple[Document, str]:
    """The invitation as it will be kept, and what its link holds."""
    invitation_id = work.new_id("inv")
    token = f"{invitation_id}.{random_secret()}"
    document = {
        "_id": invitation_id,
        "org_id": org_id,
        "email": address,
        "role": role.value,
        "invited_by": me.id,
        "open": f"{org_id}:{address}",
        **_token_fields(work, token),
    }
    return document, token


def _token_fields(work: Work, token: str) -> dict[str, Any]:
    return {
        "token_hash": work.parts.vault.link_hash("invitation", token),
        "expires_at": work.clock.now() + LIFE,
    }


def _entry(work: Work, action: str, document: dict[str, Any], role: Role | None = None) -> dict[str, Any]:
    changes = None if role is None else {"role": {"before": None, "after": role.value}}
    return work.entry(
        action,
        org_id=document["org_id"],
        resource="invitation",
        resource_id=document["_id"],
        name=document["email"],
        changes=changes,
    )


async def _send(work: Work, organization: Organization, me: UserActor, address: str, token: str) -> str | None:
    """Mail the link, or answer it where no mail is sent."""
    link = f"{work.parts.policy.public_url}/invitations/accept?token={token}"
    if not work.parts.post.delivers:
        return link
    inviter, place = in_a_mail(me.name), in_a_mail(organization.name)
    text = (
        f"Hello,\n\n{inviter} ({me.email}) invites you to join {place} at Pulse:\n\n{link}\n\n"
        "The link works once, for seven days. If you do not know why you got this mail, ignore it.\n"
    )
    await post(work, Mail(address, f"{inviter} invites you to {place}", text))
    return None
