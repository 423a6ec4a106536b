"""A project's page by hand: its connections, its bans and its token passport."""

from __future__ import annotations

from typing import Any

from playwright.async_api import Browser, expect

from tests.browser.test_pages import THEMES, looked_at, nothing
from tests.browser.visitor import DESKTOP, HEIGHT, PHONE, Visitor, visiting
from tests.people import HOSTILE
from tests.served import PASSWORD, Customer, Served

SECRET = "a-livekit-secret-that-is-never-shown-9876"


async def test_a_livekit_of_its_own_is_given_tried_and_given_up(visitor: Visitor, customer: Customer) -> None:
    page = visitor.page
    await visitor.go(f"/projects/{customer.project_id}?tab=connections")
    await page.get_by_role("button", name="Use your own LiveKit…").click()
    dialog = page.get_by_role("dialog")
    await dialog.get_by_label("Address").fill("ws://127.0.0.1:7880")
    await dialog.get_by_label("API key").fill("APIexample1234")
    await dialog.get_by_label("API secret").fill(SECRET)
    await dialog.get_by_role("button", name="Save").click()
    await expect(dialog.get_by_text("this machine itself")).to_be_visible()
    await expect(dialog.get_by_label("API key")).to_have_value("APIexample1234")

    await dialog.get_by_label("Address").fill("wss://media.invalid")
    await dialog.get_by_role("button", name="Save").click()
    await expect(page.get_by_text("••••9876")).to_be_visible()
    await page.get_by_role("button", name="Test connection").first.click()
    await expect(page.get_by_text("No answer comes from wss://media.invalid")).to_be_visible()

    await page.get_by_role("button", name="Use the installation's…").click()
    await page.get_by_role("dialog").get_by_role("button", name="Use the installation's").click()
    await expect(page.get_by_role("button", name="Use your own LiveKit…")).to_be_visible()
    # What was typed goes up once, and nothing of it comes down.
    assert not any(SECRET in frame for frame in visitor.frames if "give_livekit" not in frame)
    assert visitor.complaints == []


async def test_somebody_is_banned_and_let_in_again(visitor: Visitor, customer: Customer) -> None:
    page = visitor.page
    await visitor.go(f"/projects/{customer.project_id}?tab=bans")
    await page.get_by_role("button", name="Ban somebody…").click()
    dialog = page.get_by_role("dialog")
    await dialog.get_by_label("Identity").fill("ada")
    await dialog.get_by_label("Reason").fill(HOSTILE)
    await dialog.get_by_role("button", name="Ban", exact=True).click()
    await expect(page.get_by_role("cell", name="ada")).to_be_visible()
    refused = await customer.ask("POST", "/v1/tokens/create", {"room": "lobby", "identity": "ada"})
    wrong: list[str] = []
    for width in (PHONE, DESKTOP):
        await page.set_viewport_size({"width": width, "height": HEIGHT[width]})
        path = f"/projects/{customer.project_id}?tab=bans"
        wrong += await looked_at(visitor, "project-banned", path, nothing, theme="dark", width=width)
    await page.get_by_role("button", name="Lift…").click()
    await page.get_by_role("dialog").get_by_role("button", name="Lift the ban").click()
    await expect(page.get_by_text("Nobody is banned")).to_be_visible()

    assert refused.json()["code"] == "identity_banned"
    assert (await customer.token("lobby", "ada"))["token"]
    assert wrong == []
    assert visitor.complaints == []


async def test_many_keys_and_bans_have_pages_and_are_searched(visitor: Visitor, customer: Customer) -> None:
    page, here = visitor.page, f"/v1/projects/{customer.project_id}"
    for number in range(30):
        key, owner = {"name": f"Server {number:02}"}, {"Authorization": f"Bearer {customer.bearer}"}
        assert (await customer.http.post(f"{here}/keys", json=key, headers=owner)).status_code == 201
        await customer.ask("POST", f"{here}/bans", {"identity": f"eve{number:02}", "reason": "spam"})
    wrong: list[str] = []
    for tab, last, found in (("keys", "Server 29", "Server 07"), ("bans", "eve00", "eve07")):
        path = f"/projects/{customer.project_id}?tab={tab}"
        for width in (PHONE, DESKTOP):
            await page.set_viewport_size({"width": width, "height": HEIGHT[width]})
            wrong += await looked_at(visitor, f"project-many-{tab}", path, nothing, theme="light", width=width)
        while await page.get_by_role("button", name="Next").is_enabled():
            before = page.url
            await page.get_by_role("button", name="Next").click()
            await expect(page).not_to_have_url(before)
            await page.wait_for_timeout(300)
        await expect(page.get_by_role("cell", name=last, exact=True)).to_be_visible()
        await page.get_by_role("searchbox").fill(found[-2:])
        await expect(page.get_by_role("cell", name=found, exact=True)).to_be_visible()
        await expect(page.get_by_role("cell", name=last, exact=True)).to_be_hidden()
        assert "search=07" in page.url

    assert wrong == []
    assert visitor.complaints == []


async def test_a_webhook_is_added_tried_switched_off_and_removed(visitor: Visitor, customer: Customer) -> None:
    page = visitor.page
    path = f"/projects/{customer.project_id}?tab=webhooks"
    await visitor.go(path)
    await page.get_by_role("button", name="Add a webhook…").click()
    dialog = page.get_by_role("dialog")
    await dialog.get_by_label("Address").fill("http://example.com/hooks")
    await dialog.get_by_role("button", name="Add").click()
    await expect(dialog.get_by_text("Must begin with https://.")).to_be_visible()
    await dialog.get_by_label("Address").fill("https://hooks.invalid/pulse")
    await dialog.get_by_label("A room ends").check()
    await dialog.get_by_role("button", name="Add").click()
    await expect(page.get_by_text("Copy the secret now.")).to_be_visible()
    await expect(page.get_by_text("Told when a room ends.")).to_be_visible()
    await page.get_by_role("button", name="I have copied it").click()

    await page.get_by_role("button", name="Send a test").click()
    await expect(page.get_by_role("cell", name="could not connect, again")).to_be_visible()
    wrong: list[str] = []
    for theme in THEMES:
        for width in (PHONE, DESKTOP):
            await page.set_viewport_size({"width": width, "height": HEIGHT[width]})
            wrong += await looked_at(visitor, "project-webhooks-told", path, nothing, theme=theme, width=width)
    await page.get_by_role("button", name="Switch off").click()
    await expect(page.get_by_role("button", name="Switch on")).to_be_visible()
    await page.get_by_role("button", name="Remove…").click()
    await page.get_by_role("dialog").get_by_role("button", name="Remove").click()
    await expect(page.get_by_text("No webhook yet")).to_be_visible()

    assert wrong == []
    assert visitor.complaints == []


async def test_a_pasted_token_tells_what_it_is_worth(visitor: Visitor, customer: Customer, rival: Customer) -> None:
    page = visitor.page
    mine, theirs = await customer.token("lobby", HOSTILE), await rival.token("lobby", "eve")
    signed, _, signature = mine["token"].rpartition(".")
    changed = f"{signed}.{'B' if signature[0] == 'A' else 'A'}{signature[1:]}"
    await visitor.go(f"/projects/{customer.project_id}?tab=try")
    for text, says in (
        (f' "{mine["token"]}"\n', "LiveKit lets it in."),
        (theirs["token"], "belongs to another project"),
        (changed, "not signed with the key"),
        # Base64 has no length of 37 characters.
        (mine["token"][:-6], "was it copied whole?"),
        ("what is this", "no LiveKit token"),
    ):
        await page.get_by_label("Token", exact=True).fill(text)
        await page.get_by_role("button", name="Look at it").click()
        await expect(page.get_by_text(says)).to_be_visible()
        await expect(page.get_by_text("hear and see others")).to_have_count(1 if "lets" in says else 0)
    assert visitor.complaints == []


async def test_development_tokens_are_switched_on_with_a_warning_and_off_again(
    visitor: Visitor, customer: Customer
) -> None:
    page, alone = visitor.page, {"X-Pulse-Key": customer.key}
    await visitor.go(f"/projects/{customer.project_id}?tab=settings")
    await page.get_by_role("button", name="Switch on…").click()
    dialog = page.get_by_role("dialog")
    await dialog.get_by_label("Rooms begin with").fill("try-")
    await dialog.get_by_role("button", name="Switch on").click()
    await expect(page.get_by_text("Whoever sees an API key of this project")).to_be_visible()
    minted = await customer.http.post("/v1/tokens/create", headers=alone, json={"room": "try-lobby"})
    wrong: list[str] = []
    for width in (PHONE, DESKTOP):
        await page.set_viewport_size({"width": width, "height": HEIGHT[width]})
        path = f"/projects/{customer.project_id}?tab=settings"
        wrong += await looked_at(visitor, "project-development", path, nothing, theme="light", width=width)
    await page.get_by_role("button", name="Switch off").click()
    await expect(page.get_by_role("button", name="Switch on…")).to_be_visible()
    refused = await customer.http.post("/v1/tokens/create", headers=alone, json={"room": "try-lobby"})

    assert (minted.status_code, refused.status_code) == (200, 401)
    assert wrong == []
    assert visitor.complaints == []


async def test_who_is_put_out_sees_nothing_more_of_an_open_project_wherever_they_work(
    chromium: Browser, pulse: Served, customer: Customer, rival: Customer
) -> None:
    """The member works in an organization of their own, and has the project open by its address."""
    owner, member = ({"Authorization": f"Bearer {each.bearer}"} for each in (customer, rival))
    org_id = (await customer.http.get("/v1/organizations", headers=owner)).json()["items"][0]["id"]
    asked = {"email": rival.email, "role": "developer"}
    invited = (await customer.http.post(f"/v1/organizations/{org_id}/members", json=asked, headers=owner)).json()
    token = {"token": invited["accept_url"].partition("token=")[2]}
    joined = (await customer.http.post("/v1/invitations/accept", json=token, headers=member)).json()
    async with visiting(chromium, pulse) as visitor:
        page = visitor.page
        await visitor.sign_in(rival.email, PASSWORD)
        await visitor.go("/organizations")
        await page.locator("li", has_text=rival_name(joined, org_id)).get_by_role("button", name="Open").click()
        await page.wait_for_url(f"{visitor.url}/")
        await expect(page.get_by_role("heading", name="Good")).to_be_visible()
        await visitor.go(f"/projects/{customer.project_id}")
        await expect(page.get_by_text("API key").first).to_be_visible()
        gone = await customer.http.delete(f"/v1/organizations/{org_id}/members/{joined['user']['id']}", headers=owner)
        await expect(page.get_by_role("heading", name="There is no such project")).to_be_visible()

        assert gone.status_code == 204
        assert customer.key not in await page.content()
        assert visitor.complaints == []


def rival_name(signed_in: dict[str, Any], org_id: str) -> str:
    """The organization that somebody has besides this one."""
    return next(each["name"] for each in signed_in["organizations"] if each["id"] != org_id)


async def test_on_a_phone_the_tab_that_is_looked_at_is_in_view(visitor: Visitor, customer: Customer) -> None:
    await visitor.page.set_viewport_size({"width": PHONE, "height": HEIGHT[PHONE]})
    for tab in ("Danger zone", "Keys"):
        await visitor.go(f"/projects/{customer.project_id}?tab={tab.split()[0].lower()}")
        await expect(visitor.page.get_by_role("link", name=tab, exact=True)).to_be_in_viewport(ratio=1)
