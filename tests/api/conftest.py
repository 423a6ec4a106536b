"""What is logged is kept for the test to look at, and stays out of its output; who runs the installation, who not."""

from __future__ import annotations

from collections.abc import Iterator, MutableMapping
from typing import Any

import pytest
import structlog

from pulse_dash.core import operators
from pulse_dash.services import Services
from tests.people import Person, Town


@pytest.fixture(autouse=True)
def logged() -> Iterator[list[MutableMapping[str, Any]]]:
    """Every log line of the test."""
    with structlog.testing.capture_logs() as lines:
        yield lines


@pytest.fixture
async def operator(town: Town, services: Services) -> Person:
    """Somebody who runs the installation."""
    person = await town.person()
    await operators.appoint(services.system("the machine"), person.actor.email)
    return person


@pytest.fixture
async def owner(operator: Person, town: Town) -> Person:
    """Somebody else. The first account of an installation is an operator; this one is a later one."""
    return await town.person()
