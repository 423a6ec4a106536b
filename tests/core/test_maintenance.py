"""Maintenance windows by the clock: begun and ended once, told to whoever had confirmed by then, cancelled for good."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from datetime import timedelta

import pytest

from pulse_dash.core import incidents, mails, maintenance, status_notices, status_subscriptions
from pulse_dash.core.access import Anonymous, UserActor
from pulse_dash.core.errors import Unavailable
from pulse_dash.core.incidents import Incident
from pulse_dash.core.work import Work
from pulse_dash.services import Services
from tests.doubles import BreakableEngine, Mailbox, MovableClock, kept
from tests.people import Town

ADDRESS = "ada@example.com"
HOUR = timedelta(hours=1)
BEGINS, ENDS = "In progress: New disks", "Completed: New disks"


@pytest.fixture
async def mailing(mailing: Services, mailbox: Mailbox) -> Services:
    """A house that mails, with an operator and one subscriber."""
    await Town(mailing).person("Olga")
    await subscribe(mailing, mailbox, ADDRESS)
    return mailing


async def passing(services: Services) -> None:
    """What the jobs of a node do every two seconds."""
    work = services.system("a test")
    await maintenance.turn(work)
    await status_notices.spread(work)
    await mails.hand_over(work)


async def subscribe(services: Services, mailbox: Mailbox, address: str) -> None:
    await status_subscriptions.by_mail(services.as_(Anonymous()), address)
    await passing(services)
    await status_subscriptions.confirm(services.as_(Anonymous()), mailbox.token_to(address))
    mailbox.mails.clear()


async def operator(services: Services) -> Work:
    (user,) = await kept(services.engine, "users")
    return services.as_(UserActor(user["_id"], "Olga", user["email"], "", operator=True))


async def planned(services: Services, mailbox: Mailbox, *, begins_in: timedelta = HOUR) -> Incident:
    """A window of an hour, whose planning was told."""
    begins = services.parts.clock.now() + begins_in
    window = await incidents.declare(
        await operator(services),
        title="New disks",
        body="Joins fail for a minute.",
        kind="maintenance",
        components=["livekit"],
        starts_at=begins,
        ends_at=begins + HOUR,
    )
    await passing(services)
    mailbox.mails.clear()
    return window


def subjects(mailbox: Mailbox) -> list[str]:
    return [mail.subject for mail in mailbox.mails]


async def states(services: Services) -> list[str]:
    (window,) = await services.system("a test").store.incidents.newest(1)
    return [update.status for update in window.updates]


async def test_its_beginning_and_its_end_are_told_when_they_come(
    mailing: Services, mailbox: Mailbox, clock: MovableClock
) -> None:
    await planned(mailing, mailbox)
    clock.move(3_599)
    await passing(mailing)
    early = subjects(mailbox)
    for seconds in (1, 60, 3_540, 60):
        clock.move(seconds)
        await passing(mailing)

    assert early == []
    assert subjects(mailbox) == [BEGINS, ENDS]
    assert await states(mailing) == ["scheduled", "in_progress", "completed"]
    (window,) = incidents.listing(mailing.system("a test"))
    assert window.resolved_at == window.ends_at


async def test_webhooks_get_the_same_under_names_of_their_own(
    mailing: Services, mailbox: Mailbox, clock: MovableClock
) -> None:
    await planned(mailing, mailbox)
    for _ in range(2):
        clock.move(3_600)
        await passing(mailing)

    (window,) = await mailing.system("a test").store.incidents.newest(1)
    names = [status_notices.event_of(window, number) for number in range(len(window.updates))]
    assert names == ["maintenance.scheduled", "maintenance.started", "maintenance.completed"]


async def test_who_confirms_meanwhile_is_told_of_what_comes_after(
    mailing: Services, mailbox: Mailbox, clock: MovableClock
) -> None:
    await planned(mailing, mailbox)
    clock.move(3_600)
    await passing(mailing)
    clock.move(60)
    await subscribe(mailing, mailbox, "bob@example.com")
    clock.move(3_540)
    await passing(mailing)

    assert sorted((mail.to, mail.subject) for mail in mailbox.mails) == [(ADDRESS, ENDS), ("bob@example.com", ENDS)]


async def test_two_nodes_tell_each_turn_once(mailing: Services, mailbox: Mailbox, clock: MovableClock) -> None:
    await planned(mailing, mailbox)
    for _ in range(2):
        clock.move(3_600)
        await asyncio.gather(*(passing(mailing) for _ in range(2)))
        await passing(mailing)

    assert subjects(mailbox) == [BEGINS, ENDS]
    assert await states(mailing) == ["scheduled", "in_progress", "completed"]


async def test_a_crash_after_any_operation_neither_loses_a_turn_nor_tells_it_twice(
    mailing: Services, mailbox: Mailbox, clock: MovableClock, engine: BreakableEngine
) -> None:
    await planned(mailing, mailbox)
    for most in (range(20), range(20)):
        clock.move(3_600)
        for operations in most:
            engine.gone_after = operations
            with suppress(Unavailable):
                await passing(mailing)
            engine.gone_after, engine.gone = None, False
            # A mail that was claimed by the node that died is handed over when its lease is over.
            clock.move(121 / 20)
        clock.move(-121)
        await passing(mailing)

    clock.move(600)
    await passing(mailing)
    # A mail may arrive a second time, when the node dies between the mail server and the store; never a word.
    assert list(dict.fromkeys(subjects(mailbox))) == [BEGINS, ENDS]
    assert await states(mailing) == ["scheduled", "in_progress", "completed"]
    assert len([each for each in await kept(mailing.engine, "mails") if "_inc_" in each["_id"]]) == 3


@pytest.mark.parametrize("after", [0, 3_600], ids=["before it begins", "while it lasts"])
async def test_one_that_is_cancelled_is_told_of_no_more(
    mailing: Services, mailbox: Mailbox, clock: MovableClock, after: float
) -> None:
    window = await planned(mailing, mailbox)
    clock.move(after)
    await passing(mailing)
    mailbox.mails.clear()
    await incidents.update(await operator(mailing), window.id, status="completed", body="Not today.")
    for _ in range(3):
        clock.move(3_600)
        await passing(mailing)

    assert subjects(mailbox) == [ENDS]


async def test_one_that_is_begun_by_hand_only_ends_by_the_clock(
    mailing: Services, mailbox: Mailbox, clock: MovableClock
) -> None:
    window = await planned(mailing, mailbox)
    begun = await incidents.update(await operator(mailing), window.id, status="in_progress", body="We begin early.")
    for _ in range(3):
        await passing(mailing)
        clock.move(3_600)

    assert begun.covers("livekit", begun.updated_at)
    assert subjects(mailbox) == [BEGINS, ENDS]


async def test_one_that_begins_at_once_is_not_told_twice_and_one_that_passed_unseen_is_over(
    mailing: Services, mailbox: Mailbox, clock: MovableClock
) -> None:
    await planned(mailing, mailbox, begins_in=timedelta(0))
    await passing(mailing)
    at_once = subjects(mailbox)
    await planned(mailing, mailbox)
    clock.move(3 * 3_600)
    await passing(mailing)

    assert at_once == []
    assert subjects(mailbox) == [ENDS, ENDS]


async def test_what_turns_by_the_clock_stands_in_the_log_as_its_own_doing(
    mailing: Services, mailbox: Mailbox, clock: MovableClock
) -> None:
    window = await planned(mailing, mailbox)
    clock.move(3_600)
    await passing(mailing)
    await mailing.parts.store.drain()

    entries = await kept(mailing.engine, "audit_log", action="incident.updated")
    (entry,) = [each for each in entries if each["resource"]["id"] == window.id]
    assert (entry["actor"]["type"], entry["org_id"]) == ("system", None)
