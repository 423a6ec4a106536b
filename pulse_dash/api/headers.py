"""What every answer carries, whoever gave it: a request id, and headers that tell browsers to be careful.

Pure ASGI and outermost, because a framework's middleware misses the answers of the frameworks around it.
"""

from __future__ import annotations

import base64
import hashlib
import re
from collections.abc import Awaitable, Callable, Iterable, Sequence
from urllib.parse import urlsplit

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from pulse_dash.core.outbound import Purpose, target_of
from pulse_dash.core.randomness import Randomness

Header = tuple[bytes, bytes]

_REQUEST_ID = re.compile(rb"[A-Za-z0-9._:-]{1,128}")
_INLINE_SCRIPT = re.compile(r"<script((?:\s[^>]*)?)>(.*?)</script>", re.DOTALL | re.IGNORECASE)

# Nothing is loaded, framed or sent from an answer that is no page.
_CSP_ELSEWHERE = b"default-src 'none'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'"

_EVERYWHERE: tuple[Header, ...] = (
    (b"x-content-type-options", b"nosniff"),
    (b"x-frame-options", b"DENY"),
    (b"cross-origin-resource-policy", b"same-origin"),
    (b"content-security-policy", _CSP_ELSEWHERE),
    (b"cache-control", b"no-store"),
)
# What a browser heeds of a document, and of nothing else that it fetches.
_OF_DOCUMENTS: tuple[Header, ...] = (
    (b"referrer-policy", b"same-origin"),
    (b"permissions-policy", b"camera=(self), microphone=(self), display-capture=(self), geolocation=(), payment=()"),
    (b"cross-origin-opener-policy", b"same-origin"),
)
_DATA = frozenset({b"application/json", b"application/problem+json"})
_STARTS = frozenset({"http.response.start", "websocket.http.response.start", "websocket.accept"})
_STRICT_TRANSPORT = (b"strict-transport-security", b"max-age=31536000")


# What answers a request whose body is there: status, the lines of its headers, each with its end, and content.
Answer = tuple[int, bytes, bytes]
# Gives it from memory, and always with data: no such answer is a document, or sets a header of everywhere itself.
AtOnce = Callable[[Scope, bytes], Answer | None]


class CarefulAnswers:
    """Gives each request its id and each answer its headers; what an answer set itself stays."""

    def __init__(self, app: ASGIApp, *, https: bool, at_once: AtOnce | None = None) -> None:
        self._app = app
        self._at_once = at_once
        self._randomness = Randomness()
        self._data_headers = (*_EVERYWHERE, _STRICT_TRANSPORT) if https else _EVERYWHERE
        self._headers = (*self._data_headers, *_OF_DOCUMENTS)
        self._names = {name for name, _ in self._headers}
        self._data_lines = lines_of(self._data_headers)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await self._app(scope, receive, send)
            return
        request_id = self._named(scope)

        def careful(message: Message) -> Awaitable[None]:
            if message["type"] in _STARTS:
                given = message.get("headers", ())
                message["headers"] = [*given, (b"x-request-id", request_id.encode()), *self._missing(given)]
            return send(message)

        await self._app(scope, receive, careful)

    def at_once(self, scope: Scope, body: bytes) -> Answer | None:
        """The whole answer to a request of the fast lane, where nobody must be waited for; None where somebody must."""
        if self._at_once is None:
            return None
        request_id = self._named(scope)
        answer = self._at_once(scope, body)
        if answer is None:
            return None
        status, lines, content = answer
        return status, b"%bx-request-id: %b\r\n%b" % (lines, request_id.encode(), self._data_lines), content

    def _named(self, scope: Scope) -> str:
        request_id = _sent_request_id(scope["headers"]) or "req_" + self._randomness.bytes(10).hex()
        scope.setdefault("state", {})["request_id"] = request_id
        return request_id

    def _missing(self, given: Iterable[Header]) -> Sequence[Header]:
        names = dict(given)
        ours = self._data_headers if names.get(b"content-type") in _DATA else self._headers
        return ours if self._names.isdisjoint(names) else [each for each in ours if each[0] not in names]


def lines_of(headers: Iterable[Header]) -> bytes:
    """The headers as they are sent."""
    return b"".join([b"%b: %b\r\n" % header for header in headers])


def _sent_request_id(headers: Iterable[Header]) -> str | None:
    """The caller's, so that a trail can be followed through both houses; None where it is none that a log can hold."""
    for name, value in headers:
        if name == b"x-request-id":
            return value.decode() if _REQUEST_ID.fullmatch(value) else None
    return None


def page_policy(documents: Iterable[str], *, livekit_hosts: Iterable[str], public_url: str) -> str:
    """The one Content-Security-Policy of all pages: a page reached inside the browser keeps the first one's.

    Inline scripts are allowed by their hash, taken from the built documents themselves. `unsafe-eval` is there
    because Reflex evaluates the toasts and page loads that the server asks for."""
    hashes = sorted({_hash(code) for document in documents for code in _inline_scripts(document)})
    connect = ["'self'", *_socket_addresses(public_url)[:1]]
    connect += [address for host in livekit_hosts for address in _socket_addresses(host)]
    rules = {
        "default-src": "'self'",
        "script-src": " ".join(["'self'", *hashes, "'unsafe-eval'"]),
        "style-src": "'self' 'unsafe-inline'",
        "connect-src": " ".join(dict.fromkeys(connect)),
        "img-src": "'self' data:",
        "font-src": "'self'",
        "media-src": "'self' blob:",
        "worker-src": "'self' blob:",
        "form-action": "'self'",
        "frame-ancestors": "'none'",
        "base-uri": "'self'",
        "object-src": "'none'",
    }
    return "; ".join(f"{name} {value}" for name, value in rules.items())


def with_livekit(policy: bytes, url: str) -> bytes:
    """The same policy for a document that may connect to one more LiveKit: its origin, written by us."""
    target = target_of(Purpose.LIVEKIT, url)
    if isinstance(target, str):
        return policy
    return policy.replace(b"connect-src ", f"connect-src {' '.join(_socket_addresses(target.origin))} ".encode(), 1)


def _inline_scripts(document: str) -> list[str]:
    return [code for attributes, code in _INLINE_SCRIPT.findall(document) if "src=" not in attributes.lower()]


def _hash(code: str) -> str:
    return f"'sha256-{base64.b64encode(hashlib.sha256(code.encode()).digest()).decode()}'"


def _socket_addresses(url: str) -> list[str]:
    """An address for sockets and for http: LiveKit's client uses both, and older browsers want our socket named."""
    parts = urlsplit(url)
    if not parts.netloc:
        return []
    end = "s" if parts.scheme in {"https", "wss"} else ""
    return [f"ws{end}://{parts.netloc}", f"http{end}://{parts.netloc}"]
