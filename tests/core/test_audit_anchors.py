"""Checkpoints that leave by themselves: to a real receiver and into a real bucket, again until they arrive."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta
from typing import Any

import boto3
import pytest
from moto.server import ThreadedMotoServer

from pulse_dash.adapters.outbound import OutboundClient
from pulse_dash.adapters.s3 import S3Bucket
from pulse_dash.core import audit_anchors, organizations, projects
from pulse_dash.core.access import Role
from pulse_dash.core.audit_anchors import EVERY, PAUSES, change, read
from pulse_dash.core.audit_verify import verify
from pulse_dash.core.connections import GivenStorage
from pulse_dash.core.errors import Forbidden, Invalid
from pulse_dash.core.outbound import Allowed, Purpose
from pulse_dash.core.secret import Secret
from pulse_dash.services import Services
from pulse_dash.store.audit_chain import CHECKPOINT_EVERY
from tests.doubles import MovableClock, kept
from tests.people import Person, Town
from tests.receiver import Receiver, receiving, signed

KEYS: dict[str, Any] = {"access_key_id": "AKIAEXAMPLE12345", "secret_access_key": Secret("storage-secret-abcdef")}


@pytest.fixture
async def receiver() -> AsyncIterator[Receiver]:
    async with receiving() as running:
        yield running


@pytest.fixture(scope="module")
def s3() -> Any:
    """An S3 of moto's on loopback, with a bucket."""
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    yield "http://{}:{}".format(*server.get_host_and_port())
    server.stop()


def objects(s3: str) -> Any:
    """What lies there, read as its owner reads it."""
    return boto3.client(  # pyright: ignore[reportUnknownMemberType]
        "s3", endpoint_url=s3, region_name="us-east-1", aws_access_key_id="x", aws_secret_access_key="y"
    )


@pytest.fixture
def house(services: Services, receiver: Receiver, s3: str) -> Services:
    """An installation whose tenants may name this receiver and this S3 although they are private."""
    ports = {Purpose.WEBHOOK: receiver.port, Purpose.STORAGE: int(s3.rpartition(":")[2])}
    outbound = OutboundClient(frozenset(Allowed(purpose, "127.0.0.1", port) for purpose, port in ports.items()))
    parts = replace(services.parts, outbound=outbound, connect_storage=lambda bucket: S3Bucket(bucket, outbound))
    return replace(services, parts=parts)


@pytest.fixture
async def owner(house: Services) -> Person:
    return await Town(house).person()


@pytest.fixture
async def with_bucket(house: Services, owner: Person, s3: str) -> str:
    """A project that stores in a bucket of its own there."""
    objects(s3).create_bucket(Bucket="logs")
    work = house.as_(owner.actor)
    project = await Town(house).project(owner)
    given = GivenStorage("s3", "logs", endpoint=s3, region="us-east-1", **KEYS)
    await projects.change(work, project.id, storage=given)
    return project.id


async def sent(house: Services) -> int:
    await house.parts.store.logged()
    return await audit_anchors.send(house.system("a test"))


async def renamed(house: Services, owner: Person, name: str) -> None:
    await organizations.change(house.as_(owner.actor), owner.organization.id, name=name)


async def test_a_checkpoint_is_posted_to_the_webhook_signed_and_verify_takes_it(
    house: Services, owner: Person, receiver: Receiver
) -> None:
    work, org_id = house.as_(owner.actor), owner.organization.id
    made = await change(work, org_id, webhook_url=receiver.url)
    assert made.secret is not None

    assert await sent(house) == 1

    ((headers, body),) = receiver.came
    said = json.loads(body)
    found = await verify(work, org_id, checkpoint=json.dumps(said["data"]["checkpoint"]))
    assert headers["webhook-signature"] == signed(made.secret.reveal(), headers, body)
    assert (said["type"], said["data"]["org_id"], said["id"]) == ("audit.checkpoint", org_id, headers["webhook-id"])
    assert found.fits
    assert found.compared
    assert found.head is not None
    assert (found.anchored, found.head.anchored_by) == (True, "webhook")


async def test_it_is_told_where_and_when_the_last_one_left(house: Services, owner: Person, receiver: Receiver) -> None:
    work, org_id = house.as_(owner.actor), owner.organization.id
    await change(work, org_id, webhook_url=receiver.url)
    await sent(house)

    shown = await read(work, org_id)

    assert shown.host == f"127.0.0.1:{receiver.port}"
    assert shown.anchors.arrived["webhook"].sequence == receiver.bodies[0]["data"]["checkpoint"]["sequence"]
    assert shown.anchors.failed == {}
    assert shown.secret is None


async def test_the_next_leaves_an_hour_later_and_only_where_there_is_something_new(
    house: Services, owner: Person, receiver: Receiver, clock: MovableClock
) -> None:
    await change(house.as_(owner.actor), owner.organization.id, webhook_url=receiver.url)
    first, at_once = await sent(house), await sent(house)
    clock.move(EVERY.total_seconds() + 1)
    nothing_new = await sent(house)
    await renamed(house, owner, "something new")
    clock.move(EVERY.total_seconds() + 1)

    assert (first, at_once, nothing_new, await sent(house)) == (1, 0, 0, 1)


async def test_many_entries_leave_at_once(house: Services, owner: Person, receiver: Receiver) -> None:
    org_id = owner.organization.id
    await change(house.as_(owner.actor), org_id, webhook_url=receiver.url)
    await sent(house)
    work = house.system("a test")
    entries = [
        work.entry("x.y", org_id=org_id, resource="x", resource_id="x", name="") for _ in range(CHECKPOINT_EVERY)
    ]

    await house.parts.store.chains.append(org_id, entries)

    assert await sent(house) == 1


async def test_what_does_not_arrive_is_told_and_tried_again_until_it_does(
    house: Services, owner: Person, receiver: Receiver, clock: MovableClock
) -> None:
    work, org_id = house.as_(owner.actor), owner.organization.id
    await change(work, org_id, webhook_url=receiver.url)
    receiver.answer = 500
    for pause in (*PAUSES, PAUSES[-1]):
        assert await sent(house) == 0
        assert await sent(house) == 0
        clock.move(pause.total_seconds() + 1)
    failed = (await read(work, org_id)).anchors.failed["webhook"]
    before = await verify(work, org_id)
    receiver.answer = 200

    assert (await sent(house), failed.times) == (1, len(PAUSES) + 1)
    assert "500" in failed.sentence
    assert not before.anchored
    assert (await read(work, org_id)).anchors.failed == {}


async def test_a_receiver_that_is_not_there_is_told_in_a_sentence(
    house: Services, owner: Person, receiver: Receiver
) -> None:
    async with receiving() as gone:
        port, url = gone.port, gone.url
    outbound = OutboundClient(frozenset({Allowed(Purpose.WEBHOOK, "127.0.0.1", port)}))
    house = replace(house, parts=replace(house.parts, outbound=outbound))
    work, org_id = house.as_(owner.actor), owner.organization.id
    await change(work, org_id, webhook_url=url)

    assert await sent(house) == 0
    assert "nobody listens" in (await read(work, org_id)).anchors.failed["webhook"].sentence


async def test_it_is_put_into_the_bucket_of_the_project(
    house: Services, owner: Person, with_bucket: str, s3: str
) -> None:
    work, org_id = house.as_(owner.actor), owner.organization.id
    await change(work, org_id, project_id=with_bucket)

    assert await sent(house) == 1

    (found,) = objects(s3).list_objects_v2(Bucket="logs", Prefix=f"audit-checkpoints/{org_id}/")["Contents"]
    line = objects(s3).get_object(Bucket="logs", Key=found["Key"])["Body"].read().decode()
    assert found["Key"] == f"audit-checkpoints/{org_id}/{json.loads(line)['sequence']}.json"
    assert (await verify(work, org_id, checkpoint=line)).compared


async def test_one_way_that_fails_does_not_keep_the_other(
    house: Services, owner: Person, receiver: Receiver, with_bucket: str
) -> None:
    work, org_id = house.as_(owner.actor), owner.organization.id
    await change(work, org_id, webhook_url=receiver.url, project_id=with_bucket)
    receiver.answer = 404

    assert await sent(house) == 1

    shown = await read(work, org_id)
    assert (set(shown.anchors.arrived), set(shown.anchors.failed)) == ({"bucket"}, {"webhook"})


async def test_a_project_that_lost_its_bucket_is_told_in_a_sentence(
    house: Services, owner: Person, with_bucket: str
) -> None:
    work, org_id = house.as_(owner.actor), owner.organization.id
    await change(work, org_id, project_id=with_bucket)
    await projects.change(work, with_bucket, storage=None)

    assert await sent(house) == 0
    assert "no bucket" in (await read(work, org_id)).anchors.failed["bucket"].sentence


@pytest.mark.parametrize(
    "url", ["http://example.com/", "https://10.0.0.1/", "https://ada:pw@example.com/", "x", "ftp://example.com", ""]
)
async def test_an_address_that_cannot_be_taken_is_refused_with_a_sentence(
    house: Services, owner: Person, url: str
) -> None:
    with pytest.raises(Invalid) as refused:
        await change(house.as_(owner.actor), owner.organization.id, webhook_url=url)

    (error,) = refused.value.errors
    assert (error.field, error.message[-1]) == ("webhook_url", ".")


async def test_a_bucket_is_a_projects_own_and_of_this_organization(house: Services, owner: Person) -> None:
    town = Town(house)
    without, elsewhere = await town.project(owner), await town.house()
    for project_id in (without.id, elsewhere.id, "prj_x"):
        with pytest.raises(Invalid):
            await change(house.as_(owner.actor), owner.organization.id, project_id=project_id)


async def test_the_change_stands_in_the_log_without_what_an_address_keeps_secret(
    house: Services, owner: Person, receiver: Receiver, with_bucket: str
) -> None:
    org_id = owner.organization.id
    await change(house.as_(owner.actor), org_id, webhook_url=receiver.url, project_id=with_bucket)
    await house.parts.store.logged()

    (entry,) = await kept(house.engine, "audit_log", action="audit.checkpoints_changed")

    assert entry["changes"]["webhook"]["after"] == f"127.0.0.1:{receiver.port}"
    assert entry["changes"]["bucket"]["after"].startswith("logs of ")
    assert "hooks" not in str(entry)


async def test_what_is_taken_away_gets_nothing_more(
    house: Services, owner: Person, receiver: Receiver, clock: MovableClock
) -> None:
    work, org_id = house.as_(owner.actor), owner.organization.id
    await change(work, org_id, webhook_url=receiver.url)
    await sent(house)
    await change(work, org_id, webhook_url=None)
    clock.move(timedelta(hours=2).total_seconds())

    assert await sent(house) == 0
    assert (await read(work, org_id)).anchors.targets == {}


async def test_a_deleted_organization_sends_nothing(house: Services, owner: Person, receiver: Receiver) -> None:
    work, org_id = house.as_(owner.actor), owner.organization.id
    await change(work, org_id, webhook_url=receiver.url)
    await organizations.delete(work, org_id)

    assert await sent(house) == 0
    assert receiver.came == []


async def test_only_owners_say_where_they_go(house: Services, owner: Person, receiver: Receiver) -> None:
    admin = await Town(house).member(owner.organization, Role.ADMIN)

    with pytest.raises(Forbidden):
        await change(house.as_(admin.actor), owner.organization.id, webhook_url=receiver.url)
