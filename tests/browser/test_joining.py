"""Joining a real room from the page, with a camera and a microphone that the browser makes up."""

from __future__ import annotations

import asyncio
import re

from livekit import rtc
from playwright.async_api import WebSocketRoute, expect

from tests.browser.visitor import Visitor
from tests.engines.livekit import LiveKit
from tests.livekit.guests import WITHIN, joined
from tests.served import Customer, eventually

ROOM = "/v1/media/rooms/lobby/participants"


async def join(visitor: Visitor, project_id: str, *, page_is_open: bool = False) -> None:
    """Mint a token on the page and join with it."""
    page = visitor.page
    # LiveKit's client logs a track that comes before its participant as an error, and takes it a moment later.
    visitor.expected.add("livekit-client")
    if not page_is_open:
        await visitor.go(f"/projects/{project_id}?tab=try")
    await page.get_by_role("button", name="Mint a token").click()
    await page.get_by_role("button", name="Join the room").click()
    await expect(page.locator("[data-room-state=connected]")).to_be_visible()


def speaks_livekit(url: str) -> bool:
    return bool(re.search(r"livekit", url.rpartition("/")[2], re.IGNORECASE))


async def test_who_joins_from_the_page_is_in_livekits_room(
    livekit_server: LiveKit, visitor: Visitor, customer: Customer
) -> None:
    await join(visitor, customer.project_id)
    people = await eventually(lambda: customer.items(ROOM))

    assert [(person["identity"], person["state"]) for person in people] == [("ada", "active")]


async def test_a_client_in_the_room_hears_the_page(
    livekit_server: LiveKit, visitor: Visitor, customer: Customer
) -> None:
    async with joined(await customer.token("lobby", "bob")) as bob:
        await join(visitor, customer.project_id)
        await visitor.page.get_by_role("button", name="Turn on microphone").click()

        assert await bob.hears()


async def test_the_page_shows_who_speaks_and_leaves(
    livekit_server: LiveKit, visitor: Visitor, customer: Customer
) -> None:
    page = visitor.page
    await join(visitor, customer.project_id)
    async with joined(await customer.token("lobby", "bob", name="Bob Hopper")) as bob:
        await bob.speak()
        await expect(page.get_by_role("list", name="People in lobby").get_by_text("Bob Hopper")).to_be_visible()
    await page.get_by_role("button", name="Leave").click()
    await expect(page.get_by_role("button", name="Join again")).to_be_visible()

    async def empty() -> bool:
        return await customer.items(ROOM) == []

    assert await eventually(empty)


async def test_the_dashboard_ticks_off_the_first_participant(
    livekit_server: LiveKit, visitor: Visitor, customer: Customer
) -> None:
    await customer.token("lobby", "backend")
    await join(visitor, customer.project_id)
    await visitor.go("/")

    await expect(visitor.page.get_by_text("4 of 4")).to_be_visible()


async def test_who_is_put_out_of_the_room_is_told_so(
    livekit_server: LiveKit, visitor: Visitor, customer: Customer
) -> None:
    await join(visitor, customer.project_id)
    removed = await customer.ask("POST", f"{ROOM}/ada/remove")

    assert removed.status_code == 204
    await expect(visitor.page.get_by_role("alert").filter(has_text="no longer in the room")).to_be_visible()


async def test_livekits_client_is_loaded_only_where_somebody_joins(
    livekit_server: LiveKit, visitor: Visitor, customer: Customer
) -> None:
    for path in ("/", "/projects", f"/projects/{customer.project_id}"):
        await visitor.go(path)
    before = [url for url in visitor.requests if speaks_livekit(url)]
    await join(visitor, customer.project_id)
    after = [url for url in visitor.requests if speaks_livekit(url)]

    assert before == []
    assert after


async def test_a_camera_is_shown_on_the_page_and_sent_to_the_others(
    livekit_server: LiveKit, visitor: Visitor, customer: Customer
) -> None:
    async with joined(await customer.token("lobby", "bob")) as bob:
        await join(visitor, customer.project_id)
        await visitor.page.get_by_role("button", name="Turn on camera").click()
        track = await asyncio.wait_for(bob.arrived.get(), WITHIN)
        await visitor.page.wait_for_function("document.querySelector('main video')?.videoWidth > 0")

    assert track.kind == rtc.TrackKind.KIND_VIDEO


async def test_who_may_only_listen_is_told_so_and_offered_nothing_to_send(
    livekit_server: LiveKit, visitor: Visitor, customer: Customer
) -> None:
    page = visitor.page
    await visitor.go(f"/projects/{customer.project_id}?tab=try")
    await page.get_by_label("May speak and show video").uncheck()
    await join(visitor, customer.project_id, page_is_open=True)

    await expect(page.get_by_text("This token may listen, not speak.")).to_be_visible()
    await expect(page.get_by_role("button", name="Turn on microphone")).to_be_disabled()


async def test_a_room_with_a_script_for_a_name_stays_text(
    livekit_server: LiveKit, visitor: Visitor, customer: Customer
) -> None:
    page, name = visitor.page, '"><img src=x onerror=alert(1)> 𝕏'
    await visitor.go(f"/projects/{customer.project_id}?tab=try")
    await page.get_by_label("Room").fill(name)
    await join(visitor, customer.project_id, page_is_open=True)

    await expect(page.get_by_role("list", name=f"People in {name}")).to_be_visible()
    assert await page.locator("img[src=x]").count() == 0


async def test_who_is_in_a_room_stays_there_when_the_pages_own_socket_was_away(
    livekit_server: LiveKit, visitor: Visitor, customer: Customer
) -> None:
    sockets: list[WebSocketRoute] = []

    def through(socket: WebSocketRoute) -> None:
        socket.connect_to_server()
        sockets.append(socket)

    await visitor.page.route_web_socket(re.compile("/_event/"), through)
    await join(visitor, customer.project_id)
    await sockets[-1].close(code=1011, reason="away")

    async def came_back() -> bool:
        return len(sockets) > 1

    assert await eventually(came_back)
    await visitor.settled()
    await visitor.page.wait_for_timeout(1000)

    await expect(visitor.page.locator("[data-room-state=connected]")).to_be_visible()
    assert [person["identity"] for person in await customer.items(ROOM)] == ["ada"]
