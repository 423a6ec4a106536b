"""What a body may be: every one of ours is a bounded JSON object of known fields, and each bad field is named."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest

from pulse_dash.api.app import make_api
from pulse_dash.api.headers import CarefulAnswers
from pulse_dash.api.middleware import DEEPEST_BODY, LARGEST_BODY, MOST_VALUES
from pulse_dash.core.errors import Invalid
from pulse_dash.services import Services
from tests.api.asserting import assert_problem, assert_refused, fields
from tests.people import PASSWORD, Town

# Where a body goes: open to everybody, behind a sign-in, and the fast lane.
PATHS = ["/v1/auth/signup", "/v1/organizations", "/v1/tokens/create"]
NO_JSON = {
    "text": b"name=x&room=y",
    "cut off": b'{"name": "x"',
    "two of them": b'{"name": "x"}{"name": "y"}',
    "NaN": b'{"name": NaN}',
    "Infinity": b'{"name": -Infinity}',
    "a number without end": b'{"name": 1' + b"0" * 4_000 + b"}",
    "half of a surrogate pair": b'{"name": "\\ud800"}',
    "a raw control character": b'{"name": "a\x01b"}',
    "bytes that are no UTF-8": b'{"name": "\xff"}',
    "UTF-16": '{"name": "x"}'.encode("utf-16"),
    "a single quote": b"{'name': 'x'}",
    "a comment": b'{"name": "x"} // why',
    "a hundred thousand lists": b'{"name": ' + b"[" * 100_000 + b"]" * 100_000 + b"}",
    "a few hundred objects": b'{"a":' * 300 + b"1" + b"}" * 300,
    "one value too many": b'{"name": [' + b"0," * MOST_VALUES + b"0]}",
    "many small lists": b'{"name": [' + b"[[0]]," * MOST_VALUES + b"0]}",
    "many fields": b"{" + b",".join(b'"%d":0' % number for number in range(MOST_VALUES + 1)) + b"}",
    "one list too deep": b'{"name": ' + b"[" * DEEPEST_BODY + b"]" * DEEPEST_BODY + b"}",
}


@pytest.mark.parametrize("path", PATHS)
async def test_what_is_no_json_is_400(client: httpx.AsyncClient, town: Town, path: str) -> None:
    person = await town.person()
    for body in NO_JSON.values():
        answer = await client.post(path, headers=person.headers, content=body)
        assert_problem(answer, 400, "malformed_json")


@pytest.mark.parametrize("path", PATHS)
async def test_a_text_of_any_letters_is_one_value(client: httpx.AsyncClient, town: Town, path: str) -> None:
    body = json.dumps({"name": "[0]," * 2 * MOST_VALUES})

    answer = await client.post(path, headers=(await town.person()).headers, content=body)

    assert answer.json()["code"] != "malformed_json"


@pytest.mark.parametrize("body", [b"[]", b"null", b'"text"', b"1", b"true", b'[{"name": "x"}]'])
async def test_what_is_no_object_is_400(client: httpx.AsyncClient, town: Town, body: bytes) -> None:
    person = await town.person()
    for path in PATHS:
        assert_problem(await client.post(path, headers=person.headers, content=body), 400, "not_an_object")


async def test_the_fast_lane_reads_nobodys_body(client: httpx.AsyncClient) -> None:
    assert_problem(await client.post("/v1/tokens/create", content=b"no json"), 401, "invalid_credentials")


@pytest.mark.parametrize("path", PATHS)
async def test_a_body_over_a_mebibyte_is_413(client: httpx.AsyncClient, town: Town, path: str) -> None:
    person = await town.person()

    async def chunks() -> AsyncIterator[bytes]:
        for _ in range(LARGEST_BODY // 1024 + 2):
            yield b" " * 1024

    whole = json.dumps({"name": "x" * LARGEST_BODY}).encode()
    assert_problem(await client.post(path, headers=person.headers, content=whole), 413, "body_too_large")
    # httpx sends no content-length for an iterator: the body is counted as it comes.
    chunked = await client.post(path, headers=person.headers, content=chunks())
    assert "content-length" not in chunked.request.headers
    assert_problem(chunked, 413, "body_too_large")


@pytest.mark.parametrize("length", ["1048577", "9" * 12, "9" * 5_000])
async def test_a_body_that_announces_too_much_is_not_read(client: httpx.AsyncClient, length: str) -> None:
    answer = await client.post("/v1/auth/login", headers={"content-length": length}, content=b"{}")

    assert_problem(answer, 413, "body_too_large")


async def test_a_body_of_exactly_a_mebibyte_is_looked_at(client: httpx.AsyncClient) -> None:
    body = b'{"x": "' + b"x" * (LARGEST_BODY - 9) + b'"}'
    assert len(body) == LARGEST_BODY

    assert_refused(await client.post("/v1/auth/login", content=body), Invalid)


@pytest.mark.parametrize("kind", ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data", ""])
async def test_a_body_is_json_whatever_its_content_type_says(client: httpx.AsyncClient, town: Town, kind: str) -> None:
    owner = await town.person()
    house = await town.project(owner)
    headers = {"content-type": kind}

    made = await client.post("/v1/organizations", headers={**owner.headers, **headers}, content=b'{"name": "x"}')
    minted = await client.post(
        "/v1/tokens/create", headers={**house.headers, **headers}, content=b'{"room": "r", "identity": "i"}'
    )

    assert (made.status_code, minted.status_code) == (201, 200)


SIGN_UP = {"email": "new@example.com", "password": PASSWORD, "name": "New", "organization_name": "New"}
NO_TEXTS: list[Any] = [
    None, 1, 1.5, True, [], ["x"], {}, {"$ne": None}, {"$gt": ""}, {"$regex": ".*"}, 2**70, [[[]]],
]  # fmt: skip


@pytest.mark.parametrize("field", SIGN_UP)
async def test_only_a_text_is_a_text(client: httpx.AsyncClient, field: str) -> None:
    for value in NO_TEXTS:
        answer = await client.post("/v1/auth/signup", json={**SIGN_UP, field: value})
        assert_refused(answer, Invalid)
        assert fields(answer) == [field]


async def test_operator_objects_find_nobody(client: httpx.AsyncClient, town: Town) -> None:
    person = await town.person()
    operator = {"$ne": None}

    log_in = await client.post("/v1/auth/login", json={"email": operator, "password": operator})
    made = await client.post("/v1/projects", headers=person.headers, json={"org_id": operator, "name": operator})

    assert_refused(log_in, Invalid)
    assert fields(log_in) == ["email", "password"]
    assert_refused(made, Invalid)
    assert fields(made) == ["org_id", "name"]


async def test_each_bad_field_is_named_at_once(client: httpx.AsyncClient) -> None:
    answer = await client.post(
        "/v1/auth/signup",
        json={"email": "nobody", "password": "short", "name": "\x00", "organization_name": "x" * 129},
    )

    assert_refused(answer, Invalid)
    assert sorted(fields(answer)) == ["email", "name", "organization_name", "password"]


async def test_missing_and_unknown_fields_are_named(client: httpx.AsyncClient) -> None:
    answer = await client.post("/v1/auth/login", json={"email": "a@example.com", "pass word": "x", "$where": "1"})

    assert_refused(answer, Invalid)
    assert sorted(fields(answer)) == ["$where", "pass word", "password"]


async def test_no_body_at_all_names_what_is_missing(client: httpx.AsyncClient, town: Town) -> None:
    house = await town.house()

    answer = await client.post("/v1/tokens/create", headers=house.headers)

    assert_refused(answer, Invalid)
    assert fields(answer) == ["room", "identity"]


async def test_thousands_of_unknown_fields_get_a_short_answer(client: httpx.AsyncClient) -> None:
    body = {f"field{number}": 1 for number in range(9_000)}

    answer = await client.post("/v1/auth/login", json=body)

    assert_refused(answer, Invalid)
    assert len(answer.content) < 10_000


async def test_of_a_repeated_field_the_last_counts_and_is_checked(client: httpx.AsyncClient, town: Town) -> None:
    person = await town.person()

    answer = await client.post(
        "/v1/organizations", headers=person.headers, content=b'{"name": "fine", "name": {"$ne": null}}'
    )

    assert_refused(answer, Invalid)


CONTROLS = ["\x00", "a\x00b", "line\nbreak", "\x1b[31m", "\x7f", "\x85", "\r", "\t"]


@pytest.mark.parametrize("text", ["", "   ", "x" * 129, *CONTROLS], ids=repr)
async def test_what_cannot_be_a_name_names_nothing(client: httpx.AsyncClient, town: Town, text: str) -> None:
    owner = await town.person()
    house = await town.project(owner)
    named = {
        "/v1/organizations": {"name": text},
        "/v1/projects": {"name": text, "org_id": owner.organization.id},
        f"/v1/projects/{house.id}/keys": {"name": text},
    }
    for path, body in named.items():
        answer = await client.post(path, headers=owner.headers, json=body)
        assert_refused(answer, Invalid)
        assert fields(answer) == ["name"]


QUERIES = {
    "page": ["0", "-1", "1.5", "x", "", "1e3", "9" * 30, "NaN"],
    "limit": ["0", "101", "-1", "x", "9" * 30],
    "search": ["%00", "%0A", "x" * 129],
}


@pytest.mark.parametrize("name", QUERIES)
async def test_what_cannot_be_asked_is_422(client: httpx.AsyncClient, town: Town, name: str) -> None:
    owner = await town.person()
    for path in ("/v1/organizations", "/v1/projects"):
        for text in QUERIES[name]:
            answer = await client.get(f"{path}?{name}={text}", headers=owner.headers)
            assert_refused(answer, Invalid)
            assert fields(answer) == [name]


async def test_a_search_is_text_and_never_a_pattern(client: httpx.AsyncClient, town: Town) -> None:
    owner = await town.person()
    await town.project(owner, name="a.c")
    await town.project(owner, name="abc")

    found = await client.get("/v1/projects", params={"search": "A.C"}, headers=owner.headers)

    assert [project["name"] for project in found.json()["items"]] == ["a.c"]
    for pattern in (".*", "(a+)+$", "[", "\\", "$where"):
        found = await client.get("/v1/projects", params={"search": pattern}, headers=owner.headers)
        assert found.json()["total"] == 0


async def test_a_caller_who_hangs_up_in_the_middle_of_a_body_changes_nothing(services: Services, town: Town) -> None:
    owner = await town.person()
    house = await town.project(owner)
    scope = {
        "type": "http",
        "method": "POST",
        "path": f"/v1/projects/{house.id}/regenerate-keys",
        "query_string": b"",
        "headers": [(name.lower().encode(), value.encode()) for name, value in owner.headers.items()],
    }
    messages = [{"type": "http.request", "body": b'{"key_id": ', "more_body": True}, {"type": "http.disconnect"}]
    sent: list[Any] = []

    async def receive() -> Any:
        return messages.pop(0)

    async def send(message: Any) -> None:
        sent.append(message)

    await CarefulAnswers(make_api(services), https=False)(scope, receive, send)

    assert sent == []
    await town.by_key(house)


@pytest.mark.parametrize("path", ["/v1/auth/signup", "/v1/organizations"])
async def test_no_body_where_one_is_asked_for_is_no_object(client: httpx.AsyncClient, town: Town, path: str) -> None:
    assert_problem(await client.post(path, headers=(await town.person()).headers), 400, "not_an_object")


@pytest.mark.parametrize(
    ("body", "field", "sentence"),
    [
        ({"permissions": None}, "permissions", "Must be an object."),
        ({"ttl_seconds": "x"}, "ttl_seconds", "Must be a whole number."),
        ({"name": 1}, "name", "Must be a text."),
        ({"permissions": {"publish": 1}}, "permissions.publish", "Must be true or false."),
        ({"room_config": {"agents": "x"}}, "room_config.agents", "Must be a list."),
        ({"nme": "x"}, "nme", "Is not known here."),
    ],
)
async def test_what_is_wrong_with_a_field_is_said_in_the_words_of_people(
    client: httpx.AsyncClient, town: Town, body: dict[str, Any], field: str, sentence: str
) -> None:
    house = await town.house()

    answer = await client.post(
        "/v1/tokens/create", headers=house.headers, json={"room": "lobby", "identity": "ada", **body}
    )

    assert answer.json()["errors"] == [{"field": field, "message": sentence}]


async def test_a_time_and_a_count_are_asked_for_in_the_words_of_people(client: httpx.AsyncClient, town: Town) -> None:
    owner = await town.person()
    house = await town.project(owner)
    path = f"/v1/projects/{house.id}"

    ban = await client.post(
        f"{path}/bans", headers=owner.headers, json={"identity": "a", "reason": "x", "until": "soon"}
    )
    hook = await client.post(f"{path}/webhooks", headers=owner.headers, json={"url": "https://1.1.1.1", "events": []})

    assert ban.json()["errors"][0]["message"].startswith("Must be a time like 2026-01-31T12:00:00Z")
    assert hook.json()["errors"][0]["message"] == "Must have at least 1 item."
