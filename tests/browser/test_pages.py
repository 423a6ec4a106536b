"""Every page as it stands, light and dark, on a desk and on a phone: quiet, within the window, readable by everybody.

Its pictures are kept in tests/screenshots for whoever compares them with the drawings.
"""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable

import pytest
from playwright.async_api import Browser, expect

from pulse_dash.pages import PAGES
from tests.browser.soundness import shifted, unsound
from tests.browser.visitor import DESKTOP, HEIGHT, PHONE, Theme, Visitor, visiting
from tests.served import PASSWORD, ROOT, Customer, Served

SHOTS = ROOT / "tests" / "screenshots"
THEMES: tuple[Theme, ...] = ("light", "dark")
WIDTHS = (DESKTOP, PHONE)

Doing = Callable[[Visitor], Awaitable[None]]


async def nothing(_: Visitor) -> None:
    """The page as it comes."""


async def open_new_project(visitor: Visitor) -> None:
    await visitor.page.get_by_role("button", name="New project").first.click()
    await expect(visitor.page.get_by_role("dialog")).to_be_visible()


async def open_menu(visitor: Visitor) -> None:
    if visitor.page.viewport_size == {"width": PHONE, "height": HEIGHT[PHONE]}:
        await visitor.page.get_by_label("Open the menu").click()
    await visitor.page.locator("[popovertarget=account]").click()
    await expect(visitor.page.get_by_role("button", name="Sign out")).to_be_visible()


async def open_regenerate(visitor: Visitor) -> None:
    await visitor.page.get_by_role("button", name="Regenerate…").first.click()
    await expect(visitor.page.get_by_role("dialog")).to_be_visible()


async def open_new_organization(visitor: Visitor) -> None:
    await visitor.page.get_by_role("button", name="New organization").click()
    await expect(visitor.page.get_by_role("dialog")).to_be_visible()


async def open_own_livekit(visitor: Visitor) -> None:
    await visitor.page.get_by_role("button", name="Use your own LiveKit…").click()
    await expect(visitor.page.get_by_role("dialog")).to_be_visible()


async def open_password(visitor: Visitor) -> None:
    await visitor.page.get_by_role("button", name="Change password…").click()


async def open_address(visitor: Visitor) -> None:
    await visitor.page.get_by_role("button", name="Change email…").click()
    await expect(visitor.page.get_by_role("dialog")).to_be_visible()


async def open_factor(visitor: Visitor) -> None:
    await visitor.page.get_by_role("button", name="Set up…").click()
    await expect(visitor.page.get_by_role("dialog")).to_be_visible()


async def set_up_factor(visitor: Visitor) -> None:
    await open_factor(visitor)
    await visitor.page.get_by_label("Your password").fill(PASSWORD)
    await visitor.page.get_by_role("button", name="Continue").click()
    await expect(visitor.page.get_by_role("img", name="The QR code for your authenticator app")).to_be_visible()


async def open_role(visitor: Visitor) -> None:
    await visitor.page.get_by_role("button", name="Change role…").click()
    await visitor.page.get_by_role("dialog").get_by_label("Role").select_option("viewer")
    await expect(visitor.page.get_by_text("They may then no longer:")).to_be_visible()


async def open_roles(visitor: Visitor) -> None:
    await visitor.page.get_by_text("What each role may do").click()


async def open_invite(visitor: Visitor) -> None:
    await visitor.page.get_by_role("button", name="Invite people…").click()
    await expect(visitor.page.get_by_role("dialog")).to_be_visible()


async def open_entry(visitor: Visitor) -> None:
    await visitor.page.locator(".audit-entry summary").first.click()
    await expect(visitor.page.locator(".audit-more").first).to_be_visible()


async def verify_log(visitor: Visitor) -> None:
    await visitor.page.get_by_role("button", name="Verify").click()
    await expect(visitor.page.get_by_text("as they were written")).to_be_visible()


async def open_ban(visitor: Visitor) -> None:
    await visitor.page.get_by_role("button", name="Ban somebody…").click()
    await expect(visitor.page.get_by_role("dialog")).to_be_visible()


async def open_webhook(visitor: Visitor) -> None:
    await visitor.page.get_by_role("button", name="Add a webhook…").click()
    await expect(visitor.page.get_by_role("dialog")).to_be_visible()


async def mint(visitor: Visitor) -> None:
    await visitor.page.get_by_role("button", name="Mint a token").click()
    await expect(visitor.page.get_by_label("The minted token")).to_be_visible()
    await expect(visitor.page.get_by_role("button", name="Join the room")).to_be_visible()


async def open_search(visitor: Visitor) -> None:
    await visitor.press("Control+k")
    await expect(visitor.page.locator("#palette-list").get_by_role("option").first).to_be_visible()


async def search_nothing(visitor: Visitor) -> None:
    await visitor.press("Control+k")
    await visitor.write("nothing is called this")
    await expect(visitor.page.get_by_text("Nothing matches")).to_be_visible()


async def open_organizations_menu(visitor: Visitor) -> None:
    if visitor.page.viewport_size == {"width": PHONE, "height": HEIGHT[PHONE]}:
        await visitor.page.get_by_label("Open the menu").click()
    await visitor.page.locator("[popovertarget=organizations]").click()
    await expect(visitor.page.get_by_role("link", name="All organizations")).to_be_visible()


async def send_nothing(visitor: Visitor) -> None:
    await visitor.page.locator("main form button[type=submit]").click()
    await expect(visitor.page.locator("[aria-invalid]").first).to_be_visible()


# What is looked at: a name for the picture, the address, and what is done there first.
OUTSIDE: dict[str, tuple[str, Doing]] = {
    "login": ("/login", nothing),
    "login-refused": ("/login?error=wrong_credentials&email=ada@example.com", nothing),
    "signup": ("/signup", nothing),
    "signup-empty-fields": ("/signup", send_nothing),
    "forgot": ("/forgot", nothing),
    "forgot-sent": ("/forgot?done=sent", nothing),
    "reset": ("/reset?token=usr_x.y", nothing),
    "reset-spent": ("/reset?error=link_spent", nothing),
    "verify": ("/verify?token=usr_x.y", nothing),
    "second-factor": ("/second-factor", nothing),
    "second-factor-refused": ("/second-factor?error=wrong_code", nothing),
    "docs": ("/docs", nothing),
}
INSIDE: dict[str, tuple[str, Doing]] = {
    "account": ("/account", nothing),
    "account-password": ("/account", open_password),
    "account-address": ("/account", open_address),
    "account-factor": ("/account", open_factor),
    "account-factor-setting-up": ("/account", set_up_factor),
    "audit": ("/audit", nothing),
    "audit-entry": ("/audit", open_entry),
    "audit-verified": ("/audit", verify_log),
    "audit-none-found": ("/audit?search=nothing-is-called-this", nothing),
    "team": ("/team", nothing),
    "service-status": ("/service-status", nothing),
    "team-invite": ("/team", open_invite),
    "team-role": ("/team", open_role),
    "team-roles": ("/team", open_roles),
    "team-none-found": ("/team?search=nobody-is-called-this", nothing),
    "dashboard": ("/", nothing),
    "account-menu": ("/", open_menu),
    "organizations-menu": ("/", open_organizations_menu),
    "search": ("/", open_search),
    "search-none-found": ("/", search_nothing),
    "projects": ("/projects", nothing),
    "projects-none-found": ("/projects?search=nosuchproject", nothing),
    "new-project": ("/projects", open_new_project),
    "project-keys": ("/projects/{project}", nothing),
    "project-regenerate": ("/projects/{project}", open_regenerate),
    "project-try": ("/projects/{project}?tab=try", nothing),
    "project-minted": ("/projects/{project}?tab=try", mint),
    "project-connections": ("/projects/{project}?tab=connections", nothing),
    "project-own-livekit": ("/projects/{project}?tab=connections", open_own_livekit),
    "project-webhooks": ("/projects/{project}?tab=webhooks", nothing),
    "project-webhook": ("/projects/{project}?tab=webhooks", open_webhook),
    "project-bans": ("/projects/{project}?tab=bans", nothing),
    "project-ban": ("/projects/{project}?tab=bans", open_ban),
    "project-settings": ("/projects/{project}?tab=settings", nothing),
    "project-danger": ("/projects/{project}?tab=danger", nothing),
    "organizations": ("/organizations", nothing),
    "organizations-none-found": ("/organizations?search=nosuchorganization", nothing),
    "new-organization": ("/organizations", open_new_organization),
    "project-missing": ("/projects/prj_00000000000000000000000000", nothing),
}


# A notice that comes with what the page learns makes room for itself: pulse.js tells the refusal in the address once
# the form is there, and that LiveKit is away is known with the figures.
TOLD_LATE = {
    "login-refused",
    "forgot-sent",
    "reset-spent",
    "second-factor-refused",
    "dashboard-no-livekit",
    "service-status-operator",
}


async def looked_at(visitor: Visitor, name: str, path: str, do: Doing, *, theme: Theme, width: int) -> list[str]:
    """What is wrong with the page as it stands then; its picture is kept."""
    await visitor.page.emulate_media(color_scheme=theme)
    await visitor.go(path)
    wrong = [] if name in TOLD_LATE else await shifted(visitor.page)
    await do(visitor)
    SHOTS.mkdir(exist_ok=True)
    await visitor.page.screenshot(path=SHOTS / f"{name}-{theme}-{width}.png", full_page=True)
    wrong += [*await visitor.findings(), *await unsound(visitor.page)]
    if (excess := await visitor.scrolls_sideways()) > 0:
        wrong.append(f"{excess} pixels wider than the window")
    return [f"{name} at {width}: {finding}" for finding in wrong]


def test_every_page_of_the_dashboard_is_looked_at() -> None:
    paths = {path.partition("?")[0] for path, _ in (*OUTSIDE.values(), *INSIDE.values())} - {"/docs"}
    routes = {re.sub(r"\{\w+\}|prj_\w+", "[project_id]", path) for path in paths}

    assert {page.route for page in PAGES} - {"404"} == routes


@pytest.mark.parametrize("width", WIDTHS)
@pytest.mark.parametrize("theme", THEMES)
async def test_every_page_is_sound(
    chromium: Browser, pulse: Served, customer: Customer, theme: Theme, width: int
) -> None:
    wrong: dict[str, list[str]] = {}
    async with visiting(chromium, pulse, theme=theme, width=width) as visitor:
        for name, (path, do) in OUTSIDE.items():
            wrong[name] = await looked_at(visitor, name, path, do, theme=theme, width=width)
        await visitor.sign_in(customer.email)
        for name, (path, do) in INSIDE.items():
            there = path.format(project=customer.project_id)
            wrong[name] = await looked_at(visitor, name, there, do, theme=theme, width=width)

    assert {name: found for name, found in wrong.items() if found} == {}


async def test_every_page_of_the_docs_is_sound_on_a_phone(chromium: Browser, pulse: Served) -> None:
    wrong: dict[str, list[str]] = {}
    async with visiting(chromium, pulse, width=PHONE) as visitor:
        for file in sorted((ROOT / "docs").glob("*.md")):
            name = file.stem.lower()
            there = f"/docs/{name}"
            wrong[name] = await looked_at(visitor, f"docs-{name}", there, nothing, theme="light", width=PHONE)

    assert {name: found for name, found in wrong.items() if found} == {}


async def test_somebody_without_a_project_is_told_what_to_do_next(stranger: Visitor, customer: Customer) -> None:
    await customer.http.delete(
        f"/v1/projects/{customer.project_id}", headers={"Authorization": f"Bearer {customer.bearer}"}
    )
    await stranger.sign_in(customer.email)
    wrong = [
        *await looked_at(stranger, "dashboard-empty", "/", nothing, theme="light", width=DESKTOP),
        *await looked_at(stranger, "projects-empty", "/projects", nothing, theme="light", width=DESKTOP),
    ]

    assert wrong == []
    await expect(stranger.page.get_by_role("button", name="New project").first).to_be_visible()


async def test_an_address_that_leads_nowhere_says_so(stranger: Visitor) -> None:
    stranger.expected.add("404")
    answer = await stranger.page.goto(stranger.url + "/nowhere/at/all")

    assert answer is not None
    assert answer.status == 404
    await expect(stranger.page.get_by_role("heading", name="There is nothing here")).to_be_visible()
    assert await stranger.findings() == []


async def test_names_of_hostile_people_stay_text_and_within_the_page(visitor: Visitor, customer: Customer) -> None:
    owner = {"Authorization": f"Bearer {customer.bearer}"}
    hostile = "<img src=x onerror=alert(1)>{{7*7}}" + "W" * 90
    await customer.http.put(f"/v1/projects/{customer.project_id}", json={"name": hostile}, headers=owner)
    await visitor.page.set_viewport_size({"width": PHONE, "height": HEIGHT[PHONE]})
    for path in ("/projects", f"/projects/{customer.project_id}", f"/projects/{customer.project_id}?tab=danger", "/"):
        await visitor.go(path)

        assert await visitor.page.locator("img[src=x]").count() == 0
        assert await visitor.scrolls_sideways() <= 0, path
