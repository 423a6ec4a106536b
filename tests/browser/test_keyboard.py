"""The whole way from nothing to a token, with the keyboard alone."""

from __future__ import annotations

import os
import re

from playwright.async_api import expect

from tests.browser.visitor import Visitor
from tests.served import PASSWORD


async def test_sign_up_to_a_token_with_tab_enter_and_typing(stranger: Visitor) -> None:
    page = stranger.page
    await page.goto(stranger.url + "/signup")
    await expect(page.locator(":focus")).to_have_attribute("name", "name")
    await stranger.write("Ada Lovelace")
    await stranger.tab_to("Email", most=1)
    await stranger.write(f"keyboard{os.getpid()}@example.com")
    await stranger.tab_to("Password", most=1)
    await stranger.write(PASSWORD)
    await stranger.tab_to("Organization name", most=1)
    await stranger.write("Analytical Engines")
    await stranger.press("Enter")
    await page.wait_for_url(stranger.url + "/")
    await stranger.settled()

    await stranger.tab_to("New project")
    await stranger.press("Enter")
    await expect(page.get_by_role("dialog")).to_be_visible()
    await expect(page.locator(":focus")).to_have_attribute("name", "name")
    await stranger.write("Live Classes")
    await stranger.press("Enter")
    await page.wait_for_url(re.compile(r"/projects/prj_"))
    secret = page.locator(".value-secret code")
    await expect(secret).to_have_text(re.compile(r"^pulse_secret_\w{46}$"))

    await stranger.tab_to("Copy API secret")
    await stranger.press("Enter")
    await expect(page.locator("#announcer")).to_have_text("API secret copied")
    assert await page.evaluate("navigator.clipboard.readText()") == await secret.text_content()

    await stranger.tab_to("Try it")
    await stranger.press("Enter")
    await expect(page.get_by_role("heading", name="Mint a token")).to_be_visible()
    await stranger.tab_to("Mint a token")
    await stranger.press("Enter")
    await expect(page.get_by_label("The minted token")).to_have_text(re.compile(r"^eyJ[\w-]+\.eyJ[\w-]+\.[\w-]+$"))
