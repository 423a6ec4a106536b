"""Every page with the worst names on all that a tenant can name: text, inside the page, its direction kept in."""

from __future__ import annotations

from collections.abc import Mapping

import httpx
from playwright.async_api import Browser, Page, expect

from tests.browser.soundness import unsound
from tests.browser.test_pages import INSIDE
from tests.browser.visitor import DESKTOP, HEIGHT, PHONE, visiting
from tests.hostile import NAMES
from tests.served import Customer, Served

# Each walk gives the next of these to organization, project and key in turn; the list of projects shows all of NAMES.
WORST = ("script", "image", "unbroken", "right to left override", "unclosed isolate", "combining")
PLACES = {name: path for name, (path, _) in INSIDE.items() if "missing" not in name}


async def test_no_page_runs_or_bursts_at_what_tenants_call_things(
    chromium: Browser, pulse: Served, customer: Customer
) -> None:
    wrong: list[str] = []
    async with visiting(chromium, pulse) as visitor:
        await visitor.sign_in(customer.email)
        for names in (WORST[:3], WORST[3:]):
            await name_everything(customer, *(NAMES[name] for name in names))
            for path in dict.fromkeys(PLACES.values()):
                await visitor.go(path.format(project=customer.project_id))
                wrong += [f"{path} {names}: {each}" for each in await burst(visitor.page)]

    assert wrong == []


async def test_every_name_of_the_table_stands_on_its_card_as_it_was_given(
    chromium: Browser, pulse: Served, customer: Customer
) -> None:
    organization = (await answered(customer, "GET", "/v1/organizations"))["items"][0]["id"]
    for name in NAMES.values():
        await answered(customer, "POST", "/v1/projects", {"org_id": organization, "name": name})
    shown: list[str] = []
    wrong: list[str] = []
    async with visiting(chromium, pulse) as visitor:
        await visitor.sign_in(customer.email)
        for number in range(1, -(-(len(NAMES) + 1) // 12) + 1):
            await visitor.go(f"/projects?page={number}")
            cards = visitor.page.locator(".project-card h2 bdi")
            first, total = 12 * (number - 1) + 1, len(NAMES) + 1
            # What the page before showed may still stand there.
            await expect(visitor.page.locator(".pager")).to_contain_text(
                f"{first} to {min(first + 11, total)} of {total}"
            )
            await expect(cards).to_have_count(min(12, total - first + 1))
            shown += await cards.all_text_contents()
            wrong += await burst(visitor.page)

    assert shown[1:] == list(NAMES.values())
    assert wrong == []


async def test_every_name_of_the_table_is_found_by_the_search(
    chromium: Browser, pulse: Served, customer: Customer
) -> None:
    async with visiting(chromium, pulse) as visitor:
        await visitor.sign_in(customer.email)
        await visitor.go("/organizations")
        for what in ("script", "mongo", "right to left override", "percent", "emoji", "backslash"):
            await rename(customer, NAMES[what])
            await visitor.press("Control+k")
            await visitor.page.get_by_role("combobox").fill(NAMES[what])
            hit = visitor.page.locator("#palette-list .palette-name").first
            await expect(hit).to_have_text(NAMES[what])
            await visitor.press("Escape")


async def burst(page: Page) -> list[str]:
    """What ran, what sticks out and what spills, at both widths."""
    wrong: list[str] = []
    for width in (DESKTOP, PHONE):
        await page.set_viewport_size({"width": width, "height": HEIGHT[width]})
        wrong += [f"{width}: {each}" for each in await unsound(page)]
        wide: int = await page.evaluate("document.scrollingElement.scrollWidth - window.innerWidth")
        if wide > 0:
            wrong.append(f"{width}: {wide} pixels wider than the window")
    if await page.evaluate(
        "window.pwned !== undefined || !!document.querySelector('main img, main b, main svg[onload]')"
    ):
        wrong.append("markup became markup")
    await page.set_viewport_size({"width": DESKTOP, "height": HEIGHT[DESKTOP]})
    return wrong


async def name_everything(customer: Customer, organization: str, project: str, key: str) -> None:
    org_id = (await answered(customer, "GET", "/v1/organizations"))["items"][0]["id"]
    await answered(customer, "PUT", f"/v1/organizations/{org_id}", {"name": organization})
    await rename(customer, project)
    await answered(customer, "POST", f"/v1/projects/{customer.project_id}/keys", {"name": key})
    await answered(customer, "PUT", "/v1/auth/me", {"name": key})


async def rename(customer: Customer, name: str) -> None:
    await answered(customer, "PUT", f"/v1/projects/{customer.project_id}", {"name": name})


async def answered(
    customer: Customer, verb: str, path: str, body: Mapping[str, str] | None = None
) -> dict[str, list[dict[str, str]]]:
    answer: httpx.Response = await customer.http.request(
        verb, path, json=body, headers={"Authorization": f"Bearer {customer.bearer}"}
    )
    assert answer.is_success, answer.text
    return answer.json()
