"""Somebody looks after their account: signs out elsewhere, makes a token and revokes it, and changes the password."""

from __future__ import annotations

import httpx
from playwright.async_api import Browser, expect

from tests.browser.visitor import Visitor, visiting
from tests.served import PASSWORD, Customer, Served


async def test_a_sign_in_that_is_ended_elsewhere_leaves_its_open_page(
    visitor: Visitor, customer: Customer, chromium: Browser, pulse: Served
) -> None:
    async with visiting(chromium, pulse) as elsewhere:
        await elsewhere.sign_in(customer.email)
        await elsewhere.go("/account")
        await visitor.go("/account")

        await visitor.page.get_by_role("button", name="Sign out everywhere else…").click()
        await visitor.page.get_by_role("dialog").get_by_role("button", name="Sign out everywhere else").click()

        await elsewhere.page.wait_for_url("**/login?next=*", timeout=3_000)
        await expect(visitor.page.get_by_text("this one")).to_be_visible()


async def test_a_token_is_shown_once_works_and_is_refused_once_revoked(visitor: Visitor, pulse: Served) -> None:
    await visitor.go("/account")
    await visitor.page.get_by_role("button", name="New token…").click()
    await visitor.page.get_by_label("Name", exact=True).fill("nightly <export>")
    await visitor.page.get_by_role("button", name="Create token").click()
    text = await visitor.page.locator("code", has_text="pulse_user_").first.text_content()
    async with httpx.AsyncClient(base_url=pulse.url, headers={"Authorization": f"Bearer {text}"}) as script:
        assert (await script.get("/v1/auth/me")).status_code == 200

        await visitor.page.get_by_role("row", name="nightly <export>").get_by_role("button", name="Revoke…").click()
        await visitor.page.get_by_role("button", name="Revoke token").click()
        await expect(visitor.page.get_by_text("You have no API token")).to_be_visible()

        assert (await script.get("/v1/auth/me")).status_code == 401
        assert text is not None
        assert text not in await visitor.page.content()


async def test_the_password_is_changed_by_who_knows_the_present_one(visitor: Visitor, customer: Customer) -> None:
    await visitor.go("/account")
    await visitor.page.get_by_role("button", name="Change password…").click()
    await visitor.page.get_by_label("Present password").fill("not it, by far")
    await visitor.page.get_by_label("New password").fill("another sentence")
    await visitor.page.get_by_role("button", name="Change password", exact=True).click()
    await expect(visitor.page.get_by_text("Is not your password.")).to_be_visible()

    await visitor.page.get_by_label("Present password").fill(PASSWORD)
    await visitor.page.get_by_role("button", name="Change password", exact=True).click()
    await expect(visitor.page.get_by_role("dialog")).to_have_count(0)

    await visitor.sign_in(customer.email, "another sentence")


async def test_an_account_is_erased_by_who_knows_the_password_and_owns_nothing_alone(
    visitor: Visitor, customer: Customer
) -> None:
    await visitor.go("/account")
    await visitor.page.get_by_role("button", name="Erase your account…").click()
    dialog = visitor.page.get_by_role("dialog")
    await dialog.get_by_label("Password", exact=True).fill(PASSWORD)
    await dialog.get_by_role("button", name="Erase my account").click()
    await expect(dialog.get_by_text("make somebody else an owner there")).to_be_visible()
    await _delete_organizations(customer)

    await dialog.get_by_role("button", name="Erase my account").click()

    await visitor.page.wait_for_url("**/login**")
    assert (await customer.http.get("/v1/auth/me", headers=_bearer(customer))).status_code == 401


def _bearer(customer: Customer) -> dict[str, str]:
    return {"Authorization": f"Bearer {customer.bearer}"}


async def _delete_organizations(customer: Customer) -> None:
    listed = await customer.http.get("/v1/organizations", headers=_bearer(customer))
    for each in listed.json()["items"]:
        answer = await customer.http.delete(f"/v1/organizations/{each['id']}", headers=_bearer(customer))
        assert answer.status_code == 204
