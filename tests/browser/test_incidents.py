"""The operators' forms on the page Status by hand: incidents and maintenance are told, go on, end and are explained."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import pytest_asyncio
from playwright.async_api import Browser, Locator, expect

from tests.browser.test_pages import looked_at, nothing
from tests.browser.visitor import DESKTOP, PHONE, Visitor, visiting
from tests.people import HOSTILE
from tests.served import Customer, Served, a_customer, pulse_running


@pytest.fixture(scope="module")
def installation(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """A Pulse of its own, whose first account runs it."""
    with pulse_running(tmp_path_factory.mktemp("installation")) as pulse:
        yield pulse


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def first(installation: Served) -> AsyncIterator[Customer]:
    """Whoever runs it."""
    async with a_customer(installation) as somebody:
        yield somebody


@pytest_asyncio.fixture(loop_scope="session")
async def operator(chromium: Browser, installation: Served, first: Customer) -> AsyncIterator[Visitor]:
    """An operator in front of the page."""
    async with visiting(chromium, installation) as visitor:
        await visitor.sign_in(first.email)
        await visitor.go("/service-status")
        yield visitor


async def test_an_incident_is_told_and_stands_on_the_public_page(operator: Visitor) -> None:
    page = operator.page
    await page.get_by_role("button", name="Tell of an incident…").click()
    dialog = page.get_by_role("dialog")
    await dialog.get_by_label("Title").fill(HOSTILE)
    await dialog.get_by_label("What is known").fill("Joins take long.")
    await dialog.get_by_label("Impact").select_option("major")
    await dialog.get_by_label("LiveKit").check()
    await dialog.get_by_role("button", name="Tell everybody").click()

    await expect(dialog).to_have_count(0)
    await expect(row(operator, HOSTILE)).to_contain_text("Joins take long.")
    await expect(row(operator, HOSTILE)).to_contain_text("LiveKit")
    await page.goto(f"{operator.url}/status")
    await expect(page.get_by_role("heading", name=HOSTILE)).to_be_visible()


async def test_what_is_missing_is_said_in_the_dialog_and_nothing_is_lost(operator: Visitor) -> None:
    page = operator.page
    await page.get_by_role("button", name="Tell of an incident…").click()
    dialog = page.get_by_role("dialog")
    await dialog.get_by_label("What is known").fill("Joins take long.")
    await dialog.get_by_role("button", name="Tell everybody").click()

    await expect(dialog.get_by_text("Give it a title that people understand.")).to_be_visible()
    await expect(dialog.get_by_label("What is known")).to_have_value("Joins take long.")


async def test_how_it_goes_is_told_until_it_is_over(operator: Visitor, first: Customer) -> None:
    await told(first, title="Slow joins", body="We look.")

    await say(operator, "Slow joins", "identified", "A full disk.")
    await expect(row(operator, "Slow joins")).to_contain_text("A full disk.")
    await say(operator, "Slow joins", "resolved", "It is empty again.")

    await expect(row(operator, "Slow joins")).to_contain_text("It is empty again.")
    await expect(row(operator, "Slow joins")).to_contain_text("ended")
    await expect(row(operator, "Slow joins").get_by_role("button", name="Say how it goes…")).to_have_count(0)


async def test_what_it_came_from_is_written_and_changed(operator: Visitor, first: Customer) -> None:
    await told(first, title="No mails", body="We look.")
    for button, words in (("Explain it…", "A wrong address."), ("Change the explanation…", "A wrong name.")):
        await row(operator, "No mails").get_by_role("button", name=button).click()
        dialog = operator.page.get_by_role("dialog")
        await dialog.get_by_label("What it came from").fill(words)
        await dialog.get_by_role("button", name="Publish").click()

        await expect(row(operator, "No mails")).to_contain_text(f"Afterwards {words}")


async def test_maintenance_is_planned_in_utc(operator: Visitor) -> None:
    page = operator.page
    begins = datetime.now(UTC).replace(second=0, microsecond=0) + timedelta(days=2)
    await page.get_by_role("button", name="Plan maintenance…").click()
    dialog = page.get_by_role("dialog")
    await dialog.get_by_label("Title").fill("New disks")
    await dialog.get_by_label("What is done").fill("Rooms stay open.")
    await dialog.get_by_label("Begins").fill(f"{begins:%Y-%m-%dT%H:%M}")
    await dialog.get_by_label("Ends").fill(f"{begins - timedelta(hours=1):%Y-%m-%dT%H:%M}")
    await dialog.get_by_role("button", name="Tell everybody").click()
    await expect(dialog.locator("#maintenance-ends_at-error")).not_to_be_empty()
    await dialog.get_by_label("Ends").fill(f"{begins + timedelta(hours=1):%Y-%m-%dT%H:%M}")
    await dialog.get_by_role("button", name="Tell everybody").click()

    await expect(dialog).to_have_count(0)
    shown = row(operator, "New disks").locator("time").first
    await expect(shown).to_have_attribute("datetime", begins.isoformat())


async def test_maintenance_begins_and_ends_early_by_an_operators_word(operator: Visitor, first: Customer) -> None:
    begins = datetime.now(UTC) + timedelta(hours=5)
    ends = begins + timedelta(hours=1)
    await told(
        first,
        kind="maintenance",
        title="New cables",
        body="Soon.",
        starts_at=begins.isoformat(),
        ends_at=ends.isoformat(),
    )

    await expect(row(operator, "New cables")).to_contain_text("begins")
    await say(operator, "New cables", "in_progress", "We begin.")
    await expect(row(operator, "New cables")).to_contain_text("began")
    await say(operator, "New cables", "completed", "Done.")

    await expect(row(operator, "New cables")).to_contain_text("ended")


async def test_the_page_of_an_operator_is_sound(chromium: Browser, installation: Served, first: Customer) -> None:
    await told(first, title="Long " * 25, body="word " * 300)
    wrong: list[str] = []
    for theme in ("light", "dark"):
        for width in (DESKTOP, PHONE):
            async with visiting(chromium, installation, theme=theme, width=width) as visitor:
                await visitor.sign_in(first.email)
                shot = "service-status-operator"
                wrong += await looked_at(visitor, shot, "/service-status", nothing, theme=theme, width=width)
                await visitor.page.get_by_role("button", name="Plan maintenance…").click()
                wrong += await visitor.findings()

    assert wrong == []


def row(operator: Visitor, title: str) -> Locator:
    """The incident or window of this title."""
    heading = operator.page.get_by_role("heading", name=title, exact=True)
    return operator.page.locator(".incident-list > li", has=heading)


async def say(operator: Visitor, title: str, state: str, words: str) -> None:
    """One more word on how it goes."""
    await row(operator, title).get_by_role("button", name="Say how it goes…").click()
    dialog = operator.page.get_by_role("dialog")
    await dialog.get_by_label("State").select_option(state)
    await dialog.get_by_label("What is known now").fill(words)
    await dialog.get_by_role("button", name="Tell everybody").click()
    await expect(dialog).to_have_count(0)


async def told(first: Customer, **body: Any) -> None:
    """One that an operator's script told of."""
    answer = await first.http.post(
        "/v1/status/incidents", json=body, headers={"Authorization": f"Bearer {first.bearer}"}
    )
    assert answer.status_code == 201, answer.text
