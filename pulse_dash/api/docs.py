"""The documentation as pages: the Markdown under docs/, rendered once and served by Pulse itself."""

from __future__ import annotations

import html
import re
from functools import cache
from pathlib import Path

from fastapi import APIRouter
from markdown_it import MarkdownIt
from starlette.responses import HTMLResponse, Response

FOLDER = Path(__file__).resolve().parents[2] / "docs"
POLICY = "; ".join(
    (
        "default-src 'none'",
        *(f"{kind}-src 'self'" for kind in ("style", "font", "img", "script")),
        "base-uri 'none'",
        "frame-ancestors 'none'",
    )
)
# What a reader needs first stands first; the rest follows by name.
_FIRST = ("quickstart", "api", "roles", "store", "deploy")
# What a list of links and the dashboard's search call it; its heading is a whole sentence.
_CALLED = {"quickstart": "Quick start"}
_NAME = re.compile(r"[A-Za-z0-9-]{1,40}")
_LINK = re.compile(r'href="(?:\./)?([A-Za-z0-9-]+)\.md(#[^"]*)?"')
_HEADING = re.compile(r"<h([2-4])>(.*?)</h\1>")
_DOCUMENT = """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<title>{title} · Pulse docs</title>
<link rel="icon" href="/favicon.svg">
<link rel="preload" href="/fonts/inter-latin-wght-normal.woff2" as="font" type="font/woff2" crossorigin>
<link rel="preload" href="/fonts/geist-mono-latin-wght-normal.woff2" as="font" type="font/woff2" crossorigin>
<link rel="stylesheet" href="/tokens.css"><link rel="stylesheet" href="/fonts.css">
<link rel="stylesheet" href="/docs.css">
<script src="/theme.js"></script>
</head>
<body>
<nav aria-label="Documentation"><a class="home" href="/">Pulse</a>{links}</nav>
<main>{body}</main>
</body>
</html>
"""

router = APIRouter(prefix="/docs", include_in_schema=False)


@router.get("")
async def first() -> Response:
    """The quick start, where everybody begins."""
    return await page("quickstart")


@router.get("/{name}")
async def page(name: str) -> Response:
    """One page of the documentation."""
    path = _pages().get(name.lower()) if _NAME.fullmatch(name) else None
    body, status = (_nothing(), 404) if path is None else (_rendered(path), 200)
    return HTMLResponse(body, status, headers={"Content-Security-Policy": POLICY, "Cache-Control": "no-cache"})


@cache
def _pages() -> dict[str, Path]:
    found = {path.stem.lower(): path for path in sorted(FOLDER.glob("*.md"))}
    first = [name for name in _FIRST if name in found]
    return {name: found[name] for name in dict.fromkeys((*first, *found))}


@cache
def _rendered(path: Path) -> str:
    text = path.read_text(encoding="utf-8")
    body = MarkdownIt("commonmark", {"html": False}).enable("table").render(text)
    body = _HEADING.sub(_anchored, body).replace("<li>[ ] ", "<li>")
    # What scrolls sideways on a phone is reached by a keyboard too.
    body = body.replace("<pre>", '<pre tabindex="0">')
    body = body.replace("<table>", '<div class="wide" tabindex="0"><table>').replace("</table>", "</table></div>")
    body = _LINK.sub(lambda found: f'href="/docs/{found[1].lower()}{found[2] or ""}"', body)
    return _document(html.escape(text.partition("\n")[0].lstrip("# ").strip()), body, path)


def _anchored(found: re.Match[str]) -> str:
    """A heading that can be linked to, by its words as GitHub writes them."""
    words = html.unescape(re.sub(r"<[^>]*>", "", found[2])).lower()
    anchor = re.sub(r"[^\w\- ]", "", words).replace(" ", "-")
    return f'<h{found[1]} id="{html.escape(anchor)}">{found[2]}</h{found[1]}>'


def _nothing() -> str:
    """For people who followed an old link: the other pages stand beside it."""
    sentence = "There is no such page of the documentation. What there is stands in the list."
    return _document("Nothing here", f"<h1>There is nothing here</h1><p>{sentence}</p>", None)


def _document(title: str, body: str, here: Path | None) -> str:
    links = "".join(_link(name, path, here=path == here) for name, path in _pages().items())
    return _DOCUMENT.format(title=title, links=links, body=body)


def _link(name: str, path: Path, *, here: bool) -> str:
    current = ' aria-current="page"' if here else ""
    return f'<a href="/docs/{name}"{current}>{html.escape(_title(path))}</a>'


@cache
def _title(path: Path) -> str:
    if path.stem.lower() in _CALLED:
        return _CALLED[path.stem.lower()]
    with path.open(encoding="utf-8") as lines:
        return lines.readline().lstrip("# ").strip()
