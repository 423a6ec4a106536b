"""The engines as fixtures: `livekit_server`, `redis_server` and `chromium`.

A test that asks for one carries its marker by itself. Where the engine is missing it is skipped by name;
with CI=true nothing may be missing, and a skip of any other kind fails the run too.
"""

from __future__ import annotations

import os
from collections.abc import AsyncIterator, Iterator
from typing import NoReturn

import pytest
from playwright.async_api import Browser

from deploy.engines import Missing
from tests.engines.browser import chromium_running
from tests.engines.livekit import LiveKit, livekit_running
from tests.engines.redis import Redis, redis_running

MARKERS = {"livekit_server": "livekit", "chromium": "browser", "redis_server": "redis"}


def in_ci() -> bool:
    """CI has every engine; a person may have none."""
    return os.environ.get("CI") == "true"


def lacks(missing: Missing) -> NoReturn:
    """Skip by name; in CI fail instead."""
    if in_ci():
        pytest.fail(str(missing), pytrace=False)
    pytest.skip(str(missing))


@pytest.fixture(scope="session")
def livekit_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LiveKit]:
    """One real LiveKit for the whole run; rooms are apart by their names."""
    try:
        with livekit_running(tmp_path_factory.mktemp("livekit")) as server:
            yield server
    except Missing as missing:
        lacks(missing)


@pytest.fixture(scope="session")
def redis_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Redis]:
    """One real Redis for the whole run."""
    try:
        with redis_running(tmp_path_factory.mktemp("redis")) as server:
            yield server
    except Missing as missing:
        lacks(missing)


@pytest.fixture
async def chromium() -> AsyncIterator[Browser]:
    """A browser of the test's own: its loop ends with the test, and so must what hangs on it."""
    try:
        async with chromium_running() as browser:
            yield browser
    except Missing as missing:
        lacks(missing)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Whoever asks for an engine is marked with it, so that `-m "not browser"` leaves nobody out."""
    for item in items:
        for fixture, marker in MARKERS.items():
            if fixture in getattr(item, "fixturenames", ()):
                item.add_marker(marker)


@pytest.hookimpl(trylast=True)
def pytest_sessionfinish(session: pytest.Session) -> None:
    """In CI a skip is a hole in what is promised."""
    reporter = session.config.pluginmanager.get_plugin("terminalreporter")
    if in_ci() and reporter is not None and reporter.stats.get("skipped") and session.exitstatus == pytest.ExitCode.OK:
        reporter.write_line("\nSkipped tests fail the run in CI.", red=True)
        session.exitstatus = pytest.ExitCode.TESTS_FAILED
