"""A project's own LiveKit and bucket: taken when they can be, encrypted, never sent back, and tried for real."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace
from typing import Any

import botocore.exceptions
import pytest
from botocore.exceptions import BotoCoreError, ClientError
from moto.server import ThreadedMotoServer
from pydantic import SecretStr

from pulse_dash.core import connections, projects
from pulse_dash.core.connections import GivenLiveKit, GivenStorage, LiveKitTaken
from pulse_dash.core.errors import Invalid, NotFound
from pulse_dash.core.outbound import Allowed, Purpose
from pulse_dash.core.secret import Secret
from pulse_dash.services import Services
from pulse_dash.settings import Settings
from tests.people import House, Person, Town

SECRET = "a-livekit-secret-of-a-tenant-9876"
OWN = GivenLiveKit("wss://media.example.com/", "APItenant1234", Secret(SECRET))
BUCKET = GivenStorage("s3", "recordings", "AKIAEXAMPLE12345", Secret("storage-secret-abcdef"), region="eu-west-1")


@pytest.fixture(scope="module")
def s3() -> Any:
    """An S3 of moto's on loopback."""
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    yield "http://{}:{}".format(*server.get_host_and_port())
    server.stop()


@pytest.fixture
def settings(settings: Settings, s3: str) -> Settings:
    """An installation whose tenants may name that S3, and a bucket of its own there."""
    port = int(s3.rpartition(":")[2])
    return settings.model_copy(
        update={
            "outbound_allow": (Allowed(Purpose.STORAGE, "127.0.0.1", port),),
            "r2_bucket_name": "installation",
            "r2_endpoint": s3,
            "r2_access_key_id": "AKIAINSTALLATION",
            "r2_secret_access_key": SecretStr("the installation's own"),
        }
    )


@pytest.fixture
async def owner(town: Town) -> AsyncIterator[Person]:
    """Somebody with an organization."""
    return await town.person()


async def given(town: Town, owner: Person, **what: Any) -> House:
    """A project that was given these."""
    house = await town.project(owner)
    await projects.change(town.work(owner), house.id, **what)
    return house


async def fields_refused(town: Town, owner: Person, **what: Any) -> list[str]:
    house = await town.project(owner)
    with pytest.raises(Invalid) as refused:
        await projects.change(town.work(owner), house.id, **what)
    assert all(wrong.message.endswith(".") for wrong in refused.value.errors)
    return [wrong.field for wrong in refused.value.errors]


# --- what is taken ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("changed", "field"),
    [
        ({"url": "media.example.com"}, "livekit.url"),
        ({"url": "ftp://media.example.com"}, "livekit.url"),
        ({"url": "wss://media.example.com?x=1"}, "livekit.url"),
        ({"url": "wss://user:pw@media.example.com"}, "livekit.url"),
        ({"url": "ws://127.0.0.1:7880"}, "livekit.url"),
        ({"url": "ws://169.254.169.254"}, "livekit.url"),
        ({"url": "wss://[::ffff:10.0.0.1]"}, "livekit.url"),
        ({"api_key": ""}, "livekit.api_key"),
        ({"api_key": "a b"}, "livekit.api_key"),
        ({"api_secret": Secret("")}, "livekit.api_secret"),
        ({"api_secret": Secret("schlüssel")}, "livekit.api_secret"),
    ],
)
async def test_a_livekit_that_can_not_be_is_refused_by_field(
    town: Town, owner: Person, changed: dict[str, Any], field: str
) -> None:
    assert await fields_refused(town, owner, livekit=replace(OWN, **changed)) == [field]


@pytest.mark.parametrize(
    ("changed", "field"),
    [
        ({"provider": "gcs"}, "storage.provider"),
        ({"bucket": "X"}, "storage.bucket"),
        ({"bucket": "../../etc"}, "storage.bucket"),
        ({"region": "mars/../x"}, "storage.region"),
        ({"access_key_id": ""}, "storage.access_key_id"),
        ({"secret_access_key": Secret("")}, "storage.secret_access_key"),
        ({"provider": "r2"}, "storage.endpoint"),
        ({"endpoint": "http://10.0.0.1:9000"}, "storage.endpoint"),
        ({"endpoint": "http://localhost"}, "storage.endpoint"),
        ({"public_url": "javascript:alert(1)"}, "storage.public_url"),
    ],
)
async def test_a_bucket_that_can_not_be_is_refused_by_field(
    town: Town, owner: Person, changed: dict[str, Any], field: str
) -> None:
    assert await fields_refused(town, owner, storage=replace(BUCKET, **changed)) == [field]


async def test_one_livekit_key_serves_one_project(town: Town, owner: Person) -> None:
    house = await given(town, owner, livekit=OWN)
    other, elsewhere = await town.project(owner), await town.person()

    with pytest.raises(LiveKitTaken):
        await projects.change(town.work(owner), other.id, livekit=replace(OWN, url="wss://other.example.com"))
    with pytest.raises(LiveKitTaken):
        await projects.create(town.work(elsewhere), org_id=elsewhere.organization.id, name="x", livekit=OWN)
    await projects.change(town.work(owner), house.id, livekit=replace(OWN, url="wss://moved.example.com"))

    # Whoever only knows the key, which stands in each token, takes it away from nobody.
    await given(town, elsewhere, livekit=replace(OWN, api_secret=Secret("another-secret-of-the-same-key")))


async def test_a_key_is_free_again_once_it_was_given_up(town: Town, owner: Person) -> None:
    house = await given(town, owner, livekit=OWN)
    await projects.change(town.work(owner), house.id, livekit=None)
    second = await given(town, owner, livekit=OWN)
    await projects.delete(town.work(owner), second.id)

    assert (await projects.read(town.work(owner), house.id)).livekit is None
    await given(town, owner, livekit=OWN)


async def test_the_installations_livekit_is_nobodys_own(town: Town, owner: Person, services: Services) -> None:
    secret = services.settings.livekit_api_secret.get_secret_value()
    house = await town.project(owner)

    with pytest.raises(LiveKitTaken):
        await projects.change(
            town.work(owner), house.id, livekit=GivenLiveKit("wss://alias.example.com", "testkey", Secret(secret))
        )


# --- how it is kept ---------------------------------------------------------------------------------------------


async def test_a_secret_lies_nowhere_in_the_clear(town: Town, owner: Person, services: Services) -> None:
    house = await given(town, owner, livekit=OWN, storage=BUCKET)
    project = await projects.read(town.work(owner), house.id)
    everywhere = [str(await services.engine.collection(name).find({})) for name in ("projects", "audit_log", "changes")]

    for secret in (SECRET, OWN.api_key, "storage-secret-abcdef", BUCKET.access_key_id):
        assert not any(secret in documents for documents in everywhere)
        assert secret not in repr(project)
    assert project.livekit is not None
    assert project.storage is not None
    assert (project.livekit.url, project.livekit.secret_hint) == ("wss://media.example.com", "9876")
    assert (project.storage.endpoint, project.storage.secret_hint) == ("https://s3.eu-west-1.amazonaws.com", "cdef")


async def test_of_a_short_secret_nothing_is_shown(town: Town, owner: Person) -> None:
    house = await given(town, owner, livekit=replace(OWN, api_secret=Secret("secret")))
    project = await projects.read(town.work(owner), house.id)

    assert project.livekit is not None
    assert project.livekit.secret_hint == ""


async def test_a_change_that_does_not_speak_of_them_leaves_them(town: Town, owner: Person) -> None:
    house = await given(town, owner, livekit=OWN, storage=BUCKET)
    before = await projects.read(town.work(owner), house.id)
    after = await projects.change(town.work(owner), house.id, name="renamed")

    assert (after.livekit, after.storage) == (before.livekit, before.storage)


# --- whether it works -------------------------------------------------------------------------------------------


def own_bucket(s3: str, name: str = "tenant") -> GivenStorage:
    return replace(BUCKET, bucket=name, endpoint=s3)


async def made(services: Services, s3: str, name: str) -> None:
    """The bucket, in moto."""
    async with services.parts.outbound.client(Purpose.STORAGE) as client:
        assert (await client.put(f"{s3}/{name}")).status_code == 200


async def test_a_bucket_that_works_is_left_as_it_was(town: Town, owner: Person, services: Services, s3: str) -> None:
    await made(services, s3, "tenant")
    house = await given(town, owner, storage=own_bucket(s3))

    tried = await connections.try_storage(town.work(owner), house.id)

    assert (tried.works, tried.sentence) == (True, "A small object was written, read and deleted.")
    async with services.parts.outbound.client(Purpose.STORAGE) as client:
        assert connections.TRIED_UNDER not in (await client.get(f"{s3}/tenant")).text


async def test_a_bucket_that_is_not_there_is_told_with_what_to_do(town: Town, owner: Person, s3: str) -> None:
    house = await given(town, owner, storage=own_bucket(s3, "missing"))

    tried = await connections.try_storage(town.work(owner), house.id)

    assert not tried.works
    assert tried.sentence.startswith("There is no bucket missing at this address.")


async def test_without_its_own_a_project_is_tried_on_the_installations(
    town: Town, owner: Person, services: Services, s3: str
) -> None:
    house = await town.project(owner)
    assert not (await connections.try_storage(town.work(owner), house.id)).works

    installation = services.parts.storage
    await made(services, s3, "installation")
    assert (await connections.try_storage(town.work(owner), house.id)).works
    assert installation is services.parts.storage


async def test_the_machines_own_credentials_are_never_used(
    town: Town, owner: Person, services: Services, s3: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in {
        "AWS_ACCESS_KEY_ID": "AKIAMACHINE",
        "AWS_SECRET_ACCESS_KEY": "machine",
        "AWS_PROFILE": "nobody",
        "AWS_ENDPOINT_URL": "http://127.0.0.1:1",
        "AWS_ENDPOINT_URL_S3": "http://127.0.0.1:1",
        "AWS_CONFIG_FILE": "/nonexistent",
        "HTTP_PROXY": "http://127.0.0.1:1",
    }.items():
        monkeypatch.setenv(name, value)
    await made(services, s3, "tenant")
    house = await given(town, owner, storage=own_bucket(s3))

    assert (await connections.try_storage(town.work(owner), house.id)).works


async def test_an_address_that_turned_private_is_not_gone_to(town: Town, owner: Person, services: Services) -> None:
    house = await given(town, owner, livekit=OWN, storage=replace(BUCKET, endpoint="https://bucket.example.com"))
    # From now on both names lead to this machine.
    services.parts.outbound._resolve = lambda *_: ["127.0.0.1"]  # type: ignore[attr-defined]

    for tried in (
        await connections.try_livekit(town.work(owner), house.id),
        await connections.try_storage(town.work(owner), house.id),
    ):
        assert not tried.works
        assert "this machine itself" in tried.sentence


async def test_an_object_that_is_not_there_is_not_found(town: Town, owner: Person, services: Services, s3: str) -> None:
    await made(services, s3, "tenant")
    house = await given(town, owner, storage=own_bucket(s3))
    storage = connections.storage_of(town.work(owner), await projects.read(town.work(owner), house.id))

    with pytest.raises(NotFound):
        await storage.read("nothing/here")


def test_every_error_of_botocore_is_of_the_kind_that_the_seam_translates() -> None:
    foreign = [kind for kind in vars(botocore.exceptions).values() if isinstance(kind, type)]
    errors = {kind for kind in foreign if issubclass(kind, Exception) and not issubclass(kind, Warning)}
    others = {kind for kind in errors if not issubclass(kind, BotoCoreError | ClientError)}

    assert len(errors) > 50
    # A description of a service that lacks its own name is botocore's fault, and none of a running call.
    assert {kind for kind in others if kind.__module__ == "botocore.exceptions"} <= {
        botocore.exceptions.UndefinedModelAttributeError,
        botocore.exceptions.MissingServiceIdError,
    }
