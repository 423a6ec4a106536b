"""Where a caller stands: which address counts behind proxies, and whose pages may call from a browser."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import httpx
import pytest

from pulse_dash.api.app import make_api
from pulse_dash.api.headers import CarefulAnswers
from pulse_dash.api.principals import client_ip
from pulse_dash.core.networks import network_of
from pulse_dash.services import Services
from pulse_dash.settings import Settings, load_settings


def seen(settings: Settings, *forwarded: str, socket: str = "10.0.0.1") -> str:
    """The address that a request from this socket counts as."""
    headers = [(b"x-forwarded-for", line.encode()) for line in forwarded]
    return client_ip({"client": (socket, 1), "headers": headers}, settings)


@pytest.fixture
def behind_proxies(settings: Settings) -> Settings:
    """Settings with two trusted networks."""
    networks = load_settings(trusted_proxies="10.0.0.0/8, fd00::/8").trusted_proxies
    return settings.model_copy(update={"trusted_proxies": networks})


def test_without_trusted_proxies_only_the_socket_counts(settings: Settings) -> None:
    assert seen(settings, "203.0.113.7") == "10.0.0.1"
    assert client_ip({"client": None, "headers": []}, settings) == ""


ROWS: list[tuple[tuple[str, ...], str, str]] = [
    ((), "10.0.0.1", "10.0.0.1"),
    (("203.0.113.7",), "10.0.0.1", "203.0.113.7"),
    (("203.0.113.7, 10.9.9.9",), "10.0.0.1", "203.0.113.7"),
    (("203.0.113.7", "10.9.9.9"), "fd00::1", "203.0.113.7"),
    # What a caller writes itself stands to the left of what the first proxy saw.
    (("127.0.0.1, 203.0.113.7",), "10.0.0.1", "203.0.113.7"),
    (("1.1.1.1, 203.0.113.7, 10.1.1.1",), "10.0.0.1", "203.0.113.7"),
    # The socket itself is no proxy of ours: nothing that it says counts.
    (("127.0.0.1",), "198.51.100.1", "198.51.100.1"),
    (("10.1.1.1, 10.2.2.2",), "10.0.0.1", "10.1.1.1"),
    (("203.0.113.7",), "::ffff:10.0.0.1", "203.0.113.7"),
    (("::ffff:203.0.113.7",), "10.0.0.1", "203.0.113.7"),
    (("junk",), "10.0.0.1", "junk"),
]


@pytest.mark.parametrize(("forwarded", "socket", "counts"), ROWS)
def test_behind_proxies_the_rightmost_address_outside_of_them_counts(
    behind_proxies: Settings, forwarded: tuple[str, ...], socket: str, counts: str
) -> None:
    assert seen(behind_proxies, *forwarded, socket=socket) == counts


@pytest.mark.parametrize(
    ("address", "counts"),
    [
        ("203.0.113.7", "203.0.113.7"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::"),
        ("2001:db8:1:2::1", "2001:db8:1:2::"),
        ("2001:db8:1:3::1", "2001:db8:1:3::"),
        ("::ffff:203.0.113.7", "203.0.113.7"),
        ("", ""),
        ("junk", "junk"),
        # Some proxies write the port behind it.
        ("203.0.113.7:54321", "203.0.113.7"),
        ("[2001:db8:1:2::9]:443", "2001:db8:1:2::"),
    ],
)
def test_an_ipv6_caller_is_its_network(address: str, counts: str) -> None:
    assert network_of(address) == counts


OURS = "https://app.example.com"


async def asked(services: Services, verb: str, origin: str, **headers: str) -> httpx.Response:
    """An answer to a page of that origin."""
    changed = services.settings.model_copy(update={"cors_origins": (OURS,)})
    app: Any = CarefulAnswers(make_api(_with(services, changed)), https=False)
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://localhost:8000") as caller:
        return await caller.request(verb, "/v1/tokens/create", headers={"Origin": origin, **headers}, json={})


def _with(services: Services, settings: Settings) -> Services:
    return replace(services, settings=settings)


async def test_pages_of_other_origins_are_not_answered_for(services: Services) -> None:
    preflight = {"Access-Control-Request-Method": "POST", "Access-Control-Request-Headers": "X-Pulse-Key"}
    for origin in ("https://evil.example", f"{OURS}.evil.example", "null", "http://app.example.com"):
        assert "access-control-allow-origin" not in (await asked(services, "POST", origin)).headers
        assert "access-control-allow-origin" not in (await asked(services, "OPTIONS", origin, **preflight)).headers


async def test_pages_of_a_named_origin_may_call_and_read_limits_without_cookies(services: Services) -> None:
    preflight = {"Access-Control-Request-Method": "POST", "Access-Control-Request-Headers": "X-Pulse-Key, Content-Type"}

    allowed, answer = await asked(services, "OPTIONS", OURS, **preflight), await asked(services, "POST", OURS)

    assert (allowed.status_code, allowed.headers["access-control-allow-origin"]) == (200, OURS)
    assert answer.headers["access-control-allow-origin"] == OURS
    assert "RateLimit" in answer.headers["access-control-expose-headers"]
    assert "access-control-allow-credentials" not in answer.headers


async def test_no_origin_is_allowed_by_default(client: httpx.AsyncClient) -> None:
    answer = await client.get("/v1/auth/me", headers={"Origin": "https://app.example.com"})

    assert "access-control-allow-origin" not in answer.headers
