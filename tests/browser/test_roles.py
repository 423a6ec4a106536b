"""What each role sees of a project at a browser: nothing is offered that would be refused."""

from __future__ import annotations

from playwright.async_api import Browser, expect

from tests.browser.test_pages import looked_at, nothing
from tests.browser.visitor import DESKTOP, PHONE, Theme, Visitor, visiting
from tests.served import PASSWORD, Customer, Served

TABS = ("keys", "try", "connections", "webhooks", "bans", "settings", "danger")
# What does something to the organization: what opens a dialog, what sends a form, and what says so on its face.
CHANGES = "main :is([data-opens-dialog], button[type=submit], button:has-text('Test connection'))"


async def joined(customer: Customer, role: str) -> tuple[str, str]:
    """Somebody new in the customer's organization: their address and their id."""
    owner = {"Authorization": f"Bearer {customer.bearer}"}
    org_id = (await customer.http.get("/v1/auth/me", headers=owner)).json()["organization"]["id"]
    email = f"{role}-{customer.email}"
    invited = await customer.http.post(
        f"/v1/organizations/{org_id}/members", json={"email": email, "role": role}, headers=owner
    )
    accepted = await customer.http.post(
        "/v1/invitations/accept",
        json={"token": invited.json()["accept_url"].partition("token=")[2], "name": "Grace", "password": PASSWORD},
    )
    return email, accepted.json()["user"]["id"]


async def offered(visitor: Visitor, path: str) -> list[str]:
    """What the page offers to change."""
    await visitor.go(path)
    return [each for each in await visitor.page.locator(CHANGES).all_inner_texts() if each.strip()]


async def test_a_viewer_is_offered_nothing_that_would_be_refused(
    chromium: Browser, pulse: Served, customer: Customer
) -> None:
    email, _ = await joined(customer, "viewer")
    wrong: list[str] = []
    screens: tuple[tuple[Theme, int], ...] = (("light", DESKTOP), ("dark", PHONE))
    for theme, width in screens:
        async with visiting(chromium, pulse, theme=theme, width=width) as viewer:
            await viewer.sign_in(email)
            for tab in TABS:
                path = f"/projects/{customer.project_id}?tab={tab}"
                wrong += await looked_at(viewer, f"viewer-{tab}", path, nothing, theme=theme, width=width)
                wrong += [f"{tab} offers {each}" for each in await offered(viewer, path)]
            for name, path in (("dashboard", "/"), ("projects", "/projects")):
                wrong += await looked_at(viewer, f"viewer-{name}", path, nothing, theme=theme, width=width)
                wrong += [f"{path} offers {each}" for each in await offered(viewer, path)]
            await viewer.press("Control+k")
            await expect(viewer.page.locator("#palette-list").get_by_role("option").first).to_be_visible()
            assert await viewer.page.get_by_role("option", name="New project…").count() == 0
            assert viewer.complaints == []

    logged = await customer.http.get("/v1/audit-logs?limit=100", headers={"Authorization": f"Bearer {customer.bearer}"})
    # Who only looks is not told of as somebody who tried.
    assert [each["action"] for each in logged.json()["items"] if each["action"].endswith("refused")] == []
    assert wrong == []


async def test_a_developer_is_offered_all_but_deleting_and_webhooks(
    chromium: Browser, pulse: Served, customer: Customer
) -> None:
    email, _ = await joined(customer, "developer")
    async with visiting(chromium, pulse) as developer:
        await developer.sign_in(email)
        found = {tab: await offered(developer, f"/projects/{customer.project_id}?tab={tab}") for tab in TABS}

    assert {tab for tab in TABS if not found[tab]} == {"webhooks", "danger"}
    assert {"Regenerate…", "Revoke…", "New key…"} <= set(found["keys"])


async def test_pages_that_are_open_follow_the_role(chromium: Browser, pulse: Served, customer: Customer) -> None:
    email, user_id = await joined(customer, "viewer")
    owner = {"Authorization": f"Bearer {customer.bearer}"}
    org_id = (await customer.http.get("/v1/auth/me", headers=owner)).json()["organization"]["id"]
    async with visiting(chromium, pulse) as member:
        await member.sign_in(email)
        await member.go(f"/projects/{customer.project_id}")
        other = await member.context.new_page()
        await other.goto(f"{pulse.url}/projects/{customer.project_id}?tab=bans")
        new_key, ban = member.page.get_by_role("button", name="New key…"), other.get_by_text("Ban somebody…").first
        await expect(other.get_by_text("Your role does not see who is banned")).to_be_visible()
        await expect(new_key).to_have_count(0)
        for role, may in (("developer", True), ("viewer", False)):
            changed = await customer.http.put(
                f"/v1/organizations/{org_id}/members/{user_id}/role", json={"role": role}, headers=owner
            )
            assert changed.status_code == 200, changed.text
            await expect(new_key).to_have_count(int(may))
            await expect(ban).to_be_visible(visible=may)
