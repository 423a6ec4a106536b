"""The database goes away under open pages: each says so in words, keeps what still works, and comes back by itself."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from playwright.async_api import Browser, expect

from tests.breakable import SIGN
from tests.browser.soundness import unsound
from tests.browser.test_pages import INSIDE, SHOTS
from tests.browser.visitor import DESKTOP, HEIGHT, PHONE, Visitor, visiting
from tests.served import Served, a_customer, pulse_running

TEXT = "Pulse cannot read its database at the moment."


@pytest.fixture(scope="module")
def gone(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """While this file is there the database is not."""
    return tmp_path_factory.mktemp("gone") / "database"


@pytest.fixture(scope="module")
def fragile(tmp_path_factory: pytest.TempPathFactory, gone: Path) -> Iterator[Served]:
    """A Pulse of its own, whose database can be taken away."""
    with pulse_running(tmp_path_factory.mktemp("fragile"), program="tests.breakable", **{SIGN: str(gone)}) as pulse:
        yield pulse


async def test_every_page_says_what_failed_what_still_works_and_comes_back(
    chromium: Browser, fragile: Served, gone: Path
) -> None:
    wrong: dict[str, list[str]] = {}
    async with a_customer(fragile) as customer, visiting(chromium, fragile) as visitor:
        visitor.expected |= {"503"}
        await visitor.sign_in(customer.email)
        await visitor.go("/")
        with away(gone):
            for path in dict.fromkeys(path.partition("?")[0] for path, _ in INSIDE.values()):
                await visitor.page.goto(fragile.url + path.format(project=customer.project_id))
                wrong[path] = await told(visitor)
        await expect(visitor.page.locator(".away")).not_to_be_visible(timeout=15_000)
        await visitor.settled()
        await expect(visitor.page.get_by_role("heading", level=1)).to_be_visible()

    assert {path: found for path, found in wrong.items() if found} == {}


async def test_a_page_that_stays_open_keeps_what_it_shows(chromium: Browser, fragile: Served, gone: Path) -> None:
    async with a_customer(fragile) as customer, visiting(chromium, fragile) as visitor:
        visitor.expected |= {"503"}
        await visitor.sign_in(customer.email)
        await visitor.go("/projects")
        with away(gone):
            # Its loop comes around meanwhile.
            await visitor.page.wait_for_timeout(2500)
            await expect(visitor.page.get_by_text(customer.project_id)).to_be_visible()


@contextmanager
def away(gone: Path) -> Iterator[None]:
    """The database is away while the block runs."""
    gone.touch()
    try:
        yield
    finally:
        gone.unlink()


async def told(visitor: Visitor) -> list[str]:
    """What is missing or wrong about the sentence that stands in the page's place."""
    page = visitor.page
    away = page.locator(".away")
    await expect(away.get_by_text(TEXT)).to_be_visible()
    await expect(away.get_by_role("button", name="Try again")).to_be_visible()
    reference = away.locator("[data-away-reference]")
    await expect(reference).not_to_be_empty()
    await away.locator("[data-copy]").click()
    copied = await page.evaluate("navigator.clipboard.readText()")
    wrong = [] if copied == await reference.text_content() else [f"copied {copied!r}"]
    for width in (PHONE, DESKTOP):
        await page.set_viewport_size({"width": width, "height": HEIGHT[width]})
        wrong += [f"{width}: {each}" for each in (*await unsound(page), *await visitor.findings())]
        await page.screenshot(path=SHOTS / f"database-gone-light-{width}.png")
    return wrong
