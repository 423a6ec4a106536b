"""A house for each test: a real embedded store of its own, a clock that the test moves, and the whole API."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import httpx
import pytest

from pulse_dash.api.app import make_api
from pulse_dash.api.headers import CarefulAnswers
from pulse_dash.core.passwords import Passwords
from pulse_dash.services import Services, assemble
from pulse_dash.settings import Settings, load_settings
from pulse_dash.store.connect import connect
from tests.doubles import BreakableEngine, Mailbox, MovableClock
from tests.people import Town

pytest_plugins = ["tests.engines.plugin", "tests.served"]

PUBLIC_URL = "http://localhost:8000"


@pytest.fixture
def clock() -> MovableClock:
    """The test's own clock."""
    return MovableClock()


@pytest.fixture
def settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Settings:
    """Development settings that read neither the machine's environment nor a `.env`."""
    monkeypatch.chdir(tmp_path)
    return load_settings(
        pulse_data_dir=tmp_path / "data",
        public_url=PUBLIC_URL,
        livekit_host="ws://127.0.0.1:1",
        livekit_api_key="testkey",
        livekit_api_secret="a-livekit-secret-of-the-tests-alone",
        rate_limit_ip_per_minute=10_000,
        rate_limit_user_per_minute=10_000,
    )


@pytest.fixture
async def engine(settings: Settings) -> AsyncIterator[BreakableEngine]:
    """A real embedded store that a test may take away and bring back."""
    real = await connect(mongo_uri=None, database="pulse", data_dir=settings.data_dir)
    await real.prepare()
    # Every question that a test's core functions ask is answered by a declared index, or the test fails.
    real.refuses_unserved = True
    breakable = BreakableEngine(real)
    yield breakable
    await real.close()


@pytest.fixture
async def services(settings: Settings, engine: BreakableEngine, clock: MovableClock) -> AsyncIterator[Services]:
    """All parts, with jobs left to the test: `await services.feed.read()` and the like."""
    parts = assemble(settings, engine, clock, Passwords(password_cost=4))
    yield parts
    await parts.parts.store.logged()
    await parts.livekit.close()
    parts.parts.passwords.close()


@pytest.fixture
async def client(services: Services) -> AsyncIterator[httpx.AsyncClient]:
    """A caller of the whole API, the fast lane and the front included."""
    app = CarefulAnswers(make_api(services), https=False)
    transport = httpx.ASGITransport(app, client=("203.0.113.9", 4711))
    async with httpx.AsyncClient(transport=transport, base_url=PUBLIC_URL) as caller:
        yield caller


@pytest.fixture
def town(services: Services) -> Town:
    """Makes people, organizations, projects and keys with one word each."""
    return Town(services)


@pytest.fixture
def mailbox() -> Mailbox:
    """A mail server that takes everything."""
    return Mailbox()


@pytest.fixture
def mailing(services: Services, mailbox: Mailbox) -> Services:
    """The same house with a mail server, so that addresses are proved."""
    policy = replace(services.parts.policy, proves_addresses=True)
    return replace(services, parts=replace(services.parts, post=mailbox, policy=policy))
