"""What a browser gets that is not the API: the dashboard's built pages and their files, and the redirects before them.

All of it is read into memory once, so a path is looked up and never opened. It knows nothing of Reflex: which route a
path belongs to and who is signed in are asked of what it is given.
"""

from __future__ import annotations

import hashlib
import mimetypes
import re
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote, urlsplit

from starlette.types import Receive, Scope, Send

from pulse_dash.api.headers import page_policy, with_livekit

_IMMUTABLE = b"public, max-age=31536000, immutable"
_ASK_FIRST = b"no-cache"
_BAKED = re.compile(r"/assets/reflex-env-[\w-]+\.js")
_BAKED_ADDRESS = re.compile(r"([`\"'])(http|ws)://localhost:8000(/[\w-]*)\1")
_FOR_VISITORS = frozenset({"/login", "/second-factor", "/signup"})
_TYPES = {".js": "text/javascript", ".mjs": "text/javascript", ".woff2": "font/woff2"}
_NOTHING_HERE = b"""<!doctype html><html lang="en"><meta charset="utf-8"><title>Nothing here - Pulse</title>
<meta name="viewport" content="width=device-width"><h1>Nothing here</h1>
<p>This address leads nowhere. <a href="/">Go to the dashboard</a></p></html>"""

SignedIn = Callable[[Scope], Awaitable[bool]]
# The address of the LiveKit that this one document may connect to besides the installation's; "" for none.
OwnLiveKit = Callable[[Scope], Awaitable[str]]


class UnknownBuild(Exception):
    """The built files are not what this version of Pulse knows how to serve."""


@dataclass(frozen=True, slots=True)
class _File:
    body: bytes
    zipped: bytes | None
    kind: bytes
    etag: bytes
    cache: bytes


class Dashboard:
    """The built dashboard as an ASGI app."""

    def __init__(
        self,
        folder: Path,
        *,
        public_url: str,
        livekit_hosts: Iterable[str],
        production: bool,
        route_of: Callable[[str], str | None],
        public_routes: frozenset[str],
        signed_in: SignedIn,
        own_livekit: OwnLiveKit | None = None,
    ) -> None:
        self._files = {f"/{path.relative_to(folder).as_posix()}": _read(path, folder) for path in _served(folder)}
        self._public = urlsplit(public_url)
        self._production = production
        self._route_of = route_of
        self._public_routes = public_routes
        self._signed_in = signed_in
        self._own_livekit = own_livekit
        pages = [file for file in self._files.values() if file.kind.startswith(b"text/html")]
        if not pages or sum(bool(_BAKED.fullmatch(path)) for path in self._files) != 1:
            raise UnknownBuild(f"{folder} is no built dashboard of this version; build it again.")
        documents = [page.body.decode() for page in pages]
        self._policy = page_policy(documents, livekit_hosts=livekit_hosts, public_url=public_url).encode()
        self._shell = self._files.get("/404.html") or _file(_NOTHING_HERE, "text/html", _ASK_FIRST)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        path: str = scope["path"]
        headers = dict(scope["headers"])
        if scope["method"] not in {"GET", "HEAD"}:
            await _say(send, 405, b"Pages are only read.\n", [(b"allow", b"GET, HEAD")])
            return
        file = self._files.get(path)
        if file is not None and not file.kind.startswith(b"text/html"):
            await self._give(scope, send, file, headers)
            return
        if path.startswith("/assets/") or "." in path.rpartition("/")[2]:
            await _say(send, 404, b"There is no such file.\n", [])
            return
        target = self._elsewhere(scope, headers) or await self._at_the_door(scope, path)
        if target is not None:
            await _say(send, 303 if target.startswith("/") else 307, b"", [(b"location", target.encode("ascii"))])
            return
        plain = path.rstrip("/")
        page = self._files.get(f"{plain}/index.html") or self._files.get(f"{plain}.html")
        known = page is not None or self._route_of(path) is not None
        await self._give(scope, send, page or self._shell, headers, 200 if known else 404)

    def _elsewhere(self, scope: Scope, headers: dict[bytes, bytes]) -> str | None:
        """Where a page lies when it was asked for at an address that is not PUBLIC_URL's.

        In development 127.0.0.1 is another origin than localhost, whose cookies and sockets are refused. In production
        only http behind a proxy is mended: a proxy may rename the host, and we must not send people around in circles.
        """
        insecure = self._public.scheme == "https" and headers.get(b"x-forwarded-proto", b"") == b"http"
        elsewhere = not self._production and headers.get(b"host", b"").decode("latin-1") != self._public.netloc
        if not insecure and not elsewhere:
            return None
        query = quote(scope["query_string"].decode("latin-1"), safe="=&%+-._~/:")
        path = quote(scope["path"], safe="/:@!$&'()*+,;=~-._")
        return f"{self._public.scheme}://{self._public.netloc}{path}{'?' if query else ''}{query}"

    async def _at_the_door(self, scope: Scope, path: str) -> str | None:
        """Visitors without a session go to the log-in before they get a private page's HTML, others past it."""
        plain = path.rstrip("/") or "/"
        if plain in _FOR_VISITORS:
            return "/" if await self._signed_in(scope) else None
        route = self._route_of(plain)
        if route is None or f"/{route.strip('/')}" in self._public_routes or route in self._public_routes:
            return None
        if await self._signed_in(scope):
            return None
        return "/login" if plain == "/" else f"/login?next={quote(plain, safe='/')}"

    async def _give(
        self, scope: Scope, send: Send, file: _File, headers: dict[bytes, bytes], status: int = 200
    ) -> None:
        answer = [(b"content-type", file.kind), (b"cache-control", file.cache), (b"etag", file.etag)]
        if file.kind.startswith(b"text/html"):
            own = await self._own_livekit(scope) if self._own_livekit else ""
            answer.append((b"content-security-policy", with_livekit(self._policy, own)))
        if status == 200 and headers.get(b"if-none-match") == file.etag:
            await _answer(send, 304, b"", answer)
            return
        body = file.body
        if file.zipped is not None:
            answer.append((b"vary", b"accept-encoding"))
            if b"gzip" in headers.get(b"accept-encoding", b""):
                body = file.zipped
                answer.append((b"content-encoding", b"gzip"))
        answer.append((b"content-length", str(len(body)).encode()))
        await _answer(send, status, b"" if scope["method"] == "HEAD" else body, answer)


def _served(folder: Path) -> list[Path]:
    return [path for path in sorted(folder.rglob("*")) if path.is_file() and path.suffix not in {".gz", ".br", ".zst"}]


def _read(path: Path, folder: Path) -> _File:
    kind = _TYPES.get(path.suffix) or mimetypes.guess_type(path.name)[0] or "application/octet-stream"
    address = f"/{path.relative_to(folder).as_posix()}"
    body = path.read_bytes()
    if _BAKED.fullmatch(address):
        # The one file that holds an address from the build. With the browser's own in its place, one build serves
        # every host and port. Its name does not follow this change, so it is asked for again each time.
        return _file(_with_own_address(body), kind, _ASK_FIRST)
    zipped = path.with_name(f"{path.name}.gz")
    cache = _IMMUTABLE if address.startswith("/assets/") else _ASK_FIRST
    return _file(body, kind, cache, zipped.read_bytes() if zipped.exists() else None)


def _file(body: bytes, kind: str, cache: bytes, zipped: bytes | None = None) -> _File:
    text = kind.startswith("text/") or kind.endswith(("json", "xml"))
    etag = f'"{hashlib.sha256(body).hexdigest()[:20]}"'.encode()
    return _File(body, zipped, f"{kind}; charset=utf-8".encode() if text else kind.encode(), etag, cache)


def _with_own_address(code: bytes) -> bytes:
    def own(found: re.Match[str]) -> str:
        origin = "location.origin" if found[2] == "http" else 'location.origin.replace(/^http/,"ws")'
        return f'({origin}+"{found[3]}")'

    text, changed = _BAKED_ADDRESS.subn(own, code.decode())
    if not changed or "localhost:" in text:
        raise UnknownBuild("The built dashboard holds its address in a form that this version does not know.")
    return text.encode()


async def _say(send: Send, status: int, body: bytes, headers: list[tuple[bytes, bytes]]) -> None:
    said = [*headers, (b"content-type", b"text/plain; charset=utf-8"), (b"content-length", str(len(body)).encode())]
    await _answer(send, status, body, said)


async def _answer(send: Send, status: int, body: bytes, headers: list[tuple[bytes, bytes]]) -> None:
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})
