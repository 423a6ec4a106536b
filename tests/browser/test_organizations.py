"""The page Organizations by hand: making, renaming, deleting with the name typed, restoring, and having none at all."""

from __future__ import annotations

from playwright.async_api import expect

from tests.browser.test_pages import looked_at, nothing
from tests.browser.visitor import DESKTOP, HEIGHT, PHONE, Visitor
from tests.people import HOSTILE
from tests.served import Customer


async def test_nobody_elses_organization_is_on_the_page_or_on_its_socket(
    visitor: Visitor, customer: Customer, rival: Customer
) -> None:
    theirs = (await rival.http.get("/v1/organizations", headers=bearer(rival))).json()["items"][0]["id"]

    await visitor.go(f"/organizations?search={theirs}")

    await expect(visitor.page.get_by_text("No organization matches")).to_be_visible()
    assert not any(theirs in frame for frame in visitor.frames if "search" not in frame)


async def test_one_is_made_renamed_deleted_with_its_name_typed_and_restored(visitor: Visitor) -> None:
    page = visitor.page
    await visitor.go("/organizations")
    await page.get_by_role("button", name="New organization").click()
    await page.get_by_role("dialog").get_by_label("Name").fill("Second")
    await page.get_by_role("button", name="Create organization").click()
    card = page.locator(".project-card", has=page.get_by_role("heading", name="Second", exact=True))
    await expect(card).to_be_visible()

    await card.get_by_role("button", name="Settings…").click()
    await page.get_by_role("dialog").get_by_label("Name").fill(HOSTILE)
    await page.get_by_role("dialog").get_by_role("button", name="Save").click()
    card = page.locator(".project-card", has_text="alert(1)")
    await expect(card.get_by_role("heading")).to_have_text(HOSTILE)

    await card.get_by_role("button", name="Delete…").click()
    dialog = page.get_by_role("dialog")
    await dialog.get_by_label("Type the organization's name").fill("another")
    await dialog.get_by_role("button", name="Delete organization").click()
    await expect(dialog.get_by_text("Type the name exactly as it stands above.")).to_be_visible()
    await dialog.get_by_label("Type the organization's name").fill(HOSTILE)
    await dialog.get_by_role("button", name="Delete organization").click()
    await expect(card).to_have_count(0)

    await page.get_by_role("button", name="Restore").click()
    await expect(card.get_by_role("heading")).to_have_text(HOSTILE)
    await expect(page.get_by_role("button", name="Restore")).to_have_count(0)
    assert visitor.complaints == []


async def test_whoever_deleted_their_last_one_is_led_to_restoring_it(visitor: Visitor, customer: Customer) -> None:
    (mine,) = (await customer.http.get("/v1/organizations", headers=bearer(customer))).json()["items"]
    await customer.http.delete(f"/v1/organizations/{mine['id']}", headers=bearer(customer))

    await visitor.go("/")
    await visitor.page.locator("main").get_by_role("link", name="Organizations").click()
    await expect(visitor.page.get_by_text("You belong to no organization")).to_be_visible()
    wrong: list[str] = []
    for width in (PHONE, DESKTOP):
        await visitor.page.set_viewport_size({"width": width, "height": HEIGHT[width]})
        wrong += await looked_at(visitor, "organizations-none", "/organizations", nothing, theme="light", width=width)
    await visitor.page.get_by_role("button", name="Restore").click()

    await expect(visitor.page.get_by_role("heading", name=mine["name"])).to_be_visible()
    assert wrong == []


def bearer(customer: Customer) -> dict[str, str]:
    return {"Authorization": f"Bearer {customer.bearer}"}
