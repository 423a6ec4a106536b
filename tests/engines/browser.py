"""Debian's Chromium, driven by Playwright; knows how it is launched where there is no network and no sandbox."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from playwright.async_api import Browser, async_playwright

from deploy.engines import chromium as chromium_binary

ARGUMENTS = [
    "--no-sandbox",  # CI runs as root, where Chromium refuses to start with it
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    # Without these it looks for Google's hosts at every start, and waits.
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    # A camera and a microphone that need no question and no device.
    "--use-fake-device-for-media-stream",
    "--use-fake-ui-for-media-stream",
]


@asynccontextmanager
async def chromium_running() -> AsyncIterator[Browser]:
    """A browser while the block runs; raises deploy.engines.Missing when this machine has none."""
    binary = chromium_binary()
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=str(binary), args=ARGUMENTS)
        try:
            yield browser
        finally:
            await browser.close()
