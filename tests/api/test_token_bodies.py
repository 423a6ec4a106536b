"""What a token may be asked for: lengths, permissions and attributes, each refusal naming its field."""

from __future__ import annotations

from typing import Any

import httpx
import pytest

from pulse_dash.core.errors import Invalid
from tests.api.asserting import assert_refused, fields
from tests.people import Town

OK: dict[str, Any] = {"room": "lobby", "identity": "ada"}
KIB_16 = 16 * 1024

NO_NAMES = {
    "empty": "",
    "129 characters": "x" * 129,
    "201 bytes": "é" * 100 + "x",
    "128 characters of 512 bytes": "𝕏" * 128,
    "a NUL": "a\x00b",
    "a line break": "a\nb",
    "an escape": "\x1b[2J",
    "a C1 control": "a\x85b",
    "a number": 7,
    "null": None,
    "a list": ["lobby"],
    "an operator": {"$ne": ""},
}
REFUSED: dict[str, tuple[dict[str, Any], str]] = {
    **{f"room: {what}": ({**OK, "room": name}, "room") for what, name in NO_NAMES.items()},
    **{f"identity: {what}": ({**OK, "identity": name}, "identity") for what, name in NO_NAMES.items()},
    "no room": ({"identity": "ada"}, "room"),
    "no identity": ({"room": "lobby"}, "identity"),
    "name: 129 characters": ({**OK, "name": "x" * 129}, "name"),
    "name: a control": ({**OK, "name": "a\x00b"}, "name"),
    "metadata over 16 KiB": ({**OK, "metadata": "x" * (KIB_16 + 1)}, "metadata"),
    "metadata over 16 KiB in bytes": ({**OK, "metadata": "é" * (KIB_16 // 2 + 1)}, "metadata"),
    "metadata that is an object": ({**OK, "metadata": {"a": 1}}, "metadata"),
    "metadata nested like a well": ({**OK, "metadata": '{"a":' * 500 + "1" + "}" * 500}, "metadata"),
    "attributes over 16 KiB": ({**OK, "attributes": {"a": "x" * KIB_16}}, "attributes"),
    "attributes that are a list": ({**OK, "attributes": ["a"]}, "attributes"),
    "an attribute that is a number": ({**OK, "attributes": {"a": 1}}, "attributes.a"),
    "an attribute without a name": ({**OK, "attributes": {"": "x"}}, "attributes..[key]"),
    "Pulse's own attribute": ({**OK, "attributes": {"pulse": "x"}}, "attributes.pulse"),
    "claims over 16 KiB": ({**OK, "claims": {"a": "x" * KIB_16}}, "claims"),
    "claims that are a list": ({**OK, "claims": [1]}, "claims"),
    "ttl 9": ({**OK, "ttl_seconds": 9}, "ttl_seconds"),
    "ttl 86401": ({**OK, "ttl_seconds": 86_401}, "ttl_seconds"),
    "ttl 0": ({**OK, "ttl_seconds": 0}, "ttl_seconds"),
    "ttl -1": ({**OK, "ttl_seconds": -1}, "ttl_seconds"),
    "ttl 2^70": ({**OK, "ttl_seconds": 2**70}, "ttl_seconds"),
    "ttl 60.5": ({**OK, "ttl_seconds": 60.5}, "ttl_seconds"),
    "ttl as a text": ({**OK, "ttl_seconds": "60"}, "ttl_seconds"),
    "ttl as a bool": ({**OK, "ttl_seconds": True}, "ttl_seconds"),
    "an unknown region": ({**OK, "region": "mars"}, "region"),
    "an unknown field": ({**OK, "sip": {}}, "sip"),
    "an unknown source": ({**OK, "permissions": {"publish_sources": ["desktop"]}}, "permissions.publish_sources.0"),
    "a permission as a text": ({**OK, "permissions": {"publish": "yes"}}, "permissions.publish"),
    "room_config: nobody": ({**OK, "room_config": {"max_participants": 0}}, "room_config.max_participants"),
    "room_config: unknown": ({**OK, "room_config": {"egress": {}}}, "room_config.egress"),
    "room_config: agents over 16 KiB": (
        {**OK, "room_config": {"agents": [{"name": "a", "metadata": "x" * 9_000}] * 2}},
        "room_config.agents",
    ),
    "room_config: eleven agents": ({**OK, "room_config": {"agents": [{"name": "a"}] * 11}}, "room_config.agents"),
}
# Grants that LiveKit ties to no room, in its own spelling and in ours, and one that nobody knows.
UNKNOWN_PERMISSIONS = [
    "roomRecord", "roomCreate", "roomList", "ingressAdmin", "agent", "recorder", "sip", "room_record", "room_create",
    "room_list", "ingress_admin", "destinationRoom", "roomJoin", "canPublish", "admin", "kind", "",
]  # fmt: skip


async def test_what_no_token_can_hold_is_422_and_named(client: httpx.AsyncClient, town: Town) -> None:
    house = await town.house()
    for what, (body, field) in REFUSED.items():
        answer = await client.post("/v1/tokens/create", headers=house.headers, json=body)
        assert_refused(answer, Invalid)
        assert fields(answer) == [field], what


async def test_a_permission_that_binds_to_no_room_is_never_signed(client: httpx.AsyncClient, town: Town) -> None:
    house = await town.house()
    for permission in UNKNOWN_PERMISSIONS:
        body = {**OK, "permissions": {permission: True}}
        answer = await client.post("/v1/tokens/create", headers=house.headers, json=body)
        assert_refused(answer, Invalid)
        assert fields(answer) == [f"permissions.{permission}"]


AT_THE_EDGE: dict[str, dict[str, Any]] = {
    "128 characters": {**OK, "room": "r" * 128, "identity": "i" * 128},
    "200 bytes": {**OK, "room": "é" * 100, "identity": "é" * 100},
    "a dot first": {**OK, "room": ".hidden"},
    "another project's prefix": {**OK, "room": "prj_01aaaaaaaaaaaaaaaaaaaaaaaa.lobby"},
    "right to left": {**OK, "room": "\u202elobby", "identity": "\u200b"},
    "a slash and a percent": {**OK, "room": "a/b%2Fc", "identity": "../.."},
    "metadata of 16 KiB": {**OK, "metadata": "x" * KIB_16},
    "ten seconds": {**OK, "ttl_seconds": 10},
    "a day": {**OK, "ttl_seconds": 86_400},
    "nothing granted": {**OK, "permissions": {"join": False, "publish": False, "subscribe": False}},
    "no sources": {**OK, "permissions": {"publish_sources": []}},
    "nothing given": {**OK, "attributes": {}, "claims": {}, "metadata": "", "room_config": {}, "permissions": {}},
    "claims of every kind": {**OK, "claims": {"a": None, "b": [1, 1.5, {"c": True}], "d": 2**63}},
}


@pytest.mark.parametrize("what", AT_THE_EDGE)
async def test_what_is_just_within_bounds_is_minted(client: httpx.AsyncClient, town: Town, what: str) -> None:
    house = await town.house()
    body = AT_THE_EDGE[what]

    answer = await client.post("/v1/tokens/create", headers=house.headers, json=body)

    assert answer.status_code == 200, answer.text
    minted = answer.json()
    assert (minted["room"], minted["identity"]) == (body["room"], body["identity"])
    assert minted["livekit_room"] == f"{house.id}.{body['room']}"


NO_TOKENS: list[Any] = ["", "x", "a.b.c", "...", "\x00", "𝕏" * 1_000, "." * 60_000, "eyJhbGciOiJub25lIn0.e30."]


async def test_junk_to_validate_is_an_answer_and_no_error(client: httpx.AsyncClient, town: Town) -> None:
    house = await town.house()
    for token in NO_TOKENS:
        answer = await client.post("/v1/tokens/validate", headers=house.headers, json={"token": token})
        assert answer.status_code == 200
        assert answer.json() == {"valid": False, "reason": answer.json()["reason"]}


@pytest.mark.parametrize("token", [None, 1, ["a"], {"$ne": ""}])
async def test_what_is_no_text_to_validate_is_422(client: httpx.AsyncClient, town: Town, token: Any) -> None:
    house = await town.house()

    answer = await client.post("/v1/tokens/validate", headers=house.headers, json={"token": token})

    assert_refused(answer, Invalid)
    assert fields(answer) == ["token"]


async def test_the_longest_token_that_we_mint_is_one_that_we_can_read(client: httpx.AsyncClient, town: Town) -> None:
    house = await town.house()
    # A control character takes six letters in JSON, and a quote inside of claims is escaped once more.
    body = {
        **OK,
        "metadata": "\x01" * KIB_16,
        "attributes": {"a": "\x01" * 4_000},
        "claims": {"a": "\x01" * 4_000},
        "room_config": {"agents": [{"name": "a", "metadata": "\x01" * KIB_16}]},
    }

    minted = await client.post("/v1/tokens/create", headers=house.headers, json=body)
    read = await client.post("/v1/tokens/validate", headers=house.headers, json={"token": minted.json()["token"]})

    assert (minted.status_code, read.status_code) == (200, 200)
    assert read.json()["valid"]
