"""The search over everything: opened, walked and left by keyboard, and it finds nothing of anybody else."""

from __future__ import annotations

import re

import httpx
import pytest
from playwright.async_api import Locator, expect

from tests.browser.visitor import HEIGHT, PHONE, Visitor
from tests.people import HOSTILE
from tests.served import Customer


async def opened(visitor: Visitor, words: str = "") -> Locator:
    """The search, with these words in it and their answer there."""
    await visitor.press("Control+k")
    box = visitor.page.get_by_role("combobox", name="Search or jump to")
    await expect(box).to_be_focused()
    if words:
        await visitor.write(words)
    await expect(visitor.page.locator("#palette-list[aria-busy=false]")).to_be_attached()
    return visitor.page.locator("dialog.palette")


def hits(visitor: Visitor) -> Locator:
    return visitor.page.locator("#palette-list").get_by_role("option")


async def rename(customer: Customer, name: str) -> httpx.Response:
    owner = {"Authorization": f"Bearer {customer.bearer}"}
    return await customer.http.put(f"/v1/projects/{customer.project_id}", json={"name": name}, headers=owner)


async def test_nothing_of_anybody_else_is_found_by_name_id_or_key(
    visitor: Visitor, customer: Customer, rival: Customer
) -> None:
    await rename(rival, "Unmistakable")
    await visitor.go("/")
    for words in ("Unmistakable", rival.project_id, rival.key):
        search = await opened(visitor, words)

        await expect(search.get_by_text("Nothing matches")).to_be_visible()
        await visitor.press("Escape")


async def test_a_project_is_found_by_a_part_of_its_name_and_opened_with_enter(
    visitor: Visitor, customer: Customer
) -> None:
    await rename(customer, "Evening Classes")
    await visitor.go("/")
    await opened(visitor, "ing cla")
    await expect(hits(visitor).first).to_contain_text("Evening Classes")
    await visitor.press("Enter")

    await expect(visitor.page.get_by_role("heading", level=1)).to_have_text("Evening Classes")


@pytest.mark.parametrize("what", ["project_id", "key"])
async def test_an_id_or_an_api_key_leads_to_its_project(visitor: Visitor, customer: Customer, what: str) -> None:
    await visitor.go("/projects")
    await opened(visitor, getattr(customer, what))
    await expect(hits(visitor)).to_have_count(1)
    await visitor.press("Enter")

    await visitor.page.wait_for_url(re.compile(rf"/projects/{customer.project_id}$"))


async def test_the_search_opens_again_before_the_browser_has_told_of_its_closing(visitor: Visitor) -> None:
    await visitor.go("/")
    search = await opened(visitor)
    await search.evaluate(
        """(search) => {
            search.close();
            document.dispatchEvent(new KeyboardEvent("keydown", { key: "k", ctrlKey: true }));
        }"""
    )
    await search.evaluate("() => new Promise((told) => setTimeout(() => requestAnimationFrame(told), 50))")

    await expect(visitor.page.get_by_role("combobox", name="Search or jump to")).to_be_focused()


async def test_arrows_walk_and_wrap_and_escape_gives_the_focus_back(visitor: Visitor) -> None:
    await visitor.go("/")
    await visitor.page.locator(".side-search").focus()
    await visitor.press("Enter")
    await expect(hits(visitor).first).to_have_attribute("aria-selected", "true")
    await visitor.press("ArrowDown")
    await expect(hits(visitor).nth(1)).to_have_attribute("aria-selected", "true")
    box = visitor.page.get_by_role("combobox")
    assert await box.get_attribute("aria-activedescendant") == await hits(visitor).nth(1).get_attribute("id")
    await visitor.press("ArrowUp", "ArrowUp")
    await expect(hits(visitor).last).to_have_attribute("aria-selected", "true")
    await visitor.press("Escape")

    await expect(visitor.page.locator("dialog.palette")).not_to_be_visible()
    await expect(visitor.page.locator(".side-search")).to_be_focused()


async def test_enter_before_the_answer_is_there_opens_the_first_of_it(visitor: Visitor, customer: Customer) -> None:
    await rename(customer, "Quick Hands")
    await visitor.go("/projects")
    await opened(visitor)
    await visitor.write("quick hands")
    await visitor.press("Enter")

    await visitor.page.wait_for_url(re.compile(rf"/projects/{customer.project_id}$"))


async def test_it_does_as_well_as_it_finds(visitor: Visitor) -> None:
    await visitor.go("/organizations")
    await opened(visitor, "dark theme")
    await visitor.press("Enter")
    assert await visitor.page.evaluate("document.documentElement.dataset.theme") == "dark"
    await opened(visitor, "create project")
    await visitor.press("Enter")

    await expect(visitor.page.get_by_role("dialog", name="New project")).to_be_visible()
    await expect(visitor.page.locator("#new-project-name")).to_be_focused()


async def test_another_organization_is_switched_to(visitor: Visitor, customer: Customer) -> None:
    owner = {"Authorization": f"Bearer {customer.bearer}"}
    await customer.http.post("/v1/organizations", json={"name": "Second House"}, headers=owner)
    await visitor.go("/projects")
    await opened(visitor, "second")
    await expect(hits(visitor)).to_have_count(1)
    await visitor.press("Enter")

    await expect(visitor.page.locator(".page .crumbs")).to_have_text("Second House")


async def test_a_hostile_name_is_found_as_text_on_a_phone(visitor: Visitor, customer: Customer) -> None:
    await rename(customer, HOSTILE)
    await visitor.page.set_viewport_size({"width": PHONE, "height": HEIGHT[PHONE]})
    await visitor.go("/")
    await visitor.page.locator(".bar").get_by_label("Search or jump to").click()
    await visitor.write("alert(1)")
    await expect(hits(visitor).first.locator("bdi").first).to_have_text(HOSTILE)

    assert await visitor.findings() == []
    assert await visitor.scrolls_sideways() <= 0
