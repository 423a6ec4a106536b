"""Where the entries about an account are kept: with an organization only while its person belongs to it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import replace

import pytest

from pulse_dash.core import (
    accounts,
    factor_reset,
    invitations,
    joining,
    links,
    mails,
    members,
    operators,
    organizations,
    personal_tokens,
    sessions,
)
from pulse_dash.core.access import Role
from pulse_dash.services import Services
from tests.core.authenticator import turned_on
from tests.doubles import Mailbox, MovableClock, kept
from tests.people import PASSWORD, Person, Town

GUEST, MOVED, ANOTHER_PASSWORD = "guest@example.com", "elsewhere@example.com", "another sentence altogether"


async def guest_of(town: Town, owner: Person) -> Person:
    """Somebody who was invited there and belongs to nothing else."""
    org_id = owner.organization.id
    invited = await invitations.invite(town.work(owner), org_id, email=GUEST, role=Role.DEVELOPER)
    assert invited.accept_url is not None
    token = invited.accept_url.partition("?token=")[2]
    await joining.accept(town.stranger, token, name="Guest", password=PASSWORD)
    return await signed_in(town, owner)


async def signed_in(town: Town, owner: Person, email: str = GUEST, password: str = PASSWORD) -> Person:
    started = (await accounts.log_in(town.stranger, email=email, password=password)).started
    assert started is not None
    access, _ = await sessions.access_token(town.stranger, started)
    return Person(started.actor, owner.organization, access.reveal(), started.secret.reveal())


async def everything_of_an_account(town: Town, owner: Person, mailbox: Mailbox, clock: MovableClock) -> None:
    """All that somebody does in their own account, and what is done to it."""
    system, person = town.services.system("the command line"), await signed_in(town, owner)
    await accounts.rename(town.work(person), "Somebody else")
    token = await personal_tokens.create(town.work(person), name="a token", expires_in_days=1)
    await personal_tokens.revoke(town.work(person), token.token.id)
    await sessions.end_others(town.work(person))
    await links.move(town.work(person), password=PASSWORD, email=MOVED)
    await mails.hand_over(system)
    await links.verify(town.stranger, mailbox.token_to(MOVED))
    moved = replace(person, actor=await sessions.recognize(town.stranger, person.access_token))
    await turned_on(town, moved, clock)
    await factor_reset.reset(system, MOVED)
    await links.forgot(town.stranger, MOVED)
    await mails.hand_over(system)
    await links.reset(town.stranger, mailbox.token_to(MOVED), ANOTHER_PASSWORD)
    await operators.appoint(system, MOVED)
    await sessions.end(town.work(await signed_in(town, owner, MOVED, ANOTHER_PASSWORD)))


async def removed(town: Town, owner: Person, guest: Person) -> None:
    await members.remove(town.work(owner), owner.organization.id, guest.actor.id)


async def left(town: Town, owner: Person, guest: Person) -> None:
    await members.leave(town.work(guest), owner.organization.id)


async def deleted(town: Town, owner: Person, guest: Person) -> None:
    await organizations.delete(town.work(owner), owner.organization.id)


@pytest.mark.parametrize("gone", [removed, left, deleted])
async def test_whoever_is_gone_from_an_organization_leaves_no_trace_in_its_log(
    town: Town,
    mailing: Services,
    mailbox: Mailbox,
    clock: MovableClock,
    gone: Callable[[Town, Person, Person], Awaitable[None]],
) -> None:
    owner = await town.person()
    guest = await guest_of(town, owner)
    await gone(town, owner, guest)
    there = len(await kept(mailing.engine, "audit_log", org_id=owner.organization.id))

    await everything_of_an_account(Town(mailing), owner, mailbox, clock)

    assert len(await kept(mailing.engine, "audit_log", org_id=owner.organization.id)) == there
    told = {entry["action"] for entry in await kept(mailing.engine, "audit_log", org_id=None)}
    assert told >= {
        *("session.started", "session.others_ended", "session.ended", "user.renamed", "user.address_changed"),
        *("personal_token.created", "personal_token.revoked", "second_factor.enabled", "second_factor.reset"),
        *("user.password_reset", "operator.added"),
    }


async def test_whoever_was_removed_goes_on_in_an_organization_of_their_own(town: Town, services: Services) -> None:
    owner = await town.person()
    member = await town.member(owner.organization, Role.DEVELOPER)
    await accounts.use_organization(town.work(member), owner.organization.id)
    await members.remove(town.work(owner), owner.organization.id, member.actor.id)

    await accounts.rename(town.work(member), "Somebody else")

    (entry,) = await kept(services.engine, "audit_log", action="user.renamed")
    (user,) = await kept(services.engine, "users", _id=member.actor.id)
    assert entry["org_id"] == member.organization.id
    assert "last_organization_id" not in user
