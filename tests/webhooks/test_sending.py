"""What webhooks are told of rooms: signed, at least once, tried again by rule, and nobody held up by another."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import timedelta

import orjson
import pytest

from pulse_dash.adapters.outbound import OutboundClient
from pulse_dash.core import media_events, organizations, project_webhooks, projects, webhook_deliveries
from pulse_dash.core.media import MediaEvent
from pulse_dash.core.outbound import Allowed, Purpose
from pulse_dash.core.project_webhooks import OVERLAP
from pulse_dash.core.webhook_deliveries import StillWaiting, SwitchedOff
from tests.doubles import MovableClock, kept
from tests.people import House, Person, Town
from tests.receiver import Receiver, signed
from tests.webhooks.scene import happens, sent, states, told


async def test_what_happens_in_a_room_is_told_in_the_projects_own_names(
    town: Town, house: House, receiver: Receiver
) -> None:
    await told(town, house, receiver.url)

    await happens(town, house)
    await sent(town)

    (body,) = receiver.bodies
    assert body["type"] == "participant_joined"
    assert body["project_id"] == house.id
    assert body["data"] == {
        "room": {"name": "lobby", "sid": "RM_1"},
        "participant": {"identity": "ada", "sid": "PA_1", "name": "Ada"},
    }


@pytest.mark.parametrize(
    ("livekits", "ours"), [("room_started", "room_started"), ("room_finished", "room_ended"), ("track_published", None)]
)
async def test_each_event_has_our_name_and_what_is_no_event_of_ours_is_not_told(
    town: Town, house: House, receiver: Receiver, livekits: str, ours: str | None
) -> None:
    await told(town, house, receiver.url)

    await happens(town, house, livekits)
    await sent(town)

    assert [body["type"] for body in receiver.bodies] == ([ours] if ours else [])


async def test_every_message_is_signed_as_standard_webhooks_says(town: Town, house: House, receiver: Receiver) -> None:
    made = await told(town, house, receiver.url)

    await happens(town, house)
    await sent(town)

    ((headers, body),) = receiver.came
    assert headers["webhook-signature"] == signed(made.secret.reveal(), headers, body)
    assert headers["webhook-id"] == orjson.loads(body)["id"]


async def test_an_event_that_livekit_repeats_is_told_once(town: Town, house: House, receiver: Receiver) -> None:
    await told(town, house, receiver.url)

    for _ in range(3):
        await happens(town, house)
        await sent(town)

    assert len(receiver.came) == 1


async def test_an_event_is_told_although_the_node_died_before_it_kept_it(
    town: Town, house: House, receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    await told(town, house, receiver.url)

    async def dies(*_: object) -> bool:
        raise asyncio.CancelledError

    monkeypatch.setattr("pulse_dash.store.media_events.MediaEvents.keep", dies)
    with pytest.raises(asyncio.CancelledError):
        await happens(town, house)
    monkeypatch.undo()
    await happens(town, house)
    await sent(town)

    assert len(receiver.came) == 1


async def test_only_chosen_events_are_told_and_nothing_while_it_is_switched_off(
    town: Town, house: House, receiver: Receiver
) -> None:
    made = await told(town, house, receiver.url, events=["room_ended"])
    await happens(town, house, "room_started", 1)
    await happens(town, house, "room_finished", 2)
    await project_webhooks.change(await town.by_key(house), house.id, made.webhook.id, enabled=False)
    await happens(town, house, "room_finished", 3)
    await project_webhooks.change(await town.by_key(house), house.id, made.webhook.id, enabled=True)
    await sent(town)

    assert [body["id"] for body in receiver.bodies] == [receiver.bodies[0]["id"]]
    assert receiver.bodies[0]["type"] == "room_ended"


async def test_what_is_not_taken_is_tried_again_after_the_pauses_and_then_dead(
    town: Town, house: House, receiver: Receiver, clock: MovableClock
) -> None:
    await told(town, house, receiver.url)
    receiver.answer = 500
    await happens(town, house)

    await sent(town)
    seen: list[tuple[int, int]] = []
    for pause in (300, 600, 1800, 86_400):
        clock.move(pause - 1)
        await sent(town)
        before = len(receiver.came)
        clock.move(1)
        await sent(town)
        seen.append((before, len(receiver.came)))

    assert seen == [(1, 2), (2, 3), (3, 4), (4, 4)]
    assert await states(town, house) == [("dead", 4)]
    assert len({headers["webhook-id"] for headers, _ in receiver.came}) == 1


async def test_what_is_dead_arrives_when_it_is_replayed_or_recovered(
    town: Town, owner: Person, house: House, receiver: Receiver, clock: MovableClock
) -> None:
    made, work = await told(town, house, receiver.url), town.work(owner)
    receiver.answer = 500
    for number in range(3):
        await happens(town, house, number=number)
    for _ in range(4):
        await sent(town)
        await sent(town)
        await sent(town)
        clock.move(1800)
    assert await states(town, house) == [("dead", 4)] * 3
    receiver.answer = 204
    receiver.came.clear()
    first = (await webhook_deliveries.listing(work, house.id)).items[-1]

    await webhook_deliveries.replay(work, house.id, first.id)
    with pytest.raises(StillWaiting):
        await webhook_deliveries.replay(work, house.id, first.id)
    await sent(town)
    assert await webhook_deliveries.recover(work, house.id, made.webhook.id) == 2
    await sent(town)

    assert await states(town, house) == [("delivered", 1)] * 3
    assert receiver.bodies[0]["id"] == first.event_id


async def test_a_webhook_that_hangs_holds_up_no_other(town: Town, house: House, receiver: Receiver) -> None:
    over = asyncio.Event()

    async def hang(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await over.wait()
        writer.close()

    hanging = await asyncio.start_server(hang, "127.0.0.1", 0)
    port = hanging.sockets[0].getsockname()[1]
    allowed = frozenset(Allowed(Purpose.WEBHOOK, "127.0.0.1", each) for each in (port, receiver.port))
    town = Town(replace(town.services, parts=replace(town.services.parts, outbound=OutboundClient(allowed))))
    await told(town, house, f"http://127.0.0.1:{port}/")
    await told(town, house, receiver.url)
    for number in range(3):
        await happens(town, house, number=number)

    await town.services.webhooks.begin(town.services.system("a test"))
    while len(receiver.came) < 3:
        await asyncio.sleep(0.01)

    over.set()
    await town.services.webhooks.end()
    hanging.close()
    await hanging.wait_closed()


async def test_what_was_cut_in_two_is_sent_again_when_its_lease_is_over(
    town: Town, house: House, receiver: Receiver, clock: MovableClock
) -> None:
    made = await told(town, house, receiver.url)
    await happens(town, house)
    store, now = town.services.system("another node").store, clock.now()
    lease = now + timedelta(seconds=60)
    await store.webhooks.take(now, until=lease, without=(), full=())
    await store.webhook_deliveries.claim(made.webhook.id, now, until=lease)
    await sent(town)
    assert receiver.came == []

    clock.move(60)
    await sent(town)

    assert len(receiver.came) == 1


async def test_what_somebody_kept_and_died_before_it_was_sent_is_found(
    town: Town, house: House, receiver: Receiver, clock: MovableClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    await told(town, house, receiver.url)
    await sent(town)

    async def dies(*_: object) -> None:
        raise asyncio.CancelledError

    monkeypatch.setattr("pulse_dash.store.webhooks.Webhooks.wake", dies)
    with pytest.raises(asyncio.CancelledError):
        await happens(town, house)
    monkeypatch.undo()
    await sent(town)
    assert receiver.came == []

    clock.move(3600)
    await sent(town)

    assert len(receiver.came) == 1


async def test_what_comes_while_the_last_is_sent_is_not_forgotten(town: Town, house: House, receiver: Receiver) -> None:
    """Whoever sends has looked for more already, and has not said yet that there is none."""
    await told(town, house, receiver.url)
    await happens(town, house, number=1)
    store, now = town.services.system("a test").store, town.services.parts.clock.now()
    woken = await store.webhooks.take(now, until=now + timedelta(seconds=60), without=(), full=())
    assert woken is not None
    await happens(town, house, number=2)
    await store.webhooks.rest(woken, now + timedelta(hours=1), turn=now)

    await sent(town)

    assert len(receiver.came) == 2


async def test_one_that_hangs_goes_to_the_end_of_the_line_although_more_comes_for_it(
    town: Town, house: House, receiver: Receiver, clock: MovableClock
) -> None:
    await told(town, house, receiver.url)
    await happens(town, house, number=1)
    store, now = town.services.system("a test").store, clock.now()
    lease, turn = now + timedelta(seconds=60), now + timedelta(seconds=5)
    woken = await store.webhooks.take(now, until=lease, without=(), full=())
    assert woken is not None
    await happens(town, house, number=2)
    await store.webhooks.rest(woken, now + timedelta(hours=1), turn=turn)

    assert await store.webhooks.take(now, until=lease, without=(), full=()) is None
    assert await store.webhooks.take(turn, until=lease, without=(), full=()) is not None


async def test_for_a_day_the_secret_before_signs_beside_the_new_one(
    town: Town, house: House, receiver: Receiver, clock: MovableClock
) -> None:
    old = await told(town, house, receiver.url)
    new = await project_webhooks.rotate_secret(await town.by_key(house), house.id, old.webhook.id)

    await happens(town, house, number=1)
    await sent(town)
    clock.move(OVERLAP.total_seconds())
    await happens(town, house, number=2)
    await sent(town)

    (first, first_body), (second, second_body) = receiver.came
    secrets = [new.secret.reveal(), old.secret.reveal()]
    assert first["webhook-signature"] == " ".join(signed(each, first, first_body) for each in secrets)
    assert second["webhook-signature"] == signed(secrets[0], second, second_body)


async def test_headers_of_the_projects_own_are_sent_and_kept_sealed(
    town: Town, house: House, receiver: Receiver
) -> None:
    await told(town, house, receiver.url, headers={"Authorization": "Bearer of-somebody"})

    await happens(town, house)
    await sent(town)

    assert receiver.came[0][0]["authorization"] == "Bearer of-somebody"
    assert b"of-somebody" not in repr(await kept(town.services.engine, "webhooks")).encode()


async def test_a_test_sends_a_sample_and_its_delivery_tells_what_became_of_it(
    town: Town, house: House, receiver: Receiver
) -> None:
    made, by_key = await told(town, house, receiver.url), await town.by_key(house)
    receiver.answer = 418

    delivery_id = await webhook_deliveries.test(by_key, house.id, made.webhook.id, event="participant_left")
    await sent(town)

    delivery = await webhook_deliveries.read(by_key, house.id, delivery_id)
    assert (delivery.state, delivery.status, delivery.failure) == ("waiting", 418, "answered 418")
    assert receiver.bodies[0]["data"]["participant"]["identity"] == "ada"


async def test_who_removes_a_webhook_a_project_or_an_organization_ends_what_waits(
    town: Town, owner: Person, receiver: Receiver
) -> None:
    work = town.work(owner)
    for end in ("webhook", "project", "organization"):
        house = await town.project(owner)
        made = await told(town, house, receiver.url)
        await happens(town, house)
        match end:
            case "webhook":
                await project_webhooks.remove(work, house.id, made.webhook.id)
            case "project":
                await projects.delete(work, house.id)
            case _:
                await organizations.delete(work, owner.organization.id)
        await happens(town, house, number=2)
        await sent(town)

    assert receiver.came == []


async def test_what_cannot_be_sent_for_a_fault_of_ours_is_tried_and_given_up_as_any_other(
    town: Town, house: House, receiver: Receiver, clock: MovableClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    await told(town, house, receiver.url)
    await happens(town, house)

    def breaks(*_: object) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr(project_webhooks, "headers_of", breaks)
    for pause in (0, 300, 600, 1800):
        clock.move(pause)
        await sent(town)

    assert await states(town, house) == [("dead", 4)]


async def test_headers_for_one_host_are_not_sent_to_another(town: Town, house: House, receiver: Receiver) -> None:
    made = await told(town, house, "https://hooks.invalid/a", headers={"X-Token": "of-somebody"})
    await project_webhooks.change(await town.by_key(house), house.id, made.webhook.id, url=receiver.url)

    await happens(town, house)
    await sent(town)

    assert "x-token" not in receiver.came[0][0]
    (entry,) = await kept(town.services.engine, "audit_log", action="webhook.updated")
    assert entry["changes"]["headers"] == {"before": None, "after": []}


async def test_what_a_tenants_own_server_calls_somebody_is_cut(town: Town, house: House, receiver: Receiver) -> None:
    await told(town, house, receiver.url)
    room = {"name": f"{house.id}.lobby", "sid": "RM_1"}
    body = {"event": "participant_joined", "room": room, "participant": {"identity": "a" * 1_000_000, "sid": [1]}}
    system = town.services.system("a test's LiveKit")
    event = MediaEvent("EV_1", "participant_joined", room["name"], system.clock.now(), orjson.dumps(body).decode())
    await media_events.keep(system, event)
    await sent(town)

    assert len(receiver.came[0][1]) < 2_000


async def test_who_says_that_it_goes_on_without_end_is_not_listened_to(
    town: Town, house: House, receiver: Receiver
) -> None:
    receiver.before = b"HTTP/1.1 103 Early Hints\r\n\r\n" * 10_000
    await told(town, house, receiver.url)
    await happens(town, house)
    await sent(town)

    ((state, attempts),) = await states(town, house)
    assert (state, attempts) == ("waiting", 1)


async def test_one_that_is_switched_off_is_neither_tried_nor_replayed(
    town: Town, house: House, receiver: Receiver
) -> None:
    made, by_key = await told(town, house, receiver.url), await town.by_key(house)
    delivery_id = await webhook_deliveries.test(by_key, house.id, made.webhook.id, event="room_ended")
    await sent(town)
    await project_webhooks.change(by_key, house.id, made.webhook.id, enabled=False)

    for asked in (
        lambda: webhook_deliveries.test(by_key, house.id, made.webhook.id, event="room_ended"),
        lambda: webhook_deliveries.replay(by_key, house.id, delivery_id),
        lambda: webhook_deliveries.recover(by_key, house.id, made.webhook.id),
    ):
        with pytest.raises(SwitchedOff):
            await asked()
