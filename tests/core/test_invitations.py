"""Invitations: to one address, with one role, once, and never a way into an account that is there."""

from __future__ import annotations

import asyncio
from dataclasses import replace

import pytest

from pulse_dash.core import accounts, invitations, joining, mails, organizations, sessions
from pulse_dash.core.access import Role
from pulse_dash.core.errors import Forbidden, Invalid, NotFound, RateLimited, Unauthenticated
from pulse_dash.core.invitations import MOST_TO_ONE, AlreadyThere, InvitationSpent, Unverified
from pulse_dash.core.joining import OtherAddress, SignInToAccept
from pulse_dash.core.members import AboveOwnRole
from pulse_dash.services import Services
from tests.doubles import Mailbox, MovableClock, kept
from tests.people import HOSTILE, PASSWORD, Person, Town

ADDRESS = "bob@example.com"


async def _invited(town: Town, owner: Person, email: str = ADDRESS, role: Role = Role.DEVELOPER) -> str:
    """The token of an invitation, as the inviter gets it where no mail is sent."""
    made = await invitations.invite(town.work(owner), owner.organization.id, email=email, role=role)
    assert made.accept_url is not None
    return made.accept_url.partition("?token=")[2]


async def _accept(town: Town, token: str) -> accounts.SignedIn:
    return await joining.accept(town.stranger, token, name=f"Bob {HOSTILE}", password=PASSWORD)


async def test_strangers_and_small_roles_invite_nobody(town: Town) -> None:
    owner, stranger = await town.person(), await town.person()
    developer = await town.member(owner.organization, Role.DEVELOPER)
    admin = await town.member(owner.organization, Role.ADMIN)
    org_id = owner.organization.id

    with pytest.raises(NotFound):
        await invitations.invite(town.work(stranger), org_id, email=ADDRESS, role=Role.VIEWER)
    with pytest.raises(Forbidden):
        await invitations.invite(town.work(developer), org_id, email=ADDRESS, role=Role.VIEWER)
    with pytest.raises(AboveOwnRole):
        await invitations.invite(town.work(admin), org_id, email=ADDRESS, role=Role.OWNER)


async def test_who_is_new_joins_with_a_name_and_a_password(town: Town) -> None:
    owner = await town.person()

    joined = await _accept(town, await _invited(town, owner))

    assert joined.started is not None
    assert [(held.organization.id, held.role) for held in joined.memberships] == [
        (owner.organization.id, Role.DEVELOPER)
    ]
    assert (await accounts.log_in(town.stranger, email=ADDRESS, password=PASSWORD)).user.id == joined.user.id


@pytest.mark.parametrize(("name", "password", "field"), [("", PASSWORD, "name"), ("Bob", "short", "password")])
async def test_what_is_missing_is_named_and_the_invitation_stays(
    town: Town, name: str, password: str, field: str
) -> None:
    token = await _invited(town, await town.person())

    with pytest.raises(Invalid) as refused:
        await joining.accept(town.stranger, token, name=name, password=password)

    assert [error.field for error in refused.value.errors] == [field]
    await _accept(town, token)


async def test_who_has_an_account_must_be_signed_in_as_it(town: Town) -> None:
    owner, bob, eve = await town.person(), await town.person(), await town.person()
    token = await _invited(town, owner, email=bob.actor.email)

    with pytest.raises(SignInToAccept):
        await _accept(town, token)
    with pytest.raises(OtherAddress):
        await joining.accept(town.work(eve), token)
    joined = await joining.accept(town.work(bob), token)

    assert owner.organization.id in {held.organization.id for held in joined.memberships}
    assert owner.organization.id in (await sessions.recognize(town.stranger, bob.access_token)).roles


async def test_a_used_expired_or_revoked_invitation_is_gone_whoever_sends_it(town: Town, clock: MovableClock) -> None:
    owner, bob = await town.person(), await town.person()
    work, org_id = town.work(owner), owner.organization.id
    used, revoked, late = [await _invited(town, owner, email=f"{n}@example.com") for n in ("used", "revoked", "late")]
    await _accept(town, used)
    await invitations.revoke(work, org_id, revoked.partition(".")[0])
    clock.move(invitations.LIFE.total_seconds() + 1)

    for token in (used, revoked, late, "inv_x.y", ""):
        with pytest.raises(InvitationSpent):
            await _accept(town, token)
        with pytest.raises(InvitationSpent):
            await joining.accept(town.work(bob), token)
    states = {each.email: each.status(clock.now()) for each in await invitations.listing(work, org_id)}
    assert states == {"used@example.com": "accepted", "revoked@example.com": "revoked", "late@example.com": "expired"}


async def test_an_invitation_into_a_deleted_organization_is_gone(town: Town) -> None:
    owner = await town.person()
    token = await _invited(town, owner)
    await organizations.delete(town.work(owner), owner.organization.id)

    with pytest.raises(InvitationSpent):
        await _accept(town, token)


async def test_accepted_twice_at_once_makes_one_member(town: Town) -> None:
    owner = await town.person()
    token = await _invited(town, owner)

    outcomes = await asyncio.gather(*(_accept(town, token) for _ in range(6)), return_exceptions=True)

    assert sum(isinstance(outcome, accounts.SignedIn) for outcome in outcomes) == 1
    assert len((await organizations.read(town.work(owner), owner.organization.id)).members) == 2


async def test_who_was_removed_does_not_come_back_by_the_same_invitation(town: Town) -> None:
    owner, bob = await town.person(), await town.person()
    token = await _invited(town, owner, email=bob.actor.email)
    await joining.accept(town.work(bob), token)

    with pytest.raises(InvitationSpent):
        await joining.accept(town.work(bob), token)


async def test_sent_again_the_old_link_dies(town: Town) -> None:
    owner = await town.person()
    old = await _invited(town, owner)

    new = await invitations.resend(town.work(owner), owner.organization.id, old.partition(".")[0])

    with pytest.raises(InvitationSpent):
        await _accept(town, old)
    assert new.accept_url is not None
    await _accept(town, new.accept_url.partition("?token=")[2])


async def test_an_address_is_invited_once_and_no_member_is(town: Town) -> None:
    owner = await town.person()
    await _invited(town, owner)

    for email in (ADDRESS, ADDRESS.upper(), owner.actor.email):
        with pytest.raises(AlreadyThere):
            await _invited(town, owner, email=email)


async def test_twenty_an_hour_and_no_more(town: Town, clock: MovableClock) -> None:
    owner = await town.person()
    for number in range(invitations.MOST_AN_HOUR):
        await _invited(town, owner, email=f"p{number}@example.com")

    with pytest.raises(RateLimited):
        await _invited(town, owner)
    clock.move(3601)
    await _invited(town, owner)


@pytest.mark.parametrize(
    "email",
    ["", "bob", "bob@example.com\nBcc: x@y.z", "bоb@example.com", "bob@exаmple.com", "b" * 320 + "@example.com"],
)
async def test_what_is_no_address_or_only_looks_like_one_is_refused(town: Town, email: str) -> None:
    owner = await town.person()

    with pytest.raises(Invalid):
        await _invited(town, owner, email=email)


async def test_a_key_invites_nobody(town: Town) -> None:
    house = await town.house()

    with pytest.raises((Unauthenticated, NotFound)):
        await invitations.invite(await town.by_key(house), house.project.org_id, email=ADDRESS, role=Role.VIEWER)


async def test_with_a_mail_server_the_link_is_mailed_and_proves_the_address(
    mailing: Services, mailbox: Mailbox
) -> None:
    town = Town(mailing)
    owner = await town.person()
    with pytest.raises(Unverified):
        await invitations.invite(town.work(owner), owner.organization.id, email=ADDRESS, role=Role.VIEWER)
    await mails.hand_over(mailing.system("a test"))
    user = await mailing.system("a test").store.users.get(owner.actor.id)
    await mailing.system("a test").store.users.change(
        user.id,
        {"verified_at": mailing.parts.clock.now()},
        {
            "_id": "aud_x",
            "org_id": None,
            "at": mailing.parts.clock.now(),
            "actor": {},
            "action": "user.verified",
            "status": "success",
        },
    )
    verified = await sessions.recognize(town.stranger, owner.access_token)

    made = await invitations.invite(mailing.as_(verified), owner.organization.id, email=ADDRESS, role=Role.VIEWER)
    await mails.hand_over(mailing.system("a test"))
    joined = await _accept(town, mailbox.token_to(ADDRESS))

    assert made.accept_url is None
    assert joined.user.verified_at is not None


async def test_tokens_are_kept_as_hashes(town: Town, services: Services) -> None:
    token = await _invited(town, await town.person())

    (document,) = await kept(services.engine, "invitations")
    assert token.partition(".")[2] not in repr(document)


async def test_forty_at_once_are_no_more_than_twenty(town: Town) -> None:
    owner = await town.person()

    outcomes = await asyncio.gather(
        *(_invited(town, owner, email=f"p{number}@example.com") for number in range(40)), return_exceptions=True
    )

    assert sum(isinstance(outcome, str) for outcome in outcomes) <= invitations.MOST_AN_HOUR
    assert all(isinstance(outcome, str | RateLimited) for outcome in outcomes)


async def test_sent_again_once_a_minute(town: Town, clock: MovableClock) -> None:
    owner = await town.person()
    work, invitation_id = town.work(owner), (await _invited(town, owner)).partition(".")[0]
    await invitations.resend(work, owner.organization.id, invitation_id)

    with pytest.raises(RateLimited):
        await invitations.resend(work, owner.organization.id, invitation_id)
    clock.move(61)
    await invitations.resend(work, owner.organization.id, invitation_id)


async def test_one_that_is_taken_back_while_the_password_is_hashed_brings_nobody_in(
    town: Town, services: Services, monkeypatch: pytest.MonkeyPatch
) -> None:
    owner = await town.person()
    token = await _invited(town, owner)
    hashed = services.parts.passwords.hash

    async def slow(password: str) -> str:
        await invitations.revoke(town.work(owner), owner.organization.id, token.partition(".")[0])
        return await hashed(password)

    monkeypatch.setattr(services.parts.passwords, "hash", slow)

    with pytest.raises(InvitationSpent):
        await _accept(town, token)
    assert [user["email"] for user in await kept(services.engine, "users")] == [owner.actor.email]


async def test_an_admin_takes_no_owners_invitation_back(town: Town) -> None:
    owner = await town.person()
    admin = await town.member(owner.organization, Role.ADMIN)
    token = await _invited(town, owner, role=Role.OWNER)

    with pytest.raises(AboveOwnRole):
        await invitations.revoke(town.work(admin), owner.organization.id, token.partition(".")[0])


async def test_who_waits_as_long_as_the_limit_says_invites_again(town: Town, clock: MovableClock) -> None:
    owner = await town.person()
    for number in range(invitations.MOST_AN_HOUR):
        await _invited(town, owner, email=f"p{number}@example.com")
        clock.move(60)
    with pytest.raises(RateLimited) as refused:
        await _invited(town, owner, email="late@example.com")

    assert refused.value.retry_after < 3600 - 60 * (invitations.MOST_AN_HOUR - 1)
    clock.move(refused.value.retry_after - 2)
    with pytest.raises(RateLimited):
        await _invited(town, owner, email="late@example.com")
    clock.move(2)
    await _invited(town, owner, email="late@example.com")


async def test_one_address_gets_few_mails_however_many_organizations_invite_it(
    mailing: Services, mailbox: Mailbox, clock: MovableClock
) -> None:
    town = Town(mailing)
    inviter, other = [await town.person() for _ in range(2)]
    work, theirs = [mailing.as_(replace(each.actor, verified=True)) for each in (inviter, other)]
    here = inviter.organization.id

    for number in range(MOST_TO_ONE):
        await organizations.create(work, name=f"Team {number}", admin_email=ADDRESS)
    with pytest.raises(RateLimited) as refused:
        await organizations.create(work, name="One more", admin_email=ADDRESS)
    with pytest.raises(RateLimited):
        await invitations.invite(work, here, email=ADDRESS, role=Role.VIEWER)

    assert "One more" not in {each["name"] for each in await kept(mailing.engine, "organizations")}
    # Somebody else's invitation is not kept away, nor theirs to others.
    await invitations.invite(theirs, other.organization.id, email=ADDRESS, role=Role.VIEWER)
    await invitations.invite(work, here, email=f"x{ADDRESS}", role=Role.VIEWER)
    clock.move(seconds=refused.value.retry_after)
    await invitations.invite(work, here, email=ADDRESS, role=Role.VIEWER)


async def test_the_log_says_who_accepted(town: Town, services: Services) -> None:
    joined = await _accept(town, await _invited(town, await town.person()))

    (accepted,) = await kept(services.engine, "audit_log", action="invitation.accepted")
    assert accepted["actor"]["id"] == joined.user.id
