"""Customers of the running Pulse whose rooms are real."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
from pydantic import SecretStr

from pulse_dash.settings import Settings
from tests.engines.livekit import LiveKit
from tests.served import Customer, Served, a_customer


@pytest.fixture
async def acme(pulse: Served, livekit_server: LiveKit) -> AsyncIterator[Customer]:
    """A customer with a project."""
    async with a_customer(pulse) as customer:
        yield customer


@pytest.fixture
async def rival(pulse: Served, livekit_server: LiveKit) -> AsyncIterator[Customer]:
    """Somebody else with a project on the same LiveKit."""
    async with a_customer(pulse) as customer:
        yield customer


@pytest.fixture
def settings(settings: Settings, livekit_server: LiveKit) -> Settings:
    """The settings of a Pulse inside the test, against the real LiveKit."""
    return settings.model_copy(
        update={
            "livekit_host": livekit_server.url,
            "livekit_api_key": livekit_server.api_key,
            "livekit_api_secret": SecretStr(livekit_server.api_secret),
        }
    )
