"""Members and their roles: nobody above their own role, always an owner, whoever acts at once."""

from __future__ import annotations

import asyncio

import pytest

from pulse_dash.core import members, organizations, sessions
from pulse_dash.core.access import Role
from pulse_dash.core.errors import Forbidden, NotFound
from pulse_dash.core.members import AboveOwnRole, LastOwner
from pulse_dash.core.work import Work
from pulse_dash.store.organizations import Organizations
from pulse_dash.store.records import Moved
from tests.doubles import kept
from tests.people import Person, Town


async def _roles(town: Town, owner: Person) -> dict[str, str]:
    organization = await town.services.system("a test").store.organizations.get(owner.organization.id)
    return {member.user_id: member.role for member in organization.members}


async def test_a_stranger_sees_nobody(town: Town) -> None:
    owner, stranger = await town.person(), await town.person()

    with pytest.raises(NotFound):
        await members.listing(town.work(stranger), owner.organization.id)
    with pytest.raises(NotFound):
        await members.remove(town.work(stranger), owner.organization.id, owner.actor.id)


@pytest.mark.parametrize("role", [Role.VIEWER, Role.DEVELOPER])
async def test_below_admin_members_are_seen_and_not_changed(town: Town, role: Role) -> None:
    owner = await town.person()
    member = await town.member(owner.organization, role)
    work = town.work(member)

    assert len(await members.listing(work, owner.organization.id)) == 2
    with pytest.raises(Forbidden):
        await members.change_role(work, owner.organization.id, owner.actor.id, Role.VIEWER)
    with pytest.raises(Forbidden):
        await members.remove(work, owner.organization.id, owner.actor.id)


async def test_an_owner_elsewhere_is_here_what_the_role_here_says(town: Town) -> None:
    owner = await town.person()
    viewer = await town.member(owner.organization, Role.VIEWER)

    with pytest.raises(Forbidden):
        await members.remove(town.work(viewer), owner.organization.id, owner.actor.id)
    await members.listing(town.work(viewer), viewer.organization.id)


async def test_an_admin_changes_nobody_above_and_grants_no_more_than_its_own(town: Town) -> None:
    owner = await town.person()
    admin = await town.member(owner.organization, Role.ADMIN)
    viewer = await town.member(owner.organization, Role.VIEWER)
    work, org_id = town.work(admin), owner.organization.id

    for refused in (
        members.change_role(work, org_id, owner.actor.id, Role.VIEWER),
        members.remove(work, org_id, owner.actor.id),
        members.change_role(work, org_id, viewer.actor.id, Role.OWNER),
        members.change_role(work, org_id, admin.actor.id, Role.OWNER),
    ):
        with pytest.raises(AboveOwnRole):
            await refused
    await members.change_role(work, org_id, viewer.actor.id, Role.ADMIN)

    assert (await _roles(town, owner))[viewer.actor.id] == "admin"
    failed = await kept(town.services.engine, "audit_log", status="failure")
    assert {each["action"] for each in failed} == {"member.role_changed", "member.removed"}


async def test_the_last_owner_stays_one(town: Town) -> None:
    owner = await town.person()
    work, org_id = town.work(owner), owner.organization.id

    for refused in (
        members.leave(work, org_id),
        members.remove(work, org_id, owner.actor.id),
        members.change_role(work, org_id, owner.actor.id, Role.ADMIN),
    ):
        with pytest.raises(LastOwner):
            await refused


@pytest.mark.parametrize("how", ["remove", "demote", "leave"])
async def test_two_owners_who_act_on_each_other_at_once_leave_one(town: Town, how: str) -> None:
    for _ in range(10):
        one = await town.person()
        other = await town.member(one.organization, Role.OWNER)
        org_id = one.organization.id

        def act(by: Person, on: Person, org_id: str = org_id) -> object:
            work: Work = town.work(by)
            if how == "remove":
                return members.remove(work, org_id, on.actor.id)
            if how == "demote":
                return members.change_role(work, org_id, on.actor.id, Role.VIEWER)
            return members.leave(work, org_id)

        outcomes = await asyncio.gather(act(one, other), act(other, one), return_exceptions=True)  # type: ignore[call-overload]

        assert list((await _roles(town, one)).values()).count("owner") >= 1
        assert all(
            outcome is None or isinstance(outcome, LastOwner | NotFound | Forbidden | Moved | members.Membership)
            for outcome in outcomes
        )


async def test_who_is_removed_is_out_at_once_and_stays_in_their_other_organizations(town: Town) -> None:
    owner = await town.person()
    member = await town.member(owner.organization, Role.DEVELOPER)

    await members.remove(town.work(owner), owner.organization.id, member.actor.id)

    now = await sessions.recognize(town.stranger, member.access_token)
    assert owner.organization.id not in now.roles
    with pytest.raises(NotFound):
        await organizations.read(town.services.as_(now), owner.organization.id)
    assert now.roles[member.organization.id] is Role.OWNER


async def test_who_hands_over_becomes_an_admin(town: Town) -> None:
    owner = await town.person()
    admin = await town.member(owner.organization, Role.ADMIN)
    with pytest.raises(Forbidden):
        await members.transfer(town.work(admin), owner.organization.id, admin.actor.id)

    await members.transfer(town.work(owner), owner.organization.id, admin.actor.id)

    assert await _roles(town, owner) == {owner.actor.id: "admin", admin.actor.id: "owner"}


async def test_each_change_is_in_the_log_with_before_and_after(town: Town) -> None:
    owner = await town.person()
    member = await town.member(owner.organization, Role.VIEWER)
    other = await town.member(owner.organization, Role.ADMIN)
    heir = await town.member(owner.organization, Role.ADMIN)
    org_id = owner.organization.id

    await members.change_role(town.work(owner), org_id, member.actor.id, Role.DEVELOPER)
    await members.leave(town.work(member), org_id)
    await members.remove(town.work(owner), org_id, other.actor.id)
    await members.transfer(town.work(owner), org_id, heir.actor.id)

    roles = {
        "member.role_changed": ("viewer", "developer"),
        "member.left": ("developer", None),
        "member.removed": ("admin", None),
        "ownership.transferred": ("admin", "owner"),
    }
    for action, (before, after) in roles.items():
        (entry,) = await kept(town.services.engine, "audit_log", action=action)
        assert entry["changes"] == {"role": {"before": before, "after": after}}


@pytest.mark.parametrize("role", [Role.VIEWER, Role.DEVELOPER, Role.ADMIN])
async def test_who_loses_the_role_while_handing_over_hands_nothing_over(
    town: Town, monkeypatch: pytest.MonkeyPatch, role: Role
) -> None:
    one = await town.person()
    other = await town.member(one.organization, Role.OWNER)
    viewer = await town.member(one.organization, Role.VIEWER)
    org_id, write, demoted = one.organization.id, Organizations.change, list[bool]()

    async def demoted_just_before(self: Organizations, *args: object, **kwargs: object) -> object:
        if not demoted:
            demoted.append(True)
            await members.change_role(town.work(other), org_id, one.actor.id, role)
        return await write(self, *args, **kwargs)  # type: ignore[arg-type]

    monkeypatch.setattr(Organizations, "change", demoted_just_before)

    with pytest.raises(Forbidden):
        await members.transfer(town.work(one), org_id, viewer.actor.id)
    assert (await _roles(town, one))[viewer.actor.id] == "viewer"
