"""Who belongs to an organization and as what: reading, changing roles, removing, leaving, handing it over.

Members stand in the organization's own document and change by compare-and-set, so whoever acts at the same time, an
owner stays. How somebody becomes a member is told by invitations.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final

from pulse_dash.core.access import ROLES, Permission, Role, UserActor, holds, open_because, requires
from pulse_dash.core.errors import Conflict, FieldError, Forbidden, Invalid, NotFound, Unauthenticated
from pulse_dash.core.work import Work
from pulse_dash.store.organizations import Member, Organization
from pulse_dash.store.records import Moved
from pulse_dash.store.users import User

# From the least to the most that a role may do.
RANKS: Final = (Role.VIEWER, Role.DEVELOPER, Role.ADMIN, Role.OWNER)
_TRIES: Final = 20


class LastOwner(Conflict):
    """An organization always has an owner."""

    code = "last_owner"

    def __init__(
        self, detail: str = "This is the organization's last owner. Make somebody else an owner first."
    ) -> None:
        super().__init__(detail)


class AboveOwnRole(Forbidden):
    """Somebody with more than the caller's role, or a role that the caller does not hold."""

    code = "above_own_role"

    def __init__(self, role: Role) -> None:
        super().__init__(Permission.MEMBERS_CHANGE.value)
        self.detail = f"Only an owner can do this: it concerns the role {role.value}, which is above yours."


@dataclass(frozen=True, slots=True)
class Membership:
    """One member as the reader may see them: the address with `people.view`, when they were last there and whether
    they have a second factor with `members.change`, and all of it of oneself."""

    id: str
    email: str | None
    name: str
    role: Role
    joined_at: datetime
    last_seen_at: datetime | None
    second_factor: bool | None


@requires(Permission.VIEW)
async def listing(work: Work, org_id: str) -> list[Membership]:
    """Everybody, those who may do most first. Raises NotFound."""
    organization = await work.store.organizations.get(org_id)
    ids = [member.user_id for member in organization.members]
    users = await work.as_system("the members' accounts").store.users.list({"_id": {"$in": ids}}, sort=[("_id", 1)])
    by_id = {user.id: user for user in users}
    found = [
        _seen_by(work, org_id, user, member)
        for member in organization.members
        if (user := by_id.get(member.user_id)) is not None
    ]
    return sorted(found, key=lambda one: (-RANKS.index(one.role), one.joined_at))


@requires(Permission.VIEW)
async def read(work: Work, org_id: str, user_id: str) -> Membership:
    """One member. Raises NotFound."""
    found = next((member for member in await listing(work, org_id) if member.id == user_id), None)
    if found is None:
        raise NotFound
    return found


@requires(Permission.MEMBERS_CHANGE)
async def read_to_change(work: Work, org_id: str, user_id: str) -> Membership:
    """One member, for whoever may change them. Raises NotFound, Forbidden."""
    await work.store.organizations.get(org_id)
    return await read(work, org_id, user_id)


@requires(Permission.MEMBERS_CHANGE)
async def change_role(work: Work, org_id: str, user_id: str, role: Role) -> Membership:
    """Give a member another role. Raises NotFound, Forbidden, AboveOwnRole, LastOwner."""

    def changed(organization: Organization) -> list[Member]:
        _refuse_without(work, organization, Permission.MEMBERS_CHANGE)
        member = _member(organization, user_id)
        _refuse_above(work, organization, Role(member.role), role)
        return [_with_role(each, role) if each is member else each for each in organization.members]

    before = await read_to_change(work, org_id, user_id)
    if before.role is not role:
        await _change(work, org_id, changed, "member.role_changed", before)
    return await read(work, org_id, user_id)


@requires(Permission.MEMBERS_REMOVE)
async def remove(work: Work, org_id: str, user_id: str) -> None:
    """Take somebody out; within a second none of their sign-ins reaches the organization.

    Raises NotFound, Forbidden, AboveOwnRole, LastOwner."""

    def changed(organization: Organization) -> list[Member]:
        _refuse_without(work, organization, Permission.MEMBERS_REMOVE)
        member = _member(organization, user_id)
        _refuse_above(work, organization, Role(member.role))
        return [each for each in organization.members if each is not member]

    await _change(work, org_id, changed, "member.removed", await read(work, org_id, user_id))


@requires(Permission.VIEW)
async def leave(work: Work, org_id: str) -> None:
    """Leave an organization. Raises NotFound, LastOwner; Unauthenticated for a project's key."""
    me = _caller(work)

    def changed(organization: Organization) -> list[Member]:
        member = _member(organization, me.id)
        return [each for each in organization.members if each is not member]

    await _change(work, org_id, changed, "member.left", await read(work, org_id, me.id))


@requires(Permission.ORGANIZATION_TRANSFER)
async def transfer(work: Work, org_id: str, user_id: str) -> None:
    """Hand the organization to another member: they become an owner, the caller an admin.

    Raises NotFound, Forbidden, Invalid."""
    await work.store.organizations.get(org_id)
    me = _caller(work)
    if user_id == me.id:
        raise Invalid(FieldError("user_id", "Is you already. Name another member."))

    def changed(organization: Organization) -> list[Member]:
        _refuse_without(work, organization, Permission.ORGANIZATION_TRANSFER)
        _member(organization, user_id)
        roles = {user_id: Role.OWNER, me.id: Role.ADMIN}
        return [_with_role(each, roles.get(each.user_id, Role(each.role))) for each in organization.members]

    await _change(work, org_id, changed, "ownership.transferred", await read(work, org_id, user_id))


@open_because("it says whether a change leaves an owner, to whoever makes that change")
async def has_owner(work: Work, members: Sequence[Member]) -> bool:
    """Whether one of these members owns it who was not erased: nobody signs in as those who were."""
    ids = [member.user_id for member in members if member.role == Role.OWNER.value]
    owners = await work.as_system("whether an owner is left").store.users.list({"_id": {"$in": ids}}, sort=[("_id", 1)])
    return any(owner.erased_at is None for owner in owners)


async def _change(
    work: Work,
    org_id: str,
    changed: Callable[[Organization], list[Member]],
    action: str,
    who: Membership,
) -> None:
    """Decide on the members as they are and write that decision; where they moved meanwhile, decide anew."""
    for _ in range(_TRIES):
        organization = await work.store.organizations.get(org_id)
        try:
            members = changed(organization)
            if not await has_owner(work, members):
                raise LastOwner
        except AboveOwnRole:
            await work.refused("organizations", {"_id": org_id, "name": organization.name})
            raise
        after = replace(organization, members=tuple(members))
        roles = {"before": organization.role_of(who.id), "after": after.role_of(who.id)}
        entry = work.entry(
            action, org_id=org_id, resource="user", resource_id=who.id, name=who.name, changes={"role": roles}
        )
        kept = {"members": [member.document() for member in members]}
        try:
            # Whoever leaves holds no permission over it afterwards, so Pulse itself writes what was decided.
            system = work.as_system("change members")
            await system.store.organizations.change(org_id, kept, entry, expect={"version": organization.version})
        except Moved:
            continue
        if all(member.user_id != who.id for member in members):
            await system.store.users.forget_organization(who.id, org_id)
        return
    raise Moved


def _seen_by(work: Work, org_id: str, user: User, member: Member) -> Membership:
    own = isinstance(work.actor, UserActor) and work.actor.id == user.id
    people = own or holds(work.actor, Permission.PEOPLE_VIEW, org_id)
    looks_after = own or holds(work.actor, Permission.MEMBERS_CHANGE, org_id)
    return Membership(
        user.id,
        user.email if people else None,
        user.name,
        Role(member.role),
        member.joined_at,
        user.last_seen_at if looks_after else None,
        user.factor is not None if looks_after else None,
    )


def _refuse_without(work: Work, organization: Organization, permission: Permission) -> None:
    """The role as it stands in the document that is about to be written: the caller may have lost it meanwhile."""
    own = organization.role_of(work.actor.id) if isinstance(work.actor, UserActor) else None
    if own is None or permission not in ROLES[Role(own)]:
        raise Forbidden(permission.value)


def _refuse_above(work: Work, organization: Organization, *roles: Role) -> None:
    own = organization.role_of(work.actor.id) if isinstance(work.actor, UserActor) else None
    held = RANKS.index(Role(own)) if own else -1
    for role in roles:
        if RANKS.index(role) > held:
            raise AboveOwnRole(role)


def may_grant(own: Role) -> tuple[Role, ...]:
    """The roles that somebody with this one can give."""
    if Permission.MEMBERS_INVITE not in ROLES[own]:
        return ()
    return RANKS[: RANKS.index(own) + 1]


def _member(organization: Organization, user_id: str) -> Member:
    found = next((member for member in organization.members if member.user_id == user_id), None)
    if found is None:
        raise NotFound
    return found


def _with_role(member: Member, role: Role) -> Member:
    return Member(member.user_id, role.value, member.joined_at, member.invitation_id)


def _caller(work: Work) -> UserActor:
    if not isinstance(work.actor, UserActor):
        raise Unauthenticated("A project's key belongs to no organization. Sign in as a user.")
    return work.actor
