"""Visitors of the running Pulse, with an account of their own and without one, all in one browser."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio
from playwright.async_api import Browser

from deploy.engines import Missing
from tests.browser.visitor import Visitor, visiting
from tests.engines.browser import chromium_running
from tests.engines.plugin import lacks
from tests.served import Customer, Served, a_customer


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """One loop for all of these tests: a browser lives in the loop that started it, and starting one takes seconds."""
    here = Path(__file__).parent
    for item in items:
        if item.path.is_relative_to(here) and pytest_asyncio.is_async_test(item):
            item.add_marker(pytest.mark.asyncio(loop_scope="session"), append=False)


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def chromium() -> AsyncIterator[Browser]:
    """One browser; each visitor has a context of their own in it."""
    try:
        async with chromium_running() as browser:
            yield browser
    except Missing as missing:
        lacks(missing)


@pytest_asyncio.fixture(loop_scope="session")
async def customer(pulse: Served) -> AsyncIterator[Customer]:
    """Somebody with an account and a project."""
    async with a_customer(pulse) as somebody:
        yield somebody


@pytest_asyncio.fixture(loop_scope="session")
async def rival(pulse: Served) -> AsyncIterator[Customer]:
    """Somebody else with a project."""
    async with a_customer(pulse) as somebody:
        yield somebody


@pytest_asyncio.fixture(loop_scope="session")
async def stranger(chromium: Browser, pulse: Served) -> AsyncIterator[Visitor]:
    """Somebody at a browser whom Pulse does not know."""
    async with visiting(chromium, pulse) as visitor:
        yield visitor


@pytest_asyncio.fixture(loop_scope="session")
async def visitor(stranger: Visitor, customer: Customer) -> Visitor:
    """The customer at a browser, signed in."""
    await stranger.sign_in(customer.email)
    return stranger
