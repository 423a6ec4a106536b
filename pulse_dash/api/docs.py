"""The documentation as pages: the Markdown under docs/, rendered once and served by Pulse itself."""

from __future__ import annotations

import html
import re
from pathlib import Path

from fastapi import APIRouter
from markdown_it import MarkdownIt
from starlette.responses import HTMLResponse, Response

from pulse_dash.core.errors import NotFound

FOLDER = Path(__file__).resolve().parents[2] / "docs"
_POLICY = "default-src 'none'; style-src 'self'; font-src 'self'; img-src 'self'; script-src 'self'; base-uri 'none'; frame-ancestors 'none'"
_NAME = re.compile(r"[A-Za-z0-9-]{1,40}")
_LINK = re.compile(r'href="(?:\./)?([A-Za-z0-9-]+)\.md(#[^"]*)?"')

router = APIRouter(prefix="/docs", include_in_schema=False)


@router.get("")
async def first() -> Response:
    """The quick start, where everybody begins."""
    return await page("quickstart")


@router.get("/{name}")
async def page(name: str) -> Response:
    """One page of the documentation."""
    path = _pages().get(name.lower()) if _NAME.fullmatch(name) else None
    if path is None:
        raise NotFound("There is no such page of the documentation.")
    return HTMLResponse(_rendered(path), headers={"Content-Security-Policy": _POLICY, "Cache-Control": "no-cache"})


def _pages() -> dict[str, Path]:
    return {path.stem.lower(): path for path in sorted(FOLDER.glob("*.md"))}


def _rendered(path: Path) -> str:
    text = path.read_text(encoding="utf-8")
    body = MarkdownIt("commonmark", {"html": False}).enable("table").render(text)
    body = _LINK.sub(lambda found: f'href="/docs/{found[1].lower()}{found[2] or ""}"', body)
    title = html.escape(text.partition("\n")[0].lstrip("# ").strip())
    links = "".join(
        f'<a href="/docs/{name}"{" aria-current=page" if name == path.stem.lower() else ""}>{html.escape(_title(other))}</a>'
        for name, other in _pages().items()
    )
    return (
        f'<!doctype html><html lang="en"><head><meta charset="utf-8"><title>{title} · Pulse docs</title>'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        '<link rel="icon" href="/favicon.svg"><script src="/theme.js"></script>'
        '<link rel="stylesheet" href="/tokens.css"><link rel="stylesheet" href="/docs.css"></head>'
        f'<body class="docs"><nav class="docs-nav" aria-label="Documentation"><a class="docs-home" href="/">Pulse</a>{links}</nav>'
        f'<main class="docs-page">{body}</main></body></html>'
    )


def _title(path: Path) -> str:
    with path.open(encoding="utf-8") as lines:
        return lines.readline().lstrip("# ").strip()
