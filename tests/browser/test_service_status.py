"""The page Status: the parts as they are, and the health of one's own projects with what to do."""

from __future__ import annotations

from playwright.async_api import expect

from tests.browser.visitor import Visitor
from tests.served import Customer


async def test_a_person_sees_each_part_and_their_own_projects_alone(
    visitor: Visitor, customer: Customer, rival: Customer
) -> None:
    await visitor.go("/service-status")

    for part in ("Database", "API", "LiveKit"):
        await expect(visitor.page.get_by_role("heading", name=part, exact=True).first).to_be_visible()
    health = visitor.page.locator(".health-list > li")
    await expect(health).to_have_count(1)
    await health.locator("summary").press("Enter")
    await expect(health.get_by_text("Mint the first token with POST /v1/tokens/create.")).to_be_visible()
    await health.get_by_role("link", name="Open the project").click()
    await visitor.page.wait_for_url(f"{visitor.url}/projects/{customer.project_id}")
    assert not any(rival.project_id in frame for frame in visitor.frames)
    assert visitor.complaints == []
