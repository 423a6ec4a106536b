"""What the real server makes of our tokens: whom it lets in, what it tells about them, whom it turns away."""

from __future__ import annotations

import asyncio
import json
import time
from base64 import urlsafe_b64decode
from typing import Any

import httpx
import pytest
from livekit import api, rtc

from pulse_dash.core.media_token import Signer
from tests.engines.livekit import LiveKit
from tests.livekit.guests import WITHIN, joined
from tests.served import Customer, eventually

LONG = "ü" * 100  # 200 bytes


def claims_of(token: str) -> dict[str, Any]:
    body = token.split(".")[1]
    return json.loads(urlsafe_b64decode(body + "=" * (-len(body) % 4)))


async def refused(minted: dict[str, Any]) -> bool:
    """Whether LiveKit keeps this token out."""
    try:
        async with joined(minted):
            return False
    except rtc.ConnectError:
        return True


@pytest.fixture
async def livekit(livekit_server: LiveKit) -> Any:
    """LiveKit's own server API, to ask it what it knows."""
    async with api.LiveKitAPI(livekit_server.http_url, livekit_server.api_key, livekit_server.api_secret) as client:
        yield client


async def test_a_token_signed_by_somebody_else_is_turned_away(acme: Customer) -> None:
    minted = await acme.token("lobby", "ada")
    forged = Signer(b"another-secret-than-the-servers-own").sign(claims_of(minted["token"]))

    assert await refused({**minted, "token": forged})


async def test_a_token_that_ended_is_turned_away(acme: Customer, livekit_server: LiveKit) -> None:
    minted = await acme.token("lobby", "ada")
    # LiveKit forgives a minute of clocks that differ.
    ended = {**claims_of(minted["token"]), "exp": int(time.time()) - 90}
    late = Signer(livekit_server.api_secret.encode()).sign(ended)

    assert await refused({**minted, "token": late})


async def test_a_token_without_the_right_to_join_is_turned_away(acme: Customer) -> None:
    assert await refused(await acme.token("lobby", "ada", permissions={"join": False}))


@pytest.mark.parametrize("name", ["class/7", "../../etc", "grüße 𝕏 \u202e", "<b>&\"'", LONG, "a.b.c"])
async def test_a_name_of_any_script_and_length_joins(acme: Customer, name: str) -> None:
    async with joined(await acme.token(name, name)) as guest:
        rooms = await eventually(lambda: acme.items("/v1/media/rooms"))

    assert guest.room.local_participant.identity == name
    assert [room["name"] for room in rooms] == [name]


async def test_livekit_reports_name_metadata_and_attributes_as_they_were_given(acme: Customer, livekit: Any) -> None:
    given: dict[str, Any] = {"name": "Ada 𝕏", "metadata": '{"seat": 7}', "attributes": {"team": "blue"}}
    minted = await acme.token("lobby", "ada", **given)
    async with joined(minted):
        asked = api.RoomParticipantIdentity(room=minted["livekit_room"], identity="ada")
        found = await livekit.room.get_participant(asked)

    assert found.name == "Ada 𝕏"
    assert json.loads(found.metadata) == {"seat": 7, "project_id": acme.project_id}
    assert found.attributes["team"] == "blue"
    assert found.attributes["pulse"].startswith("tok_")


async def test_the_grants_are_livekits_own(acme: Customer, livekit: Any) -> None:
    granted = {"publish": False, "publish_data": True, "update_metadata": True, "hidden": True}
    minted = await acme.token("lobby", "ada", permissions=granted)
    async with joined(minted):
        asked = api.RoomParticipantIdentity(room=minted["livekit_room"], identity="ada")
        permission = (await livekit.room.get_participant(asked)).permission

    assert (permission.can_publish, permission.can_subscribe, permission.can_publish_data) == (False, True, True)
    assert (permission.can_update_metadata, permission.hidden) == (True, True)


async def test_the_first_participant_makes_the_room_as_its_token_says(acme: Customer, livekit: Any) -> None:
    config = {"max_participants": 1, "empty_timeout": 77, "departure_timeout": 33}
    minted = await acme.token("lobby", "ada", room_config=config)
    async with joined(minted):
        (room,) = (await livekit.room.list_rooms(api.ListRoomsRequest(names=[minted["livekit_room"]]))).rooms
        second_refused = await refused(await acme.token("lobby", "bob"))

    assert (room.max_participants, room.empty_timeout, room.departure_timeout) == (1, 77, 33)
    assert second_refused


async def asked(server: LiveKit, token: str, method: str, **fields: str) -> int:
    """The status when the holder of a token speaks to LiveKit's server API directly."""
    async with httpx.AsyncClient(base_url=server.http_url, headers={"Authorization": f"Bearer {token}"}) as http:
        return (await http.post(f"/twirp/livekit.RoomService/{method}", json=fields)).status_code


async def test_an_admin_of_a_room_is_one_of_that_room_alone(
    acme: Customer, rival: Customer, livekit_server: LiveKit
) -> None:
    admin = await acme.token("lobby", "ada", permissions={"room_admin": True})
    other, theirs = await acme.token("studio", "bob"), await rival.token("lobby", "eve")
    token, own = admin["token"], admin["livekit_room"]
    async with joined(admin), joined(other), joined(theirs):
        mine = await asked(livekit_server, token, "ListParticipants", room=own)
        foreign = [
            await asked(livekit_server, token, "ListParticipants", room=other["livekit_room"]),
            await asked(livekit_server, token, "ListParticipants", room=theirs["livekit_room"]),
            await asked(livekit_server, token, "RemoveParticipant", room=theirs["livekit_room"], identity="eve"),
            await asked(livekit_server, token, "ListRooms"),
            await asked(livekit_server, token, "CreateRoom", name=f"{rival.project_id}.new"),
            await asked(livekit_server, token, "DeleteRoom", room=own),
        ]

    assert mine == 200
    assert {status // 100 for status in foreign} == {4}


async def test_whoever_is_no_admin_reaches_nothing_of_livekits_server_api(
    acme: Customer, livekit_server: LiveKit
) -> None:
    minted = await acme.token("lobby", "ada")
    async with joined(minted):
        for method in ("ListParticipants", "DeleteRoom", "ListRooms"):
            assert await asked(livekit_server, minted["token"], method, room=minted["livekit_room"]) in {401, 403}


async def test_a_token_that_livekit_renewed_is_still_known_as_ours(acme: Customer) -> None:
    minted = await acme.token("lobby", "ada", attributes={"team": "blue"})
    async with joined(minted) as ada:
        await asyncio.wait_for(ada.refreshed.wait(), WITHIN)
        renewed = ada.token
    answer = (await acme.ask("POST", "/v1/tokens/validate", {"token": renewed})).json()

    assert "jti" not in claims_of(renewed)
    assert (answer["valid"], answer["identity"], answer["room"]) == (True, "ada", "lobby")
    assert answer["minted"]["key_name"] == "default"


async def test_a_renewed_token_tells_the_permissions_that_somebody_has_now(acme: Customer, livekit: Any) -> None:
    minted = await acme.token("lobby", "ada")
    quiet = api.ParticipantPermission(can_subscribe=True, can_publish=False)
    async with joined(minted) as ada:

        async def renewed() -> str:
            return ada.token if claims_of(ada.token)["video"].get("canPublish") is False else ""

        await livekit.room.update_participant(
            api.UpdateParticipantRequest(room=minted["livekit_room"], identity="ada", permission=quiet)
        )
        answer = (await acme.ask("POST", "/v1/tokens/validate", {"token": await eventually(renewed)})).json()

    assert (answer["valid"], answer["permissions"]["publish"]) == (True, False)


async def test_a_token_that_livekit_renewed_is_worth_nothing_in_another_project(
    acme: Customer, rival: Customer
) -> None:
    async with joined(await acme.token("lobby", "ada")) as ada:
        await asyncio.wait_for(ada.refreshed.wait(), WITHIN)
        answer = (await rival.ask("POST", "/v1/tokens/validate", {"token": ada.token})).json()

    assert answer == {"valid": False, "reason": "other_project"}


async def test_a_renewed_token_of_a_revoked_key_is_revoked(acme: Customer) -> None:
    async with joined(await acme.token("lobby", "ada")) as ada:
        await asyncio.wait_for(ada.refreshed.wait(), WITHIN)
        renewed = ada.token
    owner = {"Authorization": f"Bearer {acme.bearer}"}
    keys = f"/v1/projects/{acme.project_id}/keys"
    (key,) = (await acme.http.get(keys, headers=owner)).json()["items"]
    await acme.http.delete(f"{keys}/{key['id']}", headers=owner)
    answer = await acme.http.post(
        "/v1/tokens/validate", params={"project_id": acme.project_id}, json={"token": renewed}, headers=owner
    )

    assert (answer.json()["valid"], answer.json()["reason"]) == (False, "revoked")
