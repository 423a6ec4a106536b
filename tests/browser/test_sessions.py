"""Coming in and going out: wrong passwords, where one wanted to go, and what is left after signing out."""

from __future__ import annotations

from playwright.async_api import expect

from tests.browser.visitor import Visitor
from tests.served import PASSWORD, Customer


async def test_a_private_page_leads_a_stranger_through_the_log_in_and_back(
    stranger: Visitor, customer: Customer
) -> None:
    page, wanted = stranger.page, f"{stranger.url}/projects/{customer.project_id}"
    await page.goto(wanted)
    await expect(page.get_by_role("heading", name="Welcome back")).to_be_visible()
    await page.get_by_label("Email").fill(customer.email)
    await page.get_by_label("Password").fill(PASSWORD)
    await page.keyboard.press("Enter")
    await page.wait_for_url(wanted)

    await expect(page.get_by_role("heading", level=1)).to_contain_text("Project")


async def test_a_wrong_password_says_so_and_keeps_the_email(stranger: Visitor, customer: Customer) -> None:
    page = stranger.page
    await page.goto(stranger.url + "/login")
    await page.get_by_label("Email").fill(customer.email)
    await page.get_by_label("Password").fill("not the password")
    await page.keyboard.press("Enter")

    await expect(page.get_by_role("alert").filter(has_text="do not belong together")).to_be_visible()
    await expect(page.get_by_label("Email")).to_have_value(customer.email)
    await expect(page.get_by_label("Password")).to_have_value("")
    assert "not the password" not in page.url
    assert await stranger.context.cookies() == []


async def test_an_email_that_has_an_account_is_told_on_signing_up(stranger: Visitor, customer: Customer) -> None:
    page = stranger.page
    await page.goto(stranger.url + "/signup")
    for label, words in (
        ("Your name", "Ada"),
        ("Email", customer.email),
        ("Password", PASSWORD),
        ("Organization name", "Acme"),
    ):
        await page.get_by_label(label).fill(words)
    await page.keyboard.press("Enter")

    await expect(page.get_by_role("alert").filter(has_text="an account with this email already")).to_be_visible()
    await expect(page.get_by_label("Email")).to_have_value(customer.email)


async def test_signing_out_ends_the_session_for_pages_sockets_and_the_way_back(visitor: Visitor) -> None:
    page = visitor.page
    await visitor.go("/")
    (cookie,) = await visitor.context.cookies()
    await page.locator("[popovertarget=account]").click()
    await page.get_by_role("button", name="Sign out").click()
    await page.wait_for_url("**/login")
    gone = await visitor.context.cookies()
    await page.go_back()
    await expect(page.get_by_role("heading", name="Welcome back")).to_be_visible()
    await visitor.context.add_cookies([cookie])  # type: ignore[list-item]
    await page.goto(visitor.url + "/projects")

    assert gone == []
    assert page.url.startswith(visitor.url + "/login")


async def test_the_cookie_is_out_of_reach_for_scripts(visitor: Visitor) -> None:
    await visitor.go("/")
    (cookie,) = await visitor.context.cookies()

    assert (cookie.get("name"), cookie.get("httpOnly"), cookie.get("sameSite")) == ("pulse_session", True, "Lax")
    assert await visitor.page.evaluate("document.cookie") == ""


async def test_signing_out_in_one_tab_closes_the_other(visitor: Visitor) -> None:
    await visitor.go("/projects")
    other = await visitor.context.new_page()
    await other.goto(visitor.url + "/")
    await other.locator("[popovertarget=account]").click()
    await other.get_by_role("button", name="Sign out").click()
    await other.wait_for_url("**/login")

    await visitor.page.wait_for_url("**/login**")
