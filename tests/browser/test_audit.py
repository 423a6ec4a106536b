"""The audit log in a browser: brushed, opened, exported, and new entries that move nothing."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import AsyncIterator

import pytest_asyncio
from playwright.async_api import expect

from tests.browser.visitor import Visitor
from tests.served import Customer


@pytest_asyncio.fixture(loop_scope="session")
async def renamed(customer: Customer) -> AsyncIterator[Customer]:
    """Somebody whose project was renamed a few times."""
    for name in ("Morning Classes", "Evening Classes"):
        await rename(customer, name)
    yield customer


async def rename(customer: Customer, name: str) -> None:
    path, headers = f"/v1/projects/{customer.project_id}", {"Authorization": f"Bearer {customer.bearer}"}
    assert (await customer.http.put(path, headers=headers, json={"name": name})).is_success


async def test_an_entry_opens_to_what_was_before_and_after(visitor: Visitor, renamed: Customer) -> None:
    await visitor.go("/audit?action=project.updated")
    entry = visitor.page.locator(".audit-entry").first

    await visitor.tab_to(await _summary_of(visitor))
    await visitor.press("Enter")

    await expect(entry.locator("del")).to_have_text("Morning Classes")
    await expect(entry.locator("ins")).to_have_text("Evening Classes")
    await expect(entry.get_by_text(re.compile(r"entry \d+"))).to_be_visible()


async def _summary_of(visitor: Visitor) -> str:
    return (await visitor.page.locator(".audit-entry summary").first.inner_text()).strip()


async def test_filters_stand_in_the_address_and_come_back_with_it(visitor: Visitor, renamed: Customer) -> None:
    await visitor.go("/audit")
    await visitor.page.get_by_label("Action", exact=True).select_option("project.*")
    await visitor.page.wait_for_url("**/audit?action=project.%2A")
    await expect(visitor.page.get_by_text("created an account")).to_have_count(0)
    await visitor.page.get_by_label("Search the audit log").fill("morning")
    await visitor.page.wait_for_url("**search=morning**")
    await expect(visitor.page.locator(".audit-entry")).to_have_count(1)

    await visitor.page.reload()
    await visitor.settled()

    await expect(visitor.page.locator(".audit-entry")).to_have_count(1)
    await expect(visitor.page.get_by_label("Action", exact=True)).to_have_value("project.*")


async def test_a_stretch_of_time_is_chosen_by_dragging_over_it_and_given_up_again(
    visitor: Visitor, renamed: Customer
) -> None:
    await visitor.go("/audit?period=day")
    box = await visitor.page.locator(".chart-low .drag").first.bounding_box()
    assert box is not None
    across, down = box["y"] + box["height"] / 2, box["x"] + box["width"]
    await visitor.page.mouse.move(down - 120, across)
    await visitor.page.mouse.down()
    await visitor.page.mouse.move(down - 60, across, steps=6)
    await visitor.page.mouse.move(down - 2, across, steps=6)
    await visitor.page.mouse.up()

    await visitor.page.wait_for_url("**from=**")
    await expect(visitor.page.get_by_label("Time")).to_have_value("chosen")
    await expect(visitor.page.get_by_text("Morning Classes").first).to_be_visible()
    await visitor.page.get_by_label("Time").select_option("week")
    await visitor.page.wait_for_url("**/audit?period=week")
    await expect(visitor.page.get_by_label("Time")).to_have_value("week")


async def test_new_entries_announce_themselves_and_move_nothing(visitor: Visitor, renamed: Customer) -> None:
    await visitor.go("/audit")
    entries = visitor.page.locator(".audit-entry")
    before = await entries.count()

    await rename(renamed, "Night Classes")

    news = visitor.page.get_by_role("button", name="1 new entry")
    await expect(news).to_be_visible()
    assert await entries.count() == before
    await news.click()
    await expect(visitor.page.locator(".audit-entry", has_text="Evening Classes").first).to_be_visible()
    await expect(entries).to_have_count(before + 1)
    await expect(news).to_have_count(0)


async def test_the_file_has_what_the_page_is_filtered_by(visitor: Visitor, renamed: Customer) -> None:
    await visitor.go("/audit?action=project.updated")
    async with visitor.page.expect_download() as downloading:
        await visitor.page.get_by_role("link", name="Export CSV").click()
    file = await (await downloading.value).path()

    rows = list(csv.DictReader(io.StringIO(file.read_text("utf-8"))))
    assert [row["action"] for row in rows] == ["project.updated"] * 2
    # Before it was renamed it was called otherwise.
    assert rows[1]["resource_name"] == "Morning Classes"


async def test_verify_says_what_it_found_and_compares_with_a_checkpoint(visitor: Visitor, renamed: Customer) -> None:
    organization = (await renamed.http.get("/v1/organizations", headers=_bearer(renamed))).json()["items"][0]["id"]
    asked = {"org_id": organization}
    found = (await renamed.http.get("/v1/audit-logs/verify", headers=_bearer(renamed), params=asked)).json()
    await visitor.go("/audit")
    await visitor.page.get_by_role("button", name="Verify").click()
    await expect(visitor.page.get_by_text("Not anchored")).to_be_visible()
    await visitor.page.get_by_text("Compare with a checkpoint").click()

    await visitor.page.get_by_label("The line that was mailed").fill("no checkpoint")
    await visitor.page.get_by_role("button", name="Compare").click()
    await expect(visitor.page.get_by_text("This is no checkpoint.")).to_be_visible()
    await visitor.page.get_by_label("The line that was mailed").fill(found["head"]["checkpoint"])
    await visitor.page.get_by_role("button", name="Compare").click()

    await expect(visitor.page.get_by_text("It goes with the checkpoint you gave")).to_be_visible()


def _bearer(customer: Customer) -> dict[str, str]:
    return {"Authorization": f"Bearer {customer.bearer}"}


async def test_an_owner_says_where_checkpoints_go_and_gets_the_secret_once(visitor: Visitor, renamed: Customer) -> None:
    await visitor.go("/audit")
    await visitor.page.get_by_role("button", name="Choose where they go…").click()
    await visitor.page.get_by_label("Webhook").fill("http://example.com/hooks")
    await visitor.page.get_by_role("button", name="Save").click()
    await expect(visitor.page.get_by_text("Must begin with https://.")).to_be_visible()
    await visitor.page.get_by_label("Webhook").fill("https://hooks.example.com/pulse")
    await visitor.page.get_by_role("button", name="Save").click()

    await expect(visitor.page.locator("code", has_text="whsec_")).to_be_visible()
    await expect(visitor.page.get_by_text("the first one has not arrived yet")).to_be_visible()
    await visitor.page.get_by_role("button", name="I have copied it").click()
    await expect(visitor.page.locator("code", has_text="whsec_")).to_have_count(0)
    assert "whsec_" not in await visitor.page.content()
