"""What hands do on the pages: dialogs, menus and the drawer by keyboard, searching, renaming, revoking, deleting."""

from __future__ import annotations

import re

from playwright.async_api import expect

from tests.browser.visitor import HEIGHT, PHONE, Visitor
from tests.served import Customer


async def test_escape_closes_a_dialog_and_gives_the_focus_back(visitor: Visitor) -> None:
    await visitor.go("/")
    await visitor.tab_to("New project")
    await visitor.press("Enter")
    await expect(visitor.page.get_by_role("dialog")).to_be_visible()
    await visitor.press("Escape")

    await expect(visitor.page.get_by_role("dialog")).to_have_count(0)
    assert await visitor.focused() == "New project"


async def test_an_open_dialog_keeps_tab_to_itself(visitor: Visitor) -> None:
    await visitor.go("/")
    await visitor.page.get_by_role("button", name="New project").first.click()
    await expect(visitor.page.get_by_role("dialog")).to_be_visible()
    for _ in range(12):
        await visitor.press("Tab")
        inside = await visitor.page.evaluate(
            "document.activeElement === document.body || !!document.activeElement.closest('dialog')"
        )

        assert inside


async def test_an_empty_name_is_told_beside_its_field_and_nothing_is_made(visitor: Visitor) -> None:
    await visitor.go("/projects")
    await visitor.page.get_by_role("button", name="New project").first.click()
    await visitor.page.get_by_role("dialog").get_by_role("button", name="Create project").click()

    await expect(visitor.page.locator("#new-project-name-error")).to_have_text("Give it a name.")
    assert visitor.page.url == visitor.url + "/projects"


async def test_the_drawer_of_a_phone_opens_holds_the_focus_and_closes_by_keyboard(visitor: Visitor) -> None:
    page = visitor.page
    await page.set_viewport_size({"width": PHONE, "height": HEIGHT[PHONE]})
    await visitor.go("/")
    await visitor.tab_to("Open the menu")
    await visitor.press("Enter")
    await expect(page.locator("#side")).to_be_in_viewport()
    for _ in range(8):
        await visitor.press("Tab")
        assert await page.evaluate("!!document.activeElement.closest('#side')")
    await visitor.press("Escape")

    await expect(page.locator("#side")).not_to_be_in_viewport()
    assert await visitor.focused() == "Open the menu"


async def test_the_first_tab_leads_past_the_menu(visitor: Visitor) -> None:
    await visitor.go("/projects")
    await visitor.press("Tab")
    skip = await visitor.focused()
    await visitor.press("Enter")

    assert skip == "Skip to the page"
    assert await visitor.page.evaluate("document.activeElement.id") == "page"


async def test_a_chosen_theme_stays_and_stands_before_the_first_paint(visitor: Visitor) -> None:
    page = visitor.page
    await visitor.go("/")
    await page.locator("[popovertarget=account]").click()
    await page.get_by_role("button", name="Dark").click()
    await page.goto(visitor.url + "/projects", wait_until="commit")
    await page.wait_for_function("document.body")

    assert await page.evaluate("document.documentElement.dataset.theme") == "dark"


async def test_a_search_stands_in_the_address_and_comes_back(visitor: Visitor, customer: Customer) -> None:
    page = visitor.page
    await visitor.go("/projects")
    await page.keyboard.press("/")
    await visitor.write("nosuchproject")
    await expect(page.get_by_role("heading", name="No project matches")).to_be_visible()
    address = page.url
    await page.reload()
    await expect(page.get_by_role("heading", name="No project matches")).to_be_visible()
    await page.get_by_role("button", name="Show all projects").click()

    await expect(page.get_by_text(customer.project_id)).to_be_visible()
    assert address.endswith("?search=nosuchproject")
    assert page.url == visitor.url + "/projects"


async def test_renaming_a_project_shows_everywhere(visitor: Visitor, customer: Customer) -> None:
    page = visitor.page
    await visitor.go(f"/projects/{customer.project_id}?tab=settings")
    await page.get_by_label("Name", exact=True).fill("Evening Classes")
    await page.get_by_role("button", name="Save").click()
    await expect(page.get_by_text("Saved.")).to_be_visible()
    await expect(page.get_by_role("heading", level=1)).to_have_text("Evening Classes")
    await visitor.go("/projects")

    await expect(page.get_by_role("link", name="Evening Classes")).to_be_visible()


async def test_a_key_is_revoked_only_once_its_name_was_typed_and_its_server_is_refused(
    visitor: Visitor, customer: Customer
) -> None:
    page = visitor.page
    await visitor.go(f"/projects/{customer.project_id}")
    await page.get_by_role("button", name="Revoke…").click()
    dialog = page.get_by_role("dialog")
    await dialog.get_by_role("textbox").fill("something else")
    await dialog.get_by_role("button", name="Revoke key").click()
    await expect(dialog.get_by_text("exactly as it stands above")).to_be_visible()
    still = await customer.ask("GET", "/v1/media/rooms")
    await dialog.get_by_role("textbox").fill("default")
    await dialog.get_by_role("button", name="Revoke key").click()
    await expect(page.get_by_text("No key works at the moment")).to_be_visible()
    await page.wait_for_timeout(1000)
    refused = await customer.ask("GET", "/v1/media/rooms")

    assert still.status_code == 200
    assert refused.status_code == 401


async def test_deleting_a_project_by_its_typed_name_leads_back_to_the_list(
    visitor: Visitor, customer: Customer
) -> None:
    page = visitor.page
    await visitor.go(f"/projects/{customer.project_id}?tab=danger")
    name = await page.get_by_role("heading", level=1).text_content() or ""
    await page.get_by_role("button", name="Delete project…").click()
    await page.get_by_role("dialog").get_by_role("textbox").fill(name)
    await page.get_by_role("dialog").get_by_role("button", name="Delete project").click()
    await page.wait_for_url(visitor.url + "/projects")
    await expect(page.get_by_text(customer.project_id)).to_have_count(0)
    await page.goto(f"{visitor.url}/projects/{customer.project_id}")

    await expect(page.get_by_role("heading", name="There is no such project")).to_be_visible()


async def test_a_second_keys_secret_is_shown_once_beside_it(visitor: Visitor, customer: Customer) -> None:
    page = visitor.page
    await visitor.go(f"/projects/{customer.project_id}")
    await page.get_by_role("button", name="New key…").click()
    await page.get_by_role("dialog").get_by_label("Name").fill("staging")
    await visitor.press("Enter")

    await expect(page.locator(".value-secret code")).to_have_text(re.compile(r"^pulse_secret_\w{46}$"))
    await expect(page.get_by_role("cell", name="staging", exact=True)).to_be_visible()
