"""Real people whose tokens end while they are in: they are put out, and put out again when they come back."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from pulse_dash.core.media_token import Signer
from tests.engines.livekit import LiveKit
from tests.livekit.guests import WITHIN, Guest, joined
from tests.livekit.test_tokens import claims_of
from tests.served import Customer, eventually

STAYING = 8.0  # more than two looks of the job


async def is_put_out(guest: Guest) -> bool:
    """Whether LiveKit disconnects somebody within a while."""
    await asyncio.wait_for(guest.put_out.wait(), WITHIN)
    return True


async def revoked(customer: Customer, **asked: str) -> dict[str, Any]:
    answer = await customer.ask("POST", "/v1/tokens/revoke", asked)
    assert answer.status_code == 200, answer.text
    return answer.json()


async def test_a_revoked_identity_is_put_out_and_again_with_the_token_that_livekit_refreshed(acme: Customer) -> None:
    minted = await acme.token("lobby", "ada")
    async with joined(await acme.token("lobby", "bob")) as bob:
        async with joined(minted) as ada:
            await asyncio.wait_for(ada.refreshed.wait(), WITHIN)
            renewed = ada.token
            answer = await revoked(acme, identity="ada")
            assert await is_put_out(ada)
        for _ in range(2):
            async with joined({**minted, "token": renewed}) as back:
                assert await is_put_out(back)
        async with joined(await acme.token("lobby", "ada")) as ada:
            await asyncio.sleep(STAYING)
            stays = not ada.put_out.is_set() and not bob.put_out.is_set()

    assert "jti" not in claims_of(renewed)
    assert answer["participants_removed"] == 1
    assert stays


async def test_a_revoked_token_leaves_the_same_identity_in_another_room(acme: Customer) -> None:
    lobby = await acme.token("lobby", "ada")
    async with joined(lobby) as here, joined(await acme.token("studio", "ada")) as there:
        answer = await revoked(acme, token=lobby["token"])
        assert await is_put_out(here)
        await asyncio.sleep(STAYING)
        stays = not there.put_out.is_set()

    assert answer["participants_removed"] == 1
    assert stays


async def test_a_token_that_pulse_did_not_mint_opens_no_room_of_ours_for_long(
    acme: Customer, livekit_server: LiveKit
) -> None:
    minted = await acme.token("lobby", "ada")
    signer, claims = Signer(livekit_server.api_secret.encode()), claims_of(minted["token"])
    without = {name: value for name, value in claims.items() if name not in ("attributes", "jti", "pulse")}
    borrowed = {**claims, "sub": "mallory"}
    async with joined(minted) as ada:
        for forged in ({**without, "sub": "eve"}, borrowed):
            async with joined({**minted, "token": signer.sign(forged)}) as guest:
                assert await is_put_out(guest)
        stays = not ada.put_out.is_set()

    assert stays


async def test_livekits_own_participants_stay_in_a_room(acme: Customer, livekit_server: LiveKit) -> None:
    minted = await acme.token("lobby", "ada")
    grant = {"room": minted["livekit_room"], "roomJoin": True, "canPublish": False, "hidden": True, "recorder": True}
    claims = {**claims_of(minted["token"]), "sub": "EG_recorder", "kind": "egress", "video": grant, "attributes": {}}
    token = Signer(livekit_server.api_secret.encode()).sign(claims)
    async with joined(minted), joined({**minted, "token": token}) as recorder:
        await asyncio.sleep(STAYING)
        stays = not recorder.put_out.is_set()

    assert stays


async def revoke_key(acme: Customer) -> None:
    owner = {"Authorization": f"Bearer {acme.bearer}"}
    keys = f"/v1/projects/{acme.project_id}/keys"
    (key,) = (await acme.http.get(keys, headers=owner)).json()["items"]
    assert (await acme.http.delete(f"{keys}/{key['id']}", headers=owner)).status_code == 204


async def delete_project(acme: Customer) -> None:
    owner = {"Authorization": f"Bearer {acme.bearer}"}
    assert (await acme.http.delete(f"/v1/projects/{acme.project_id}", headers=owner)).status_code == 204


@pytest.mark.parametrize("end", [revoke_key, delete_project])
async def test_with_a_key_or_a_project_its_participants_go(
    acme: Customer, rival: Customer, end: Callable[[Customer], Awaitable[None]]
) -> None:
    async with joined(await acme.token("lobby", "ada")) as ada, joined(await rival.token("lobby", "ada")) as other:
        counted = await eventually(lambda: acme.items("/v1/media/rooms"))
        await end(acme)
        assert await is_put_out(ada)
        stays = not other.put_out.is_set()

    assert [room["name"] for room in counted] == ["lobby"]
    assert stays
