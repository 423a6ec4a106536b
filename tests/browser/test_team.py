"""An owner invites somebody, who accepts in another browser, is promoted, and is out when removed."""

from __future__ import annotations

from playwright.async_api import Browser, expect

from tests.browser.visitor import Visitor, visiting
from tests.served import Served


async def test_invited_accepted_promoted_and_removed(visitor: Visitor, chromium: Browser, pulse: Served) -> None:
    async with visiting(chromium, pulse) as guest:
        await visitor.go("/team")
        await visitor.page.get_by_role("button", name="Invite people…").click()
        await visitor.page.get_by_label("Email addresses").fill("grace.hopper@example.net\nnobody at all")
        await visitor.page.get_by_role("button", name="Invite", exact=True).click()
        await expect(visitor.page.get_by_role("dialog").get_by_text("Must be an email address.")).to_be_visible()
        await visitor.page.keyboard.press("Escape")
        link = await visitor.page.locator("code", has_text="token=inv_").first.text_content()
        assert link is not None

        await guest.page.goto(link)
        await guest.page.get_by_label("Your name").fill("Grace Hopper")
        await guest.page.get_by_label("Password").fill("another sentence")
        await guest.page.get_by_role("button", name="Create the account and join").click()
        await guest.page.wait_for_url(f"{guest.url}/")
        await guest.go("/team")
        await expect(guest.page.get_by_role("button", name="Invite people…")).to_have_count(0)
        await expect(guest.page.get_by_role("columnheader", name="Last seen")).to_have_count(0)

        row = visitor.page.get_by_role("row", name="Grace Hopper")
        await expect(row).to_be_visible()
        await row.get_by_role("button", name="Change role…").click()
        await visitor.page.get_by_role("dialog").get_by_label("Role").select_option("admin")
        await expect(visitor.page.get_by_role("dialog").get_by_text("They may then also:")).to_be_visible()
        await expect(visitor.page.get_by_role("dialog").get_by_text("invite people")).to_be_visible()
        await expect(visitor.page.get_by_role("dialog").get_by_text("They may then no longer:")).to_have_count(0)
        await visitor.page.get_by_role("button", name="Change the role").click()
        await expect(guest.page.get_by_role("button", name="Invite people…")).to_be_visible()
        await expect(guest.page.locator("[popovertarget=account]").get_by_text("Admin")).to_be_visible()

        async with visitor.page.expect_download() as downloading:
            await visitor.page.get_by_role("link", name="Export CSV").click()
        file = await (await downloading.value).path()
        assert "grace.hopper@example.net,Grace Hopper,admin" in file.read_text()

        await row.get_by_role("button", name="Remove…").click()
        await visitor.page.get_by_role("button", name="Remove", exact=True).click()
        await expect(visitor.page.get_by_role("row", name="Grace Hopper")).to_have_count(0)
        await expect(guest.page.get_by_text("You belong to no organization")).to_be_visible()
