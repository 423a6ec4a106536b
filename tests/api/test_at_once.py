"""What is answered from memory reads as what the application answers, and where memory is short nothing is counted."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import orjson
import pytest

from pulse_dash import logs
from pulse_dash.api.app import FAST, make_api
from pulse_dash.api.headers import CarefulAnswers
from pulse_dash.api.middleware import LARGEST_BODY, MOST_VALUES
from pulse_dash.api.request_metrics import METRICS
from pulse_dash.core import bans, keys
from pulse_dash.services import Services
from pulse_dash.settings import Settings
from tests.doubles import MovableClock
from tests.people import House, Town

CREATE = "/v1/tokens/create"
ROOM = {"room": "lobby", "identity": "ada"}
GUESS = {"X-Pulse-Secret": "guess"}
Headers = Mapping[str, str]
# What differs from one answer to the next.
_OWN = re.compile(rb'"(?:token|expires_at|request_id)":"[^"]*"|\bid [^ ]*|\br=\d+|\bt=\d+|req_\w+|content-length: \d+')


def settled(status: int, lines: list[bytes], body: bytes) -> list[bytes]:
    """An answer without what is its own."""
    return [_OWN.sub(b"", line) for line in [b"%d" % status, *sorted(lines), body]]


class Ways:
    """Both ways to one application."""

    def __init__(self, services: Services) -> None:
        api = make_api(services)
        self.services = services
        self.app = CarefulAnswers(api, https=False, at_once=api.at_once)

    def _scope(self, path: str, headers: Headers) -> dict[str, Any]:
        return {
            "type": "http",
            "method": "GET" if path.startswith("/v1/status") else "POST",
            "path": path,
            "query_string": b"",
            "headers": [(name.lower().encode(), value.encode()) for name, value in headers.items()],
            "client": ("203.0.113.9", 4711),
            "state": {},
        }

    def from_memory(self, headers: Headers, body: bytes, path: str = CREATE) -> list[bytes] | None:
        answer = self.app.at_once(self._scope(path, headers), body)
        if answer is None:
            return None
        status, lines, content = answer
        return settled(status, lines.splitlines(), content)

    async def as_usual(self, headers: Headers, body: bytes, path: str = CREATE) -> list[bytes]:
        sent: list[Any] = []

        async def receive() -> Any:
            return {"type": "http.request", "body": body, "more_body": False}

        async def send(message: Any) -> None:
            sent.append(message)

        await self.app(self._scope(path, headers), receive, send)
        start, end = sent
        return settled(start["status"], [b"%b: %b" % header for header in start["headers"]], end["body"])


@pytest.fixture
def ways(services: Services) -> Ways:
    return Ways(services)


@pytest.fixture
async def house(town: Town, ways: Ways) -> House:
    """A project that bans somebody, with a key that this node knows, as it does its bans."""
    owner = await town.person()
    house = await town.project(owner)
    await bans.ban(town.work(owner), house.id, identity="mallory", reason="spam")
    await ways.as_usual(house.headers, orjson.dumps(ROOM))
    return house


BODIES: dict[str, bytes] = {
    "little": orjson.dumps(ROOM),
    "much": orjson.dumps(
        {
            **ROOM,
            "name": "Ada",
            "metadata": "{}",
            "attributes": {"a": "b"},
            "claims": {"a": [1]},
            "ttl_seconds": 60,
            "permissions": {"publish_sources": ["camera"], "hidden": True},
            "room_config": {"max_participants": 2, "agents": [{"name": "scribe"}]},
        }
    ),
    "nothing": b"",
    "no JSON": b"{",
    "no object": b"[]",
    "too deep": b'{"claims":' + b'{"a":' * 70 + b"1" + b"}" * 71,
    "too large": b'{"room":"' + b"a" * LARGEST_BODY + b'"}',
    "unknown field": orjson.dumps({**ROOM, "colour": "red"}),
    "wrong type": orjson.dumps({**ROOM, "ttl_seconds": "1"}),
    "no such region": orjson.dumps({**ROOM, "region": "moon"}),
    "an attribute of ours": orjson.dumps({**ROOM, "attributes": {"pulse": "x"}}),
    "too many values": b'{"claims":[' + b"1," * MOST_VALUES + b"1]}",
    "too many sources": orjson.dumps({**ROOM, "permissions": {"publish_sources": ["camera"] * 5}}),
    "two lines": orjson.dumps({**ROOM, "room": "a\nb"}),
    "banned": orjson.dumps({**ROOM, "identity": "mallory"}),
}


@pytest.mark.parametrize("body", BODIES.values(), ids=BODIES)
async def test_a_key_that_is_known_gets_the_same_from_memory(ways: Ways, house: House, body: bytes) -> None:
    assert ways.from_memory(house.headers, body) == await ways.as_usual(house.headers, body)


async def test_a_request_id_is_kept(ways: Ways, house: House) -> None:
    answer = ways.from_memory({**house.headers, "X-Request-Id": "mine"}, BODIES["no JSON"])

    assert answer is not None
    assert b"x-request-id: mine" in answer


async def test_a_pair_that_is_known_to_be_wrong_gets_the_same_from_memory(ways: Ways, house: House) -> None:
    wrong = {**house.headers, **GUESS}

    assert ways.from_memory(wrong, b"{") == await ways.as_usual(wrong, b"{")


async def test_a_pair_is_looked_up_once_and_then_refused_from_memory(ways: Ways, house: House, town: Town) -> None:
    other = await town.project(await town.person())
    mixed = {**house.headers, "X-Pulse-Secret": other.headers["X-Pulse-Secret"]}

    assert ways.from_memory(mixed, b"") is None
    refused = await ways.as_usual(mixed, b"")
    assert ways.from_memory(mixed, b"") == refused
    assert refused[0] == b"401"


@pytest.mark.parametrize("path", [path.decode() for method, path in FAST if method == b"GET"])
async def test_what_anybody_may_ask_is_the_same_from_memory(ways: Ways, path: str) -> None:
    assert ways.from_memory({}, b"", path) == await ways.as_usual({}, b"", path)


async def test_others_than_a_known_pair_are_left_to_the_application(ways: Ways, house: House, town: Town) -> None:
    fresh, person = await town.project(await town.person()), await town.person()
    without_secret = {"X-Pulse-Key": house.headers["X-Pulse-Key"]}

    for headers in ({}, fresh.headers, person.headers, without_secret, {"Authorization": "Basic eA=="}):
        assert ways.from_memory(headers, BODIES["little"]) is None


async def test_a_ban_of_this_moment_is_looked_up_before_memory_answers_again(
    ways: Ways, house: House, town: Town
) -> None:
    owner = await town.person()
    other = await town.project(owner)
    await bans.ban(town.work(owner), other.id, identity="eve", reason="spam")

    assert ways.from_memory(house.headers, BODIES["little"]) is None
    await ways.as_usual(house.headers, BODIES["little"])
    assert ways.from_memory(house.headers, BODIES["little"]) is not None


async def test_each_answer_is_told_and_measured_once_whoever_gave_it(
    ways: Ways, house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    told: list[Any] = []
    monkeypatch.setattr(logs, "request", lambda line: told.append({**line, "ms": 0, "request_id": ""}))
    monkeypatch.setattr(METRICS, "answered", lambda *kind: told.append(kind[:3]))

    for headers, body in ((house.headers, BODIES["little"]), (house.headers, b"{"), ({**house.headers, **GUESS}, b"")):
        ways.from_memory(headers, body)
        from_memory, told[:] = told.copy(), []
        await ways.as_usual(headers, body)
        as_usual, told[:] = told.copy(), []
        assert from_memory == as_usual
        assert len(from_memory) == 2
    assert ways.from_memory({}, b"") is None
    assert not told


async def test_an_old_secret_opens_nothing_from_memory_when_its_grace_is_over(
    ways: Ways, house: House, town: Town, clock: MovableClock
) -> None:
    system = ways.services.system("a test's grace")
    await keys.regenerate(system, house.id, key_id=house.key.id, grace_seconds=3)
    await ways.as_usual(house.headers, BODIES["little"])

    clock.move(2)
    within = ways.from_memory(house.headers, BODIES["little"])
    clock.move(2)

    assert within is not None
    assert within[0] == b"200"
    assert ways.from_memory(house.headers, BODIES["little"]) is None
    assert (await ways.as_usual(house.headers, BODIES["little"]))[0] == b"401"


async def test_what_memory_may_no_longer_believe_is_unavailable(ways: Ways, house: House, clock: MovableClock) -> None:
    clock.move(60)

    answer = ways.from_memory(house.headers, BODIES["little"])

    assert answer is not None
    assert answer[0] == b"503"
    assert answer == await ways.as_usual(house.headers, BODIES["little"])


class TestLimits:
    @pytest.fixture
    def settings(self, settings: Settings) -> Settings:
        """Few requests a minute for everybody."""
        limits = {f"rate_limit_{who}_per_minute": 3 for who in ("ip", "user", "project")}
        return settings.model_copy(update=limits)

    async def test_what_memory_answers_counts_and_what_it_does_not_answer_counts_once(
        self, ways: Ways, town: Town
    ) -> None:
        house = await town.project(await town.person())

        assert ways.from_memory(house.headers, BODIES["little"]) is None
        statuses = [(await ways.as_usual(house.headers, BODIES["little"]))[0]]
        for _ in range(3):
            answer = ways.from_memory(house.headers, BODIES["little"])
            assert answer is not None
            statuses.append(answer[0])

        assert statuses == [b"200", b"200", b"200", b"429"]

    async def test_a_key_that_is_known_counts_once_too_where_bans_must_be_looked_up(
        self, ways: Ways, town: Town
    ) -> None:
        owner = await town.person()
        house = await town.project(owner)
        statuses: list[bytes] = []

        for number in range(4):
            await bans.ban(town.work(owner), house.id, identity=f"eve{number}", reason="spam")
            assert number == 3 or ways.from_memory(house.headers, BODIES["little"]) is None
            statuses.append((await ways.as_usual(house.headers, BODIES["little"]))[0])

        assert statuses == [b"200", b"200", b"200", b"429"]

    async def test_a_spent_address_is_refused_from_memory_whatever_pair_it_sends(self, ways: Ways, town: Town) -> None:
        house = await town.project(await town.person())
        wrong = {**house.headers, **GUESS}
        for _ in range(3):
            ways.from_memory(wrong, b"")

        answer = ways.from_memory(house.headers, b"")

        assert answer is not None
        assert answer[0] == b"429"
        assert answer == await ways.as_usual(house.headers, b"")


async def test_a_page_of_another_origin_is_left_to_what_writes_its_headers(
    house: House, services: Services, settings: Settings
) -> None:
    changed = settings.model_copy(update={"cors_origins": ("https://app.example.com",)})
    ways = Ways(replace(services, settings=changed))

    for origin in ("https://app.example.com", "https://evil.example", "null"):
        assert ways.from_memory({**house.headers, "Origin": origin}, BODIES["little"]) is None
    for body in (BODIES["little"], b"{"):
        assert ways.from_memory(house.headers, body) == await ways.as_usual(house.headers, body)
