"""Recent activity: what others just did stands there by itself, in words, and never another tenant's."""

from __future__ import annotations

from playwright.async_api import Locator, expect

from tests.browser.visitor import Visitor
from tests.people import HOSTILE
from tests.served import Customer


async def test_an_open_dashboard_says_nothing_of_what_others_do_elsewhere(
    visitor: Visitor, customer: Customer, rival: Customer
) -> None:
    await visitor.go("/")
    await rename(rival, "a secret name")
    await rename(customer, "mine")

    await expect(said(visitor, "changed the project")).to_be_visible()
    assert not any("a secret name" in frame or rival.project_id in frame for frame in visitor.frames)


async def test_what_somebody_does_stands_there_by_itself_whatever_the_name(
    visitor: Visitor, customer: Customer
) -> None:
    await rename(customer, HOSTILE)
    await visitor.go("/")
    await expect(said(visitor, "created the project")).to_be_visible()

    await rename(customer, "Plain")

    newest = visitor.page.locator(".activity-row").first
    await expect(newest.locator(".activity-words strong").last).to_have_text(HOSTILE)
    await expect(newest.locator("time")).to_have_text("just now")
    assert visitor.complaints == []


async def test_the_whole_log_is_one_click_away(visitor: Visitor, customer: Customer) -> None:
    await visitor.go("/")
    await visitor.page.get_by_role("main").get_by_role("link", name="Audit log").click()

    await expect(visitor.page.get_by_role("heading", level=1)).to_have_text("Audit log")


async def rename(customer: Customer, name: str) -> None:
    path = f"/v1/projects/{customer.project_id}"
    answer = await customer.http.put(path, json={"name": name}, headers={"Authorization": f"Bearer {customer.bearer}"})
    assert answer.status_code == 200, answer.text


def said(visitor: Visitor, words: str) -> Locator:
    return visitor.page.locator(".activity-row", has_text=words).first
