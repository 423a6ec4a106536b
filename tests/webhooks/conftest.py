"""A project whose webhooks may lead to a receiver on this machine."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace

import pytest

from pulse_dash.adapters.outbound import OutboundClient
from pulse_dash.core.outbound import Allowed, Purpose
from pulse_dash.services import Services
from tests.people import House, Person, Town
from tests.receiver import Receiver, receiving


@pytest.fixture
async def receiver() -> AsyncIterator[Receiver]:
    async with receiving() as running:
        yield running


@pytest.fixture
def town(services: Services, receiver: Receiver) -> Town:
    """An installation that lets this one receiver be named although it is private."""
    outbound = OutboundClient(frozenset({Allowed(Purpose.WEBHOOK, "127.0.0.1", receiver.port)}))
    return Town(replace(services, parts=replace(services.parts, outbound=outbound)))


@pytest.fixture
async def owner(town: Town) -> Person:
    return await town.person()


@pytest.fixture
async def house(town: Town, owner: Person) -> House:
    return await town.project(owner)
