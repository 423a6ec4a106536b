"""A second factor in the browser: turned on, asked for at the door, lost, and asked of everybody by an organization."""

from __future__ import annotations

import time

from playwright.async_api import Browser, expect
from pyotp.totp import TOTP

from tests.browser.visitor import PHONE, Theme, Visitor, visiting
from tests.served import PASSWORD, ROOT, Customer, Served

SHOTS = ROOT / "tests" / "screenshots"


async def turned_on(visitor: Visitor) -> tuple[TOTP, list[str]]:
    """The app, and the recovery codes as the page shows them."""
    await visitor.go("/account")
    await visitor.page.get_by_role("button", name="Set up…").click()
    await visitor.page.get_by_label("Your password").fill(PASSWORD)
    await visitor.page.get_by_role("button", name="Continue").click()
    secret = await visitor.page.locator(".qr-beside code").text_content()
    app = TOTP((secret or "").replace(" ", ""))
    await visitor.page.get_by_label("Code").first.fill(app.now())
    await visitor.page.get_by_role("button", name="Turn on", exact=True).click()
    codes = visitor.page.get_by_role("list", name="Recovery codes").locator("code")
    await expect(codes).to_have_count(10)
    return app, await codes.all_text_contents()


async def through_the_door(visitor: Visitor, email: str, *codes: str) -> None:
    """Password, and then the codes one after the other."""
    await visitor.go("/login?next=/projects")
    await visitor.page.get_by_label("Email").fill(email)
    await visitor.page.get_by_label("Password").fill(PASSWORD)
    await visitor.page.get_by_role("button", name="Sign in").click()
    for code in codes:
        await visitor.page.wait_for_url("**/second-factor?*")
        await visitor.page.get_by_label("Code").fill(code)
        await visitor.page.get_by_role("button", name="Sign in").click()


async def test_it_is_turned_on_and_then_the_door_asks_for_a_code(
    visitor: Visitor, customer: Customer, chromium: Browser, pulse: Served
) -> None:
    app, codes = await turned_on(visitor)
    async with visitor.page.expect_download() as downloading:
        await visitor.page.get_by_role("link", name="Download").click()
    assert (await (await downloading.value).path()).read_text().split() == codes
    await visitor.page.get_by_role("button", name="I have kept them").click()
    await expect(visitor.page.get_by_text("10 of 10 recovery codes are left")).to_be_visible()
    assert codes[0] not in await visitor.page.content()

    async with visiting(chromium, pulse) as elsewhere:
        await through_the_door(elsewhere, customer.email, "000000")
        await expect(elsewhere.page.get_by_text("That code is not right")).to_be_visible()
        await elsewhere.page.get_by_label("Code").fill(app.at(time.time() + 30))
        await elsewhere.page.get_by_role("button", name="Sign in").click()
        await elsewhere.page.wait_for_url("**/projects")
        cookies = {cookie["name"]: cookie for cookie in await elsewhere.context.cookies()}
        assert "pulse_challenge" not in cookies
    async with visiting(chromium, pulse) as later:
        await through_the_door(later, customer.email, codes[0])
        await later.page.wait_for_url("**/projects")
    await expect(visitor.page.get_by_text("9 of 10 recovery codes are left")).to_be_visible()


async def test_turning_it_off_needs_a_code(visitor: Visitor) -> None:
    _, codes = await turned_on(visitor)
    await visitor.page.get_by_role("button", name="I have kept them").click()
    await visitor.page.get_by_role("button", name="Turn off…").click()
    dialog = visitor.page.get_by_role("dialog")
    await dialog.get_by_label("Code").fill("000000")
    await dialog.get_by_role("button", name="Turn it off").click()
    await expect(dialog.get_by_text("Is not right, or was used already.")).to_be_visible()

    await dialog.get_by_label("Code").fill(codes[3])
    await dialog.get_by_role("button", name="Turn it off").click()

    await expect(visitor.page.get_by_text("Your password alone signs you in.")).to_be_visible()


async def test_who_begins_again_after_five_minutes_is_told_so(
    visitor: Visitor, chromium: Browser, pulse: Served
) -> None:
    async with visiting(chromium, pulse) as late:
        await late.go("/second-factor")
        await late.page.get_by_label("Code").fill("123456")
        await late.page.get_by_role("button", name="Sign in").click()

        await late.page.wait_for_url("**/login?error=challenge_over")
        await expect(late.page.get_by_text("That took too long")).to_be_visible()


async def test_an_organization_that_asks_for_it_says_what_to_do(
    visitor: Visitor, customer: Customer, chromium: Browser, pulse: Served
) -> None:
    owner = {"Authorization": f"Bearer {customer.bearer}"}
    mine = (await customer.http.get("/v1/auth/me", headers=owner)).json()
    org_id, me = mine["organization"]["id"], mine["user"]["id"]
    refused = await customer.http.put(
        f"/v1/organizations/{org_id}", json={"requires_second_factor": True}, headers=owner
    )
    assert (refused.status_code, refused.json()["code"]) == (409, "second_factor_first")
    await turned_on(visitor)
    await visitor.go("/organizations")
    await visitor.page.get_by_role("button", name="Settings…").click()
    await visitor.page.get_by_label("Ask everybody for a second factor").check()
    await visitor.page.get_by_role("button", name="Save").click()
    await expect(visitor.page.get_by_text("second factor", exact=True)).to_be_visible()

    invited = await customer.http.post(
        f"/v1/organizations/{org_id}/members",
        json={"email": f"held-{me[-6:].lower()}@example.com", "role": "admin"},
        headers=await _bearer(visitor, customer),
    )
    url = invited.json()["accept_url"]
    async with visiting(chromium, pulse) as member:
        await member.go(url.removeprefix(pulse.url))
        await member.page.get_by_label("Your name").fill("Held Back")
        await member.page.get_by_label("Password").fill(PASSWORD)
        await member.page.get_by_role("button", name="Join").click()
        await expect(member.page.get_by_text("asks everybody for a second factor")).to_be_visible()
        await member.page.screenshot(path=SHOTS / "held-back-light-1440.png", full_page=True)
        await member.page.get_by_role("link", name="Set it up").click()
        await turned_on(member)
        await expect(member.page.get_by_role("list", name="Recovery codes")).to_be_visible()
        await member.go("/projects")
        await expect(member.page.get_by_role("heading", name="Projects", level=1)).to_be_visible()
        await expect(member.page.get_by_text("asks everybody for a second factor")).to_have_count(0)


async def test_a_page_that_is_open_says_it_within_a_moment(
    visitor: Visitor, customer: Customer, chromium: Browser, pulse: Served
) -> None:
    owner = {"Authorization": f"Bearer {customer.bearer}"}
    org_id = (await customer.http.get("/v1/auth/me", headers=owner)).json()["organization"]["id"]
    invited = await customer.http.post(
        f"/v1/organizations/{org_id}/members", json={"email": f"open-{customer.email}", "role": "viewer"}, headers=owner
    )
    await customer.http.post(
        "/v1/invitations/accept",
        json={"token": invited.json()["accept_url"].partition("token=")[2], "name": "Bob", "password": PASSWORD},
    )
    async with visiting(chromium, pulse) as member:
        await member.sign_in(f"open-{customer.email}")
        await member.go("/projects")
        await turned_on(visitor)
        await visitor.go("/organizations")
        await visitor.page.get_by_role("button", name="Settings…").click()
        await visitor.page.get_by_label("Ask everybody for a second factor").check()
        await visitor.page.get_by_role("button", name="Save").click()

        await expect(member.page.get_by_text("asks everybody for a second factor")).to_be_visible()
        await expect(member.page.get_by_text(customer.project_id)).to_have_count(0)


async def test_the_codes_stand_well_on_every_screen(chromium: Browser, pulse: Served, customer: Customer) -> None:
    themes: tuple[Theme, ...] = ("light", "dark")
    for theme in themes:
        async with visiting(chromium, pulse, theme=theme, width=PHONE) as visitor:
            await visitor.sign_in(customer.email)
            _, codes = await turned_on(visitor)
            await visitor.page.screenshot(path=SHOTS / f"account-codes-{theme}-{PHONE}.png", full_page=True)
            assert await visitor.scrolls_sideways() <= 0
            assert await visitor.findings() == []
            await visitor.page.get_by_role("button", name="I have kept them").click()
            await visitor.page.get_by_role("button", name="Turn off…").click()
            await visitor.page.get_by_role("dialog").get_by_label("Code").fill(codes[0])
            await visitor.page.get_by_role("button", name="Turn it off").click()
            await expect(visitor.page.get_by_text("Your password alone signs you in.")).to_be_visible()


async def _bearer(visitor: Visitor, customer: Customer) -> dict[str, str]:
    """The API sign-in of before ended when the second factor came on; a recovery code begins another."""
    await visitor.go("/account")
    await visitor.page.get_by_role("button", name="New token…").click()
    await visitor.page.get_by_label("Name", exact=True).fill("test")
    await visitor.page.get_by_role("button", name="Create token").click()
    text = await visitor.page.locator("code", has_text="pulse_user_").first.text_content()
    return {"Authorization": f"Bearer {text}"}
