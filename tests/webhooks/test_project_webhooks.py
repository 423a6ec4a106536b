"""A project's webhooks: named, bounded, with secrets that are shown once, and nobody else's."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Any

import pytest

from pulse_dash.core import project_webhooks, projects, webhook_deliveries
from pulse_dash.core.access import Role
from pulse_dash.core.errors import Forbidden, Invalid, NotFound, PreconditionFailed
from pulse_dash.core.project_webhooks import MOST, ShownWebhook, TooManyWebhooks
from tests.doubles import kept
from tests.people import House, Person, Town
from tests.receiver import Receiver
from tests.webhooks.scene import happens, told

WRONG: Mapping[str, dict[str, Any]] = {
    "plain": {"url": "http://example.com/hooks"},
    "no host that can be written": {"url": "https://xn--a/hooks"},
    "long as it is sent": {"url": "https://example.com/" + "é" * 400},
    "one header twice": {"url": "https://example.com", "headers": {"X-A": "1", "x-a": "2"}},
    "inside": {"url": "https://127.0.0.1/hooks"},
    "metadata": {"url": "https://169.254.169.254/latest"},
    "with a password": {"url": "https://ada:secret@example.com"},
    "an unknown event": {"url": "https://example.com", "events": ["room_burned"]},
    "no event": {"url": "https://example.com", "events": []},
    "a long description": {"url": "https://example.com", "description": "a" * 257},
    "our header": {"url": "https://example.com", "headers": {"Webhook-Id": "x"}},
    "a header of the connection": {"url": "https://example.com", "headers": {"Content-Length": "1"}},
    "a header with a blank before": {"url": "https://example.com", "headers": {"X": " a"}},
    "a header without a value": {"url": "https://example.com", "headers": {"X": ""}},
    "a header with a line": {"url": "https://example.com", "headers": {"X": "a\r\nb: c"}},
    "a header's name with a line": {"url": "https://example.com", "headers": {"X\r\nY": "a"}},
}


@pytest.mark.parametrize("given", WRONG.values(), ids=WRONG)
async def test_what_cannot_be_taken_is_refused_and_nothing_is_kept(
    town: Town, house: House, given: dict[str, Any]
) -> None:
    with pytest.raises(Invalid):
        await told(town, house, **given)

    assert await kept(town.services.engine, "webhooks") == []


async def test_a_project_has_ten_webhooks_at_most(town: Town, house: House, receiver: Receiver) -> None:
    for _ in range(MOST):
        await told(town, house, receiver.url)

    with pytest.raises(TooManyWebhooks):
        await told(town, house, receiver.url)


async def test_one_project_reaches_nothing_of_anothers_webhooks(town: Town, owner: Person, receiver: Receiver) -> None:
    mine, theirs = await town.project(owner), await town.house()
    made = await told(town, theirs, receiver.url)
    await happens(town, theirs)
    delivery = (await webhook_deliveries.listing(await town.by_key(theirs), theirs.id)).items[0]
    work = await town.by_key(mine)

    for asked in (
        lambda: project_webhooks.listing(work, theirs.id),
        lambda: project_webhooks.read(work, mine.id, made.webhook.id),
        lambda: project_webhooks.rotate_secret(work, theirs.id, made.webhook.id),
        lambda: webhook_deliveries.read(work, mine.id, delivery.id),
        lambda: webhook_deliveries.replay(work, mine.id, delivery.id),
        lambda: webhook_deliveries.recover(work, mine.id, made.webhook.id),
    ):
        with pytest.raises(NotFound):
            await asked()


async def test_a_second_project_of_the_same_owner_does_not_answer_for_the_first(
    town: Town, owner: Person, receiver: Receiver
) -> None:
    one, other = await town.project(owner), await town.project(owner)
    made = await told(town, one, receiver.url)

    with pytest.raises(NotFound):
        await project_webhooks.change(town.work(owner), other.id, made.webhook.id, enabled=False)


async def test_a_developer_neither_sees_nor_makes_webhooks(
    town: Town, owner: Person, house: House, receiver: Receiver
) -> None:
    developer = town.work(await town.member(owner.organization, Role.DEVELOPER))

    with pytest.raises(Forbidden) as refused:
        await project_webhooks.listing(developer, house.id)
    assert refused.value.permission == "webhooks.change"
    with pytest.raises(Forbidden):
        await projects.create(developer, org_id=owner.organization.id, name="Mine", webhook_url=receiver.url)


async def test_a_project_may_be_made_with_a_webhook_of_all_events(
    town: Town, owner: Person, receiver: Receiver
) -> None:
    made = await projects.create(town.work(owner), org_id=owner.organization.id, name="Told", webhook_url=receiver.url)

    assert made.webhook is not None
    found = await project_webhooks.read(town.work(owner), made.project.id, made.webhook.id)
    assert (found.url, found.events, found.enabled) == (receiver.url, None, True)
    assert made.webhook.secret.reveal().startswith("whsec_")


async def test_ten_is_held_also_by_who_asks_at_once(town: Town, house: House, receiver: Receiver) -> None:
    asked = [told(town, house, receiver.url) for _ in range(2 * MOST)]

    made = [each for each in await asyncio.gather(*asked, return_exceptions=True) if isinstance(each, ShownWebhook)]

    assert len(made) == MOST
    assert (await project_webhooks.listing(await town.by_key(house), house.id)).total == MOST


async def test_a_place_is_free_again_when_its_webhook_is_removed(town: Town, house: House, receiver: Receiver) -> None:
    made = [await told(town, house, receiver.url) for _ in range(MOST)]
    await project_webhooks.remove(await town.by_key(house), house.id, made[3].webhook.id)

    assert (await told(town, house, receiver.url)).webhook.enabled


async def test_a_webhook_that_was_removed_keeps_no_secret(town: Town, house: House, receiver: Receiver) -> None:
    made, by_key = await told(town, house, receiver.url, headers={"X-Token": "of-somebody"}), await town.by_key(house)
    await project_webhooks.rotate_secret(by_key, house.id, made.webhook.id)
    await project_webhooks.remove(by_key, house.id, made.webhook.id)

    (left,) = await kept(town.services.engine, "webhooks")
    assert left["sealed_secret"] == b""
    assert not {"old_sealed_secret", "sealed_headers"} & left.keys()


async def test_the_log_tells_where_a_webhook_leads_and_not_the_rest_of_its_address(
    town: Town, house: House, receiver: Receiver
) -> None:
    made = await told(town, house, f"{receiver.url}&token=of-somebody")
    by_key = await town.by_key(house)
    await project_webhooks.change(by_key, house.id, made.webhook.id, url=f"{receiver.url}&token=of-another")

    log = repr(await kept(town.services.engine, "audit_log"))
    assert f"http://127.0.0.1:{receiver.port}" in log
    assert "token=" not in log


async def test_every_change_stands_in_the_audit_log_and_no_secret_does(
    town: Town, house: House, receiver: Receiver
) -> None:
    by_key = await town.by_key(house)
    made = await told(town, house, receiver.url)
    await project_webhooks.change(
        by_key, house.id, made.webhook.id, events=["room_ended"], headers={"X-Token": "of-somebody"}
    )
    rotated = await project_webhooks.rotate_secret(by_key, house.id, made.webhook.id)
    await project_webhooks.remove(by_key, house.id, made.webhook.id)

    entries = [each for each in await kept(town.services.engine, "audit_log") if each["action"].startswith("webhook.")]
    assert [each["action"] for each in entries] == [
        f"webhook.{verb}" for verb in ("created", "updated", "updated", "deleted")
    ]
    for secret in (made.secret.reveal(), rotated.secret.reveal(), "of-somebody"):
        assert secret not in repr(entries)


async def test_who_read_an_older_version_changes_nothing(town: Town, house: House, receiver: Receiver) -> None:
    made, by_key = await told(town, house, receiver.url), await town.by_key(house)
    await project_webhooks.change(by_key, house.id, made.webhook.id, description="newer", version=1)

    with pytest.raises(PreconditionFailed):
        await project_webhooks.change(by_key, house.id, made.webhook.id, description="older", version=1)


async def test_deliveries_are_read_a_cursor_after_another(town: Town, house: House, receiver: Receiver) -> None:
    made, by_key = await told(town, house, receiver.url), await town.by_key(house)
    ids = [await webhook_deliveries.test(by_key, house.id, made.webhook.id, event="room_ended") for _ in range(5)]
    seen: list[str] = []
    cursor: str | None = ""
    while cursor is not None:
        found = await webhook_deliveries.listing(by_key, house.id, webhook_id=made.webhook.id, cursor=cursor, limit=2)
        seen, cursor = [*seen, *(each.id for each in found.items)], found.next_cursor

    assert seen == ids[::-1]
    with pytest.raises(Invalid):
        await webhook_deliveries.listing(by_key, house.id, cursor="nonsense")
