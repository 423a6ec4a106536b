"""Somebody at a browser in front of a running Pulse, and what their browser complained about meanwhile.

Knows Playwright and where Pulse keeps its words for "still loading"; what is done on a page is told by the tests.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from importlib.resources import files
from typing import Any, Literal

from playwright.async_api import Browser, BrowserContext, ConsoleMessage, Error, Page, Request, Response, WebSocket

from tests.served import PASSWORD, Served

Theme = Literal["light", "dark"]

DESKTOP, PHONE = 1440, 360
HEIGHT = {DESKTOP: 900, PHONE: 780}
# A page that was left while it still loaded; nothing went wrong.
_LEFT = "net::ERR_ABORTED"
# A chart's grey line lies behind it for good, so a chart counts once it is drawn.
_SETTLED = """
    document.querySelector("h1")
    && !document.querySelector(".bone:not(.chart > .bone)")
    && [...document.querySelectorAll(".chart")].every((chart) => chart.querySelector(".main-svg"))
"""
_SERIOUS = {"serious", "critical"}


@dataclass
class Visitor:
    """A page of their own in a context of their own, watched from its first request on."""

    page: Page
    url: str
    complaints: list[str] = field(default_factory=list[str])
    frames: list[str] = field(default_factory=list[str])
    requests: list[str] = field(default_factory=list[str])
    expected: set[str] = field(default_factory=set[str])

    @property
    def context(self) -> BrowserContext:
        return self.page.context

    def watch(self) -> None:
        """Note console errors (a breach of the CSP is one), broken scripts, failed requests, and socket frames."""
        self.page.on("console", self._on_console)
        self.page.on("pageerror", lambda error: self.complaints.append(f"script: {error}"))
        self.page.on("request", lambda request: self.requests.append(request.url))
        self.page.on("requestfailed", self._on_failed)
        self.page.on("response", self._on_response)
        self.page.on("websocket", self._on_socket)

    async def go(self, path: str) -> None:
        """Open a page and wait until it shows what it is for."""
        await self.page.goto(self.url + path)
        await self.settled()

    async def settled(self) -> None:
        """Wait until no grey line stands where words will."""
        await self.page.wait_for_load_state("load")
        await self.page.wait_for_function(_SETTLED)
        await self.page.evaluate("document.fonts.ready")

    async def sign_in(self, email: str, password: str = PASSWORD) -> None:
        """Get the cookie as the form would, without drawing the form."""
        answer = await self.context.request.post(
            f"{self.url}/session/login",
            form={"email": email, "password": password},
            headers={"origin": self.url},
            max_redirects=0,
        )
        assert (answer.status, answer.headers["location"]) == (303, "/")

    async def press(self, *keys: str) -> None:
        """Press keys one after the other."""
        for key in keys:
            await self.page.keyboard.press(key)

    async def write(self, text: str) -> None:
        """Type into whatever has the focus."""
        await self.page.keyboard.type(text)

    async def focused(self) -> str:
        """What has the focus: its label, as a reader would say it."""
        return await self.page.evaluate(
            "(({ariaLabel, labels, innerText, name}) => ariaLabel || labels?.[0]?.innerText || innerText || name || '')"
            "(document.activeElement)"
        )

    async def tab_to(self, label: str, *, most: int = 60) -> None:
        """Press Tab until this has the focus; fails when a keyboard does not get there."""
        passed: list[str] = []
        for _ in range(most):
            await self.page.keyboard.press("Tab")
            passed.append((await self.focused()).strip())
            if passed[-1] == label:
                return
        raise AssertionError(f"Tab does not reach {label!r}; it passes {passed}")

    async def scrolls_sideways(self) -> int:
        """By how many pixels the page is wider than the window."""
        return await self.page.evaluate("document.scrollingElement.scrollWidth - window.innerWidth")

    async def findings(self) -> list[str]:
        """What axe-core finds serious or critical on the page as it stands."""
        await self.page.evaluate(_axe())
        found: dict[str, Any] = await self.page.evaluate(
            "axe.run(document, {resultTypes: ['violations'], preload: false})"
        )
        return [
            f"{violation['id']} ({violation['impact']}): {node['target']} {node['failureSummary']}"
            for violation in found["violations"]
            if violation["impact"] in _SERIOUS
            for node in violation["nodes"]
        ]

    def _on_console(self, message: ConsoleMessage) -> None:
        said = f"console: {message.text} ({message.location.get('url', '')})"
        if message.type == "error" and not any(word in said for word in self.expected):
            self.complaints.append(said)

    def _on_failed(self, request: Request) -> None:
        if request.failure != _LEFT:
            self.complaints.append(f"request: {request.url} {request.failure}")

    def _on_response(self, response: Response) -> None:
        if response.status >= 400 and str(response.status) not in self.expected:
            self.complaints.append(f"response: {response.status} {response.url}")

    def _on_socket(self, socket: WebSocket) -> None:
        socket.on("framereceived", lambda frame: self.frames.append(str(frame)))
        socket.on("framesent", lambda frame: self.frames.append(str(frame)))


@asynccontextmanager
async def visiting(
    browser: Browser, pulse: Served, *, theme: Theme = "light", width: int = DESKTOP
) -> AsyncIterator[Visitor]:
    """A visitor without a cookie."""
    context = await browser.new_context(
        viewport={"width": width, "height": HEIGHT[width]},
        color_scheme=theme,
        reduced_motion="reduce",
        permissions=["clipboard-read", "clipboard-write"],
    )
    context.set_default_timeout(15_000)
    try:
        visitor = Visitor(await context.new_page(), pulse.url)
        visitor.watch()
        yield visitor
        # What a browser complains about comes a moment after what caused it.
        await asyncio.sleep(0.1)
        assert not visitor.complaints, "\n".join(visitor.complaints)
    finally:
        await _left_blank(context)
        await context.close()


async def _left_blank(context: BrowserContext) -> None:
    """Chromium 156 keeps a page that is on its way to another address when it is to close, and never says it did."""
    for page in context.pages:
        # One that goes somewhere else by itself just then is where it wanted to be.
        with suppress(Error):
            await page.goto("about:blank")


def _axe() -> str:
    return files("axe_playwright_python").joinpath("axe.min.js").read_text("utf-8")
