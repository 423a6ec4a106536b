"""Pages that stay open: figures that follow what happens, and what they say while LiveKit is away."""

from __future__ import annotations

from pathlib import Path

from playwright.async_api import Browser, expect

from tests.browser.test_pages import looked_at, nothing
from tests.browser.visitor import DESKTOP, Visitor, visiting
from tests.engines.livekit import LiveKit
from tests.livekit.guests import joined
from tests.served import Customer, a_customer, eventually, pulse_running


async def test_an_open_dashboard_follows_who_comes_and_what_is_minted(
    livekit_server: LiveKit, visitor: Visitor, customer: Customer
) -> None:
    page = visitor.page
    await visitor.go("/")
    await expect(page.get_by_text("1 of 4")).to_be_visible()
    async with joined(await customer.token("lobby", "ada")):
        # LiveKit counts within five seconds, and Pulse looks every three.
        await expect(page.get_by_text("One project, 1 room live.")).to_be_visible(timeout=12_000)
        await expect(page.get_by_text("4 of 4")).to_be_visible(timeout=12_000)


async def test_an_open_dashboard_says_nothing_of_other_peoples_rooms(
    livekit_server: LiveKit, visitor: Visitor, rival: Customer
) -> None:
    await visitor.go("/")
    async with joined(await rival.token("secret-room", "eve")):
        await visitor.page.wait_for_timeout(4000)

    await expect(visitor.page.get_by_text("One project, no room live")).to_be_visible()
    assert not any("secret-room" in frame or rival.project_id in frame for frame in visitor.frames)


async def test_an_open_page_comes_back_by_itself_when_pulse_was_started_anew(chromium: Browser, tmp_path: Path) -> None:
    with pulse_running(tmp_path) as pulse:
        async with a_customer(pulse) as customer:
            pass
        context = await chromium.new_context()
        visitor = Visitor(await context.new_page(), pulse.url)
        visitor.watch()
        await visitor.sign_in(customer.email)
        await visitor.go(f"/projects/{customer.project_id}?tab=try")
    with pulse_running(tmp_path, port=pulse.port):
        before = len(visitor.frames)
        await eventually(lambda: more_frames(visitor, before))
        await visitor.page.get_by_role("button", name="Mint a token").click()
        await expect(visitor.page.get_by_label("The minted token")).to_be_visible(timeout=15_000)
        await context.close()


async def more_frames(visitor: Visitor, before: int) -> bool:
    return len(visitor.frames) > before


async def test_without_livekit_the_pages_say_so_and_how_to_start_one(chromium: Browser, tmp_path: Path) -> None:
    with pulse_running(tmp_path) as pulse:
        async with a_customer(pulse) as customer, visiting(chromium, pulse) as visitor:
            page = visitor.page
            await visitor.sign_in(customer.email)
            wrong = await looked_at(visitor, "dashboard-no-livekit", "/", nothing, theme="light", width=DESKTOP)
            await expect(page.get_by_text("LiveKit does not answer.", exact=True)).to_be_visible()
            visitor.expected |= {"ERR_CONNECTION_REFUSED", "livekit-client", "net::"}
            await visitor.go(f"/projects/{customer.project_id}?tab=try")
            await page.get_by_role("button", name="Mint a token").click()
            await page.get_by_role("button", name="Join the room").click()
            await expect(page.get_by_role("alert").filter(has_text="LiveKit does not answer at")).to_be_visible()
            visitor.complaints.clear()

    assert wrong == []
