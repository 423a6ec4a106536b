"""What every page of ours keeps to, whatever it shows: measured in the browser, told as sentences.

One h1 and a title; targets that a finger meets; a focus that is seen; names inside <bdi>; nothing that moves by itself.
"""

from __future__ import annotations

from pathlib import Path

from playwright.async_api import Page

MOST_SHIFT = 0.02
_LEAST_HIGH, _LEAST_WIDE = 36, 24

_MEASURE = Path(__file__).with_suffix(".js").read_text("utf-8")
_SHIFT = """
() => new Promise((tell) => {
  const told = ({node, previousRect: was, currentRect: is}) =>
    `${node?.cloneNode?.().outerHTML ?? node?.nodeName} from ${was.x},${was.y} ${was.width}x${was.height}`
    + ` to ${is.x},${is.y} ${is.width}x${is.height}`;
  let shift = 0;
  const moved = [];
  new PerformanceObserver((list) => {
    for (const entry of list.getEntries()) {
      if (entry.hadRecentInput) continue;
      shift += entry.value;
      const when = `${entry.value.toFixed(3)} after ${Math.round(entry.startTime)} ms`;
      moved.push(`${when}: ${entry.sources.map(told).join(", ")}`);
    }
  }).observe({type: "layout-shift", buffered: true});
  setTimeout(() => tell([shift, moved]), 50);
})
"""


async def unsound(page: Page) -> list[str]:
    """What of this the page does not keep to, as it stands."""
    return await page.evaluate(_MEASURE, [_LEAST_HIGH, _LEAST_WIDE])


async def shifted(page: Page) -> list[str]:
    """How far its layout moved while it loaded, if too far, and what moved."""
    shift: float
    moved: list[str]
    shift, moved = await page.evaluate(_SHIFT)
    return [f"the layout shifted by {shift:.3f}; {'; '.join(moved)}"] if shift >= MOST_SHIFT else []
