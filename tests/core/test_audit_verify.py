"""Verify and the checkpoints that it compares with: what is told of them, whose they are, and how they leave."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from pulse_dash.core import audit_checkpoints, audit_verify
from pulse_dash.core.audit_checkpoints import written
from pulse_dash.core.audit_verify import verify
from pulse_dash.core.errors import Invalid, NotFound
from pulse_dash.services import Services
from pulse_dash.store.audit_chain import head_of
from pulse_dash.store.audit_form import GENESIS
from tests.core.intruding import Intruder, busy, stands, verified
from tests.core.test_audit_attacks import delete_all_and_the_head
from tests.doubles import Mailbox, MovableClock, kept
from tests.people import Town

# --- checkpoints -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "spoiled",
    [
        "",
        "{",
        "[]",
        "null",
        "x" * 2_000,
        '{"chain":"org_x"}',
        '{"chain":["org_x"],"sequence":1}',
    ],
)
async def test_what_is_no_checkpoint_is_told(town: Town, spoiled: str) -> None:
    owner = await busy(town, 1)

    with pytest.raises(Invalid):
        audit_checkpoints.read(town.work(owner), owner.organization.id, spoiled)


async def test_a_checkpoint_that_was_changed_or_is_anothers_is_told(town: Town) -> None:
    owner, other = await busy(town, 1), await busy(town, 1)
    head = await stands(town, owner)

    for wrong in (
        replace(head, sequence=head.sequence + 1),
        replace(head, hash=GENESIS),
        replace(head, at=head.at + timedelta(seconds=1)),
        await stands(town, other),
    ):
        with pytest.raises(Invalid, match=r"checkpoint|fields"):
            audit_checkpoints.read(town.work(owner), owner.organization.id, written(wrong))
    assert audit_checkpoints.read(town.work(owner), owner.organization.id, written(head)).hash == head.hash


async def test_owners_get_a_checkpoint_by_mail_once_a_week_and_the_log_is_anchored_then(
    mailing: Services, mailbox: Mailbox, clock: MovableClock
) -> None:
    town = Town(mailing)
    owner = await town.person()
    system = mailing.system("a test")
    entry = system.entry("user.verified", org_id=None, resource="user", resource_id=owner.actor.id, name="x")
    await system.store.users.change(owner.actor.id, {"verified_at": clock.now()}, entry)
    before = await verify(town.work(owner), owner.organization.id)
    early = await audit_checkpoints.mail(system)
    clock.move(7 * 86_400 + 1)

    first, again = await audit_checkpoints.mail(system), await audit_checkpoints.mail(system)

    assert (before.anchored, early, first, again) == (False, 0, 1, 0)
    mail = mailbox.mails[-1]
    assert (mail.to, "\n" in mail.subject) == (owner.actor.email, False)
    (line,) = [line for line in mail.text.splitlines() if line.startswith("{")]
    after = await verify(town.work(owner), owner.organization.id, checkpoint=line)
    assert after.fits
    assert after.anchored
    assert after.compared


async def test_a_mail_server_that_is_away_is_asked_again(
    mailing: Services, mailbox: Mailbox, clock: MovableClock
) -> None:
    town = Town(mailing)
    owner = await town.person()
    system = mailing.system("a test")
    entry = system.entry("user.verified", org_id=None, resource="user", resource_id=owner.actor.id, name="x")
    await system.store.users.change(owner.actor.id, {"verified_at": clock.now()}, entry)
    await mailing.parts.store.logged()
    clock.move(7 * 86_400 + 1)
    mailbox.gone = True
    away = await audit_checkpoints.mail(system)
    mailbox.gone = False

    assert (away, await audit_checkpoints.mail(system)) == (0, 1)


async def test_without_a_mail_server_nothing_leaves_and_nothing_is_claimed(
    town: Town, services: Services, clock: MovableClock
) -> None:
    owner = await busy(town, 1)
    await verified(town, owner)
    clock.move(8 * 86_400)

    assert await audit_checkpoints.mail(services.system("a test")) == 0
    assert not (await verified(town, owner)).anchored


# --- whose -------------------------------------------------------------------------------------------------------


async def test_nobody_verifies_another_tenants_log(town: Town) -> None:
    owner, stranger = await busy(town, 1), await town.person()

    with pytest.raises(NotFound):
        await verify(town.work(stranger), owner.organization.id)


async def test_the_command_line_walks_every_chain_and_names_what_does_not_fit(town: Town, services: Services) -> None:
    owners = [await busy(town, 1) for _ in range(3)]
    for owner in owners:
        await verified(town, owner)
    await delete_all_and_the_head(Intruder(services, owners[1].organization.id))

    found = {each.chain: each async for each in audit_verify.every(services.system("a test"), "", None)}

    assert set(found) == {"installation", *(owner.organization.id for owner in owners)}
    assert found["installation"].fault is None
    assert [chain for chain, each in found.items() if not each.fits] == [owners[1].organization.id]
    assert "does not fit" in audit_verify.told(found[owners[1].organization.id])


async def test_a_head_is_known_by_its_document(services: Services, town: Town) -> None:
    owner = await busy(town, 1)
    head = await stands(town, owner)
    (document,) = await kept(services.engine, "audit_heads", _id=owner.organization.id)

    assert head_of(document) == head
