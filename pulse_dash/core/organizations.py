"""Organizations: making, finding, renaming and deleting them. Who belongs to one stands in itself."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from pulse_dash.core import invitations, operators
from pulse_dash.core.access import ROLES, Actor, Permission, Role, UserActor, open_because, requires
from pulse_dash.core.errors import (
    Conflict,
    FieldError,
    Forbidden,
    Invalid,
    NotFound,
    PreconditionFailed,
    SecondFactorNeeded,
    Unauthenticated,
)
from pulse_dash.core.invitations import Invited
from pulse_dash.core.names import name_errors
from pulse_dash.core.operators import OperatorOnly
from pulse_dash.core.plans import PLANS
from pulse_dash.core.work import Work
from pulse_dash.store.organizations import Organization, Organizations
from pulse_dash.store.records import Making, Page

RESTORABLE = timedelta(days=30)


class FactorFirst(Conflict):
    """Whoever asks a second factor of everybody has one."""

    code = "second_factor_first"

    def __init__(self) -> None:
        super().__init__("Set up your own second factor first: without one you would be held back yourself.")


@dataclass(frozen=True, slots=True)
class CreatedOrganization:
    """A fresh organization, and who was invited to administer it."""

    organization: Organization
    invited: Invited | None


@requires(Permission.VIEW)
async def create(work: Work, *, name: str, admin_email: str | None = None) -> CreatedOrganization:
    """Make an organization that the caller owns, and invite an address as its admin where one is named.

    Raises Invalid; Unauthenticated for a project's key; Unverified, AlreadyThere, RateLimited for an invitation."""
    if not isinstance(work.actor, UserActor):
        raise Unauthenticated("A project's key makes no organization. Sign in as a user.")
    _check(name)
    org_id = work.new_id("org")
    document = {
        "_id": org_id,
        "name": name.strip(),
        "plan": "free",
        "members": [{"user_id": work.actor.id, "role": Role.OWNER.value, "joined_at": work.clock.now()}],
        "created_by": work.actor.id,
        "deleted_at": None,
    }
    admin = None
    if admin_email is not None:
        admin = invitations.drafted(work, org_id, email=admin_email, role=Role.ADMIN, field="admin_email")
    entry = work.entry(
        "organization.created", org_id=org_id, resource="organization", resource_id=org_id, name=name.strip()
    )
    made = await work.as_system("make the caller's own organization").store.organizations.add(
        document, entry, makes=[Making("invitations", admin.document)] if admin else []
    )
    return CreatedOrganization(made, await invitations.sent(work, made, admin) if admin else None)


@requires(Permission.VIEW)
async def listing(work: Work, *, search: str = "", page: int = 1, limit: int = 20) -> Page[Organization]:
    """The caller's organizations, oldest first."""
    return await work.store.organizations.search(search=search, page=page, limit=limit)


@requires(Permission.VIEW)
async def read(work: Work, org_id: str) -> Organization:
    """One organization. Raises NotFound."""
    return await work.store.organizations.get(org_id)


@requires(Permission.ORGANIZATION_CHANGE)
async def change(
    work: Work,
    org_id: str,
    *,
    name: str | None = None,
    plan: str | None = None,
    requires_second_factor: bool | None = None,
    version: int | None = None,
) -> Organization:
    """Rename it, or ask a second factor of everybody: who has none is held back until they do.

    Raises NotFound, Forbidden, Invalid, PreconditionFailed, Moved; OperatorOnly for another plan, where the caller is
    no operator; FactorFirst where the caller has no factor."""
    before = await work.store.organizations.get(org_id)
    if version not in (None, before.version):
        raise PreconditionFailed
    asked: dict[str, Any] = {}
    if plan not in (None, before.plan):
        if not operators.is_one(work.actor):
            raise OperatorOnly("Nothing is sold here, so only an operator changes a plan.")
        asked["plan"] = _checked_plan(plan)
    if name is not None and name.strip() != before.name:
        _check(name)
        asked["name"] = name.strip()
    if requires_second_factor not in (None, before.requires_second_factor):
        asked["requires_second_factor"] = requires_second_factor
    if asked.get("requires_second_factor") and not await _has_factor(work):
        raise FactorFirst
    return await _changed(work, work.store.organizations, before, asked)


def is_an_operators(actor: Actor, fields: Collection[str]) -> bool:
    """Whether somebody who changes these fields does so as an operator: a plan alone, where no role is asked for."""
    return operators.is_one(actor) and set(fields) == {"plan"}


@open_because("operators have no role there; that the caller is one is asked first")
async def of_operator(work: Work, org_id: str) -> Organization:
    """Any organization, for an operator who gives it a plan. Raises Unauthenticated, OperatorOnly, NotFound."""
    await operators.must_be(work, "plan.changed", resource_id=org_id, name=org_id)
    return await work.as_system("an operator's look at a plan").store.organizations.get(org_id)


@open_because("operators have no role there; that the caller is one is asked first")
async def change_plan(work: Work, org_id: str, plan: str, *, version: int | None = None) -> Organization:
    """Give any organization another plan, as an operator; it stands in the organization's own log.

    Raises Unauthenticated, OperatorOnly, NotFound, Invalid, PreconditionFailed, Moved."""
    before = await of_operator(work, org_id)
    if version not in (None, before.version):
        raise PreconditionFailed
    asked = {"plan": _checked_plan(plan)} if plan != before.plan else {}
    return await _changed(work, work.as_system("an operator's plan").store.organizations, before, asked)


def _checked_plan(plan: str | None) -> str:
    if plan not in PLANS:
        raise Invalid(FieldError("plan", f"One of {', '.join(PLANS)}."))
    return plan


async def _changed(work: Work, among: Organizations, before: Organization, asked: dict[str, Any]) -> Organization:
    """One write for all that was asked; a plan has an entry of its own."""
    entries = [
        work.entry(
            action,
            org_id=before.id,
            resource="organization",
            resource_id=before.id,
            name=before.name,
            changes={field: {"before": getattr(before, field), "after": asked[field]} for field in fields},
        )
        for action, fields in (
            ("organization.updated", [field for field in asked if field != "plan"]),
            ("plan.changed", [field for field in asked if field == "plan"]),
        )
        if fields
    ]
    if not entries:
        return before
    return await among.change(before.id, asked, entries[0], also=entries[1:], expect={"version": before.version})


@requires(Permission.ORGANIZATION_DELETE)
async def delete(work: Work, org_id: str) -> None:
    """Delete it with all its projects; their keys are refused everywhere within a second. Kept for 30 days.

    Raises NotFound, Forbidden."""
    before = await work.store.organizations.get(org_id)
    entry = work.entry(
        "organization.deleted", org_id=org_id, resource="organization", resource_id=org_id, name=before.name
    )
    await work.store.organizations.change(org_id, {"deleted_at": work.clock.now()}, entry)


@requires(Permission.VIEW)
async def deleted(work: Work) -> list[Organization]:
    """Those that the caller can restore, the last deleted first."""
    return [each for each in await _restorable(work) if _may_restore(work, each)]


@requires(Permission.ORGANIZATION_DELETE)
async def restore(work: Work, org_id: str) -> Organization:
    """Bring it back with its projects, within 30 days. All their keys are revoked for good: who holds one may have
    been the reason to delete it. Raises NotFound, Forbidden, SecondFactorNeeded, Moved."""
    found = next((each for each in await _restorable(work) if each.id == org_id), None)
    if found is None:
        raise NotFound
    if found.requires_second_factor and not await _has_factor(work):
        raise SecondFactorNeeded(Permission.ORGANIZATION_DELETE.value)
    if not _may_restore(work, found):
        raise Forbidden(Permission.ORGANIZATION_DELETE.value)
    system = work.as_system("restore the caller's own organization")
    members = await _still_there(system, found)
    # The keys first: until the organization is back none of them opens anything, so a crash in between opens none.
    for key in await system.store.keys.list({"org_id": org_id, "revoked_at": None}, sort=[("_id", 1)]):
        entry = work.entry("key.revoked", org_id=org_id, resource="key", resource_id=key.id, name=key.name)
        await system.store.keys.change(key.id, {"revoked_at": work.clock.now()}, entry)
    entry = work.entry(
        "organization.restored", org_id=org_id, resource="organization", resource_id=org_id, name=found.name
    )
    return await system.store.deleted_organizations.change(
        org_id,
        {"deleted_at": None, "members": members},
        entry,
        expect={"version": found.version},
    )


async def _still_there(system: Work, organization: Organization) -> list[dict[str, Any]]:
    """Its members without those who were erased meanwhile."""
    ids = [member.user_id for member in organization.members]
    users = await system.store.users.list({"_id": {"$in": ids}}, sort=[("_id", 1)])
    erased = {user.id for user in users if user.erased_at is not None}
    return [member.document() for member in organization.members if member.user_id not in erased]


async def _restorable(work: Work) -> list[Organization]:
    if not isinstance(work.actor, UserActor):
        return []
    since = work.clock.now() - RESTORABLE
    system = work.as_system("the caller's own deleted organizations")
    return await system.store.deleted_organizations.of_member_since(work.actor.id, since)


def _may_restore(work: Work, organization: Organization) -> bool:
    role = organization.role_of(work.actor.id) if isinstance(work.actor, UserActor) else None
    return role is not None and Permission.ORGANIZATION_DELETE in ROLES[Role(role)]


def _check(name: str) -> None:
    if errors := name_errors(name=name):
        raise Invalid(*errors)


async def _has_factor(work: Work) -> bool:
    if not isinstance(work.actor, UserActor):
        return False
    return (await work.as_system("the caller's own account").store.users.get(work.actor.id)).factor is not None
