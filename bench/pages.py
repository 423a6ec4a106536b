"""`python -m bench.pages`: what each page weighs in a real Chromium, how soon it can be used, and how much it shifts.

Each page is opened in a browser that has nothing of ours in its cache. It does not show a network: everything comes
from this machine. Charts are loaded after a page is usable, and are counted apart.
"""

from __future__ import annotations

import asyncio
import statistics
import sys
import tempfile
import time
from collections import defaultdict
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from playwright.async_api import Browser, CDPSession

from bench import raw
from bench.processes import Contender, account, pulse
from tests.browser.visitor import Visitor, visiting
from tests.engines.browser import chromium_running
from tests.engines.livekit import livekit_running
from tests.served import Served

EMAIL, PASSWORD = "bench@example.com", "a bench on this machine"
CODE = frozenset({"Script", "Stylesheet"})
FIRST_KB, FIRST_DECODED_KB, FIRST_ALL_KB, OTHER_KB, SHIFT, LOG_IN_SECONDS = 230, 590, 290, 280, 0.02, 1.5
LOG_INS = 5
_SHIFTS = """() => new Promise((done) => new PerformanceObserver((list) => done(
    list.getEntries().filter((one) => !one.hadRecentInput).reduce((sum, one) => sum + one.value, 0)
)).observe({type: 'layout-shift', buffered: true}) || setTimeout(() => done(0), 300))"""


@dataclass
class Weight:
    """Bytes of one page: as they came, and as they are after gzip is undone."""

    came: int = 0
    decoded: int = 0


@dataclass
class Weighed:
    """One page in a fresh browser; `charts` is what plotly brought, which nothing waits for."""

    code: Weight = field(default_factory=Weight)
    rest: Weight = field(default_factory=Weight)
    charts: Weight = field(default_factory=Weight)
    shift: float = 0.0


class _Scale:
    """Adds up what a page loads, as Chromium's own network panel does."""

    def __init__(self, cdp: CDPSession) -> None:
        self._responses: dict[str, tuple[str, str]] = {}
        self._decoded: defaultdict[str, int] = defaultdict(int)
        self.weighed = Weighed()
        cdp.on("Network.responseReceived", self._began)
        cdp.on("Network.dataReceived", self._came)
        cdp.on("Network.loadingFinished", self._ended)

    def _began(self, event: dict[str, Any]) -> None:
        self._responses[event["requestId"]] = (event["type"], event["response"]["url"])

    def _came(self, event: dict[str, Any]) -> None:
        self._decoded[event["requestId"]] += event["dataLength"]

    def _ended(self, event: dict[str, Any]) -> None:
        kind, url = self._responses.get(event["requestId"], ("Other", ""))
        weight = self.weighed.rest
        if kind in CODE:
            weight = self.weighed.charts if "plotly" in url.lower() else self.weighed.code
        weight.came += event["encodedDataLength"]
        weight.decoded += self._decoded[event["requestId"]]


async def weigh(browser: Browser, served: Served, path: str, *, signed_in: bool) -> Weighed:
    """Open one page in a browser of its own and put all that it loads on the scale."""
    async with visiting(browser, served) as visitor:
        if signed_in:
            await visitor.sign_in(EMAIL, PASSWORD)
        cdp = await visitor.context.new_cdp_session(visitor.page)
        scale = _Scale(cdp)
        await cdp.send("Network.enable")
        await visitor.go(path)
        await visitor.page.wait_for_timeout(500)
        scale.weighed.shift = await visitor.page.evaluate(_SHIFTS)
        return scale.weighed


async def log_in(visitor: Visitor) -> float:
    """Seconds from pressing *Sign in* to a dashboard with all its words."""
    await visitor.go("/login")
    await visitor.page.get_by_label("Email").fill(EMAIL)
    await visitor.page.get_by_label("Password", exact=True).fill(PASSWORD)
    began = time.perf_counter()
    await visitor.page.locator("main form button[type=submit]").click()
    await visitor.page.wait_for_url(f"{visitor.url}/")
    await visitor.settled()
    return time.perf_counter() - began


async def measure(served: Served, pages: dict[str, bool]) -> tuple[dict[str, Weighed], list[float]]:
    """Each page's weight, and how long several log-ins took."""
    async with chromium_running() as browser:
        weighed = {path: await weigh(browser, served, path, signed_in=inside) for path, inside in pages.items()}
        took: list[float] = []
        for _ in range(LOG_INS):
            async with visiting(browser, served) as visitor:
                took.append(await log_in(visitor))
    return weighed, took


def main() -> int:
    """Print each page, and the promises."""
    with (
        tempfile.TemporaryDirectory() as folder,
        livekit_running(Path(folder)) as livekit,
        pulse(Path(folder) / "pulse", dashboard=True, livekit=livekit) as running,
    ):
        ada = account(running)
        project_id = ada.project("Bench")[0]
        inside = ("/", "/projects", f"/projects/{project_id}", "/organizations", "/team", "/account")
        pages = {"/login": False, "/signup": False, "/forgot": False, **dict.fromkeys(inside, True)}
        weighed, took = asyncio.run(measure(_served(running, Path(folder)), pages))
    print(f"{'KB, gzipped (decoded)':34}{'JS and CSS':>18}{'all':>12}{'charts':>10}{'shift':>9}")
    for path, page in weighed.items():
        code, everything = page.code, page.code.came + page.rest.came
        name = path.replace(project_id, "…")
        sizes = f"{code.came / 1000:7.0f} ({code.decoded / 1000:6.0f})"
        print(f"{name:34}{sizes:>18}{everything / 1000:>12.0f}{page.charts.came / 1000:>10.0f}{page.shift:>9.3f}")
    print(
        f"promised: the first page {FIRST_KB} ({FIRST_DECODED_KB}), all {FIRST_ALL_KB}; "
        f"others {OTHER_KB}; shift {SHIFT}"
    )
    print(f"log-in to a usable dashboard: median {statistics.median(took):.2f} s, promised {LOG_IN_SECONDS} s")
    raw.keep(
        "pages", {"pages": {path.replace(project_id, "…"): page for path, page in weighed.items()}, "log_in_s": took}
    )
    return 0


def _served(running: Contender, folder: Path) -> Served:
    return Served(running.port, folder / "data", folder / "log")


if __name__ == "__main__":
    sys.exit(main())
