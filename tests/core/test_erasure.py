"""Erasing a person: they are gone within a moment, ids are left of them, and every chain still verifies."""

from __future__ import annotations

import httpx
import pytest

from pulse_dash.core import (
    accounts,
    audit,
    audit_verify,
    erasure,
    invitations,
    links,
    mails,
    members,
    organizations,
    personal_tokens,
    projects,
    sessions,
    status_subscriptions,
)
from pulse_dash.core.access import Anonymous, Role
from pulse_dash.core.audit import Filters
from pulse_dash.core.erasure import NAME, erase_me
from pulse_dash.core.errors import Invalid, NotFound, Unauthenticated
from pulse_dash.core.members import LastOwner
from pulse_dash.services import Services
from tests.doubles import BreakableEngine, Mailbox, MovableClock, kept
from tests.people import PASSWORD, Person, Town


@pytest.fixture
async def guest(town: Town) -> tuple[Person, Person]:
    """An owner, and somebody who is a developer there and has no organization of their own any more."""
    owner = await town.person("Olga")
    guest = await town.member(owner.organization, Role.DEVELOPER)
    await organizations.delete(town.work(guest), guest.organization.id)
    return owner, Person(
        await sessions.recognize(town.stranger, guest.access_token),
        owner.organization,
        guest.access_token,
        guest.refresh_token,
    )


async def everything(services: Services) -> str:
    """All that the store holds, but keys that are not of people."""
    nouns = ("users", "sessions", "personal_tokens", "invitations", "organizations", "projects", "audit_log")
    return str([await kept(services.engine, noun) for noun in (*nouns, "audit_people")])


async def test_nothing_opens_and_nothing_says_who_they_were(
    town: Town, services: Services, guest: tuple[Person, Person]
) -> None:
    owner, person = guest
    token = await personal_tokens.create(town.work(person), name="script", expires_in_days=1)
    await projects.create(town.work(person), org_id=owner.organization.id, name="theirs")

    await erase_me(town.work(person), password=PASSWORD)

    for who in (
        sessions.recognize(town.stranger, person.access_token),
        sessions.refresh(town.stranger, person.refresh_token),
        personal_tokens.recognize(town.stranger, token.secret.reveal()),
        accounts.log_in(town.stranger, email=person.actor.email, password=PASSWORD),
    ):
        with pytest.raises(Unauthenticated):
            await who
    said = await everything(services)
    assert person.actor.email not in said
    assert person.actor.name not in said


async def test_the_log_keeps_ids_and_its_chains_still_verify(
    town: Town, services: Services, guest: tuple[Person, Person]
) -> None:
    owner, person = guest
    await projects.create(town.work(person), org_id=owner.organization.id, name="theirs")
    await erase_me(town.work(person), password=PASSWORD)
    await services.parts.store.logged()

    found = await audit.listing(town.work(owner), Filters(org_id=owner.organization.id, user=person.actor.id))
    walked = [each async for each in audit_verify.every(services.system("a test"), "", None)]

    assert {"project.created", "member.left"} <= {entry.action for entry in found.items}
    assert {(entry.actor["id"], entry.actor["name"], entry.ip) for entry in found.items} == {
        (person.actor.id, None, "")
    }
    assert all(each.fits for each in walked)


async def test_their_membership_ends_and_their_name_is_nobodys(
    town: Town, services: Services, guest: tuple[Person, Person]
) -> None:
    owner, person = guest

    await erase_me(town.work(person), password=PASSWORD)

    organization = await organizations.read(town.work(owner), owner.organization.id)
    (user,) = await kept(services.engine, "users", _id=person.actor.id)
    assert organization.role_of(person.actor.id) is None
    assert (user["name"], user["email"], user["password_hash"]) == (NAME, "", None)


async def test_the_address_is_free_again(town: Town, guest: tuple[Person, Person]) -> None:
    _, person = guest
    await erase_me(town.work(person), password=PASSWORD)

    again = await accounts.sign_up(
        town.services.as_(Anonymous()),
        email=person.actor.email,
        password=PASSWORD,
        name="Ada",
        organization_name="Anew",
    )

    assert again.user.id != person.actor.id


async def test_the_last_owner_of_an_organization_is_told_which(town: Town) -> None:
    owner = await town.person()

    with pytest.raises(LastOwner) as refused:
        await erase_me(town.work(owner), password=PASSWORD)

    assert refused.value.code == "last_owner"
    assert "Acme" in refused.value.detail
    assert (await sessions.recognize(town.stranger, owner.access_token)).id == owner.actor.id


async def test_it_takes_the_password_and_a_code_where_there_is_a_second_factor(
    town: Town, guest: tuple[Person, Person]
) -> None:
    _, person = guest

    with pytest.raises(Invalid):
        await erase_me(town.work(person), password="another one altogether")

    assert (await sessions.recognize(town.stranger, person.access_token)).id == person.actor.id


async def test_a_key_that_came_late_is_taken_away_again_for_an_hour(
    town: Town, services: Services, clock: MovableClock, guest: tuple[Person, Person]
) -> None:
    _, person = guest
    system = services.system("a test")
    await erase_me(town.work(person), password=PASSWORD)
    late = system.entry("x.y", org_id=None, resource="x", resource_id="x", name="", by=person.actor)
    await services.parts.store.chains.append("installation", [late])
    before = await kept(services.engine, "audit_people", _id=person.actor.id)
    clock.move(301)

    again = await erasure.finish(system)

    assert (len(before), again) == (1, 1)
    assert await kept(services.engine, "audit_people", _id=person.actor.id) == []
    clock.move(3_600)
    assert (await erasure.finish(system), await erasure.finish(system)) == (1, 0)


async def test_an_operator_erases_on_the_machine(town: Town, services: Services, guest: tuple[Person, Person]) -> None:
    _, person = guest

    await erasure.erase(services.system("the command line"), f" {person.actor.email.upper()} ")

    with pytest.raises(Unauthenticated):
        await sessions.recognize(town.stranger, person.access_token)
    with pytest.raises(NotFound):
        await erasure.erase(services.system("the command line"), person.actor.email)


async def test_nothing_that_went_to_their_address_is_left(
    town: Town, mailing: Services, mailbox: Mailbox, guest: tuple[Person, Person]
) -> None:
    _, person = guest
    here, elsewhere, address = Town(mailing), await town.person("Eve"), person.actor.email
    await status_subscriptions.by_mail(here.stranger, address)
    await mails.hand_over(here.stranger)
    await status_subscriptions.confirm(here.stranger, mailbox.token_to(address))
    invited = await invitations.invite(town.work(elsewhere), elsewhere.organization.id, email=address, role=Role.VIEWER)
    await links.forgot(here.stranger, address)

    await erase_me(here.work(person), password=PASSWORD)

    await mails.hand_over(here.stranger)
    assert [mail.subject for mail in mailbox.mails if mail.to == address][1:] == ["Your account was erased"]
    nouns = ("status_subscriptions", "invitations", "mails", "users")
    assert address not in str([await kept(mailing.engine, noun) for noun in nouns])
    seen = await audit.listing(town.work(elsewhere), Filters(resource=invited.invitation.id))
    assert [(entry.action, entry.resource["name"]) for entry in seen.items] == [
        ("invitation.revoked", None),
        ("member.invited", None),
    ]
    assert person.actor.id not in str(seen.items)


async def test_who_never_proved_an_address_takes_nothing_of_it_away(
    town: Town, mailing: Services, mailbox: Mailbox
) -> None:
    owner, here, address = await town.person(), Town(mailing), "somebody@example.com"
    await status_subscriptions.by_mail(here.stranger, address)
    await mails.hand_over(here.stranger)
    await status_subscriptions.confirm(here.stranger, mailbox.token_to(address))
    await invitations.invite(town.work(owner), owner.organization.id, email=address, role=Role.VIEWER)
    eve = await accounts.sign_up(here.stranger, email=address, password=PASSWORD, name="Eve", organization_name="Eve's")
    assert eve.started is not None
    assert eve.organization is not None
    await organizations.delete(mailing.as_(eve.started.actor), eve.organization.id)

    await erase_me(mailing.as_(eve.started.actor), password=PASSWORD)

    assert [each["state"] for each in await kept(mailing.engine, "status_subscriptions")] == ["confirmed"]
    listed = await invitations.listing(town.work(owner), owner.organization.id)
    assert [each.status(mailing.parts.clock.now()) for each in listed] == ["pending"]


async def test_nobody_who_was_erased_comes_back_with_an_organization_that_is_restored(town: Town) -> None:
    owner = await town.person()
    other, org_id = await town.member(owner.organization, Role.OWNER), owner.organization.id
    await organizations.delete(town.work(owner), org_id)

    await erase_me(town.work(owner), password=PASSWORD)
    await organizations.restore(town.work(other), org_id)

    assert [member.id for member in await members.listing(town.work(other), org_id)] == [other.actor.id]
    with pytest.raises(LastOwner):
        await members.leave(town.work(other), org_id)


async def test_whoever_was_erased_before_is_no_owner_and_is_not_restored(
    town: Town, services: Services, engine: BreakableEngine
) -> None:
    owner = await town.person()
    other, org_id = await town.member(owner.organization, Role.OWNER), owner.organization.id
    # As versions before left them.
    await engine.collection("users").update_one(
        {"_id": owner.actor.id}, {"$set": {"erased_at": services.parts.clock.now()}}
    )

    with pytest.raises(LastOwner):
        await members.leave(town.work(other), org_id)
    with pytest.raises(LastOwner):
        await members.change_role(town.work(other), org_id, other.actor.id, Role.ADMIN)
    with pytest.raises(LastOwner):
        await erase_me(town.work(other), password=PASSWORD)
    await organizations.delete(town.work(other), org_id)
    restored = await organizations.restore(town.work(other), org_id)

    assert [member.user_id for member in restored.members] == [other.actor.id]


async def test_an_organization_that_they_alone_owned_and_deleted_is_nobodys(
    town: Town, services: Services, guest: tuple[Person, Person]
) -> None:
    _, person = guest

    await erase_me(town.work(person), password=PASSWORD)

    (organization,) = await kept(services.engine, "organizations", created_by=person.actor.id)
    assert organization["members"] == []


async def test_over_http_it_is_the_persons_own_account_and_no_tokens(
    client: httpx.AsyncClient, town: Town, guest: tuple[Person, Person]
) -> None:
    _, person = guest
    token = await personal_tokens.create(town.work(person), name="script", expires_in_days=1)
    ways = {"by token": {"Authorization": f"Bearer {token.secret.reveal()}"}, "in person": person.headers}
    answers = {
        name: await client.request("DELETE", "/v1/auth/me", headers=headers, json={"password": PASSWORD})
        for name, headers in ways.items()
    }

    assert (answers["by token"].status_code, answers["in person"].status_code) == (403, 204)
    assert (await client.get("/v1/auth/me", headers=person.headers)).status_code == 401
