"""A secret is on the page once: not after a reload, not in anything that the socket says afterwards, not in storage."""

from __future__ import annotations

import json
import re

from playwright.async_api import expect

from tests.browser.visitor import Visitor


async def shown(visitor: Visitor) -> str:
    """Make a project from the dashboard, and read the secret of its key."""
    page = visitor.page
    await visitor.go("/")
    await page.get_by_role("button", name="New project").first.click()
    await page.get_by_role("dialog").get_by_label("Name").fill("Secretive")
    await page.keyboard.press("Enter")
    await page.wait_for_url(re.compile(r"/projects/prj_"))
    found = page.locator(".value-secret code")
    await expect(found).to_be_visible()
    return await found.text_content() or ""


async def test_a_secret_is_gone_after_a_reload(visitor: Visitor) -> None:
    secret = await shown(visitor)
    before = len(visitor.frames)
    await visitor.page.reload()
    await visitor.settled()

    assert any(secret in frame for frame in visitor.frames[:before])
    assert secret not in await visitor.page.content()
    assert not any(secret in frame for frame in visitor.frames[before:])


async def test_a_secret_that_was_put_away_is_neither_shown_nor_sent_again(visitor: Visitor) -> None:
    secret = await shown(visitor)
    await visitor.page.get_by_role("button", name="I have copied it").click()
    await expect(visitor.page.locator(".value-secret")).to_have_count(0)
    before = len(visitor.frames)
    for tab in ("Settings", "Keys"):
        await visitor.page.get_by_role("link", name=tab, exact=True).click()
    await visitor.page.wait_for_timeout(3500)  # as long as the page takes to ask for its keys again

    assert secret not in await visitor.page.content()
    assert len(visitor.frames) > before
    assert not any(secret in frame for frame in visitor.frames[before:])


async def test_a_secret_does_not_follow_to_another_page_and_back(visitor: Visitor) -> None:
    secret = await shown(visitor)
    await visitor.page.get_by_role("link", name="Projects", exact=True).first.click()
    await visitor.page.wait_for_url(visitor.url + "/projects")
    before = len(visitor.frames)
    await visitor.page.go_back()
    await visitor.page.wait_for_url(re.compile(r"/projects/prj_"))
    await visitor.settled()

    assert secret not in await visitor.page.content()
    assert not any(secret in frame for frame in visitor.frames[before:])


async def test_neither_a_secret_nor_the_session_is_kept_in_the_browsers_storage(visitor: Visitor) -> None:
    secret = await shown(visitor)
    (cookie,) = await visitor.context.cookies()
    kept = await visitor.page.evaluate("JSON.stringify([{...localStorage}, {...sessionStorage}])")

    assert secret not in kept
    assert cookie.get("value", "-") not in kept
    assert "pulse_" not in json.dumps(json.loads(kept))


async def test_a_regenerated_secret_is_shown_once_too(visitor: Visitor) -> None:
    first = await shown(visitor)
    page = visitor.page
    await page.get_by_role("button", name="Regenerate…").first.click()
    await page.get_by_role("dialog").get_by_role("button", name="Regenerate", exact=True).click()
    secret = page.locator(".value-secret code")
    await expect(secret).not_to_have_text(first)
    second = await secret.text_content() or ""
    await page.reload()
    await visitor.settled()

    assert re.fullmatch(r"pulse_secret_\w{46}", second)
    assert second not in await page.content()
