"""The one way out to addresses that tenants name: each connection goes to an address that was looked at, or nowhere.

A name is resolved once for each connection and the socket goes to what came of it, so a name that changes its mind in
between leads nowhere else. Certificates and the Host header still speak of the name. Which addresses may be gone to is
told in core.
"""

from __future__ import annotations

import asyncio
import socket
import ssl
from collections.abc import AsyncIterator, Callable
from concurrent.futures import ThreadPoolExecutor

import httpx

from pulse_dash.adapters.measured import MeasuredTransport
from pulse_dash.core.addresses import literal
from pulse_dash.core.outbound import Allowed, OutboundRefused, Purpose, Target, refusal, refused_field, target_of

Resolve = Callable[[str, int], list[str]]

_RESOLVE_SECONDS = 3.0
_MOST_RESOLVED = 8
# What an answer may have in front of its body: its head, and answers that are none yet.
_MOST_BEFORE = 64 * 1024
# Connections are not kept: httpx would hand one that was opened for a name to another name at the same address.
_LIMITS = httpx.Limits(max_connections=50, max_keepalive_connections=0)


class TooLarge(httpx.TransportError):
    """The answer is longer than the one who asked wants to read."""


class OutboundClient:
    """Checks and connects. `allowed` is OUTBOUND_ALLOW; a test brings a `resolve` of its own."""

    def __init__(self, allowed: frozenset[Allowed] = frozenset(), resolve: Resolve | None = None) -> None:
        self._allowed = allowed
        self._resolve = resolve or resolved
        self._trust: ssl.SSLContext | None = None
        # Threads of their own: a name server that never answers holds them for long, and mail needs the loop's.
        self._resolvers = ThreadPoolExecutor(_MOST_RESOLVED, thread_name_prefix="outbound-names")

    async def check(self, purpose: Purpose, url: str, *, field: str) -> None:
        """Raises Invalid for an address that can't be taken.

        A name that nobody knows now is taken: it may come to be, and every connection is looked at again."""
        target = target_of(purpose, url)
        if isinstance(target, str):
            raise refused_field(field, target)
        try:
            addresses = await self._addresses(target)
        except OSError:
            return
        if sentence := refusal(target, addresses, self._allowed):
            raise refused_field(field, sentence)

    def check_form(self, purpose: Purpose, url: str, *, field: str) -> None:
        """The same as far as the address itself tells, without asking a name server. Raises Invalid."""
        target = target_of(purpose, url)
        if isinstance(target, str):
            raise refused_field(field, target)
        # This machine's own name needs no name server (RFC 6761, 6.3).
        own = target.host == "localhost" or target.host.endswith(".localhost")
        known = [target.host] if literal(target.host) else ["127.0.0.1"] if own else []
        if sentence := refusal(target, known, self._allowed):
            raise refused_field(field, sentence)

    def lists(self, purpose: Purpose, url: str) -> bool:
        """Whether OUTBOUND_ALLOW names this address for this purpose."""
        target = target_of(purpose, url)
        return not isinstance(target, str) and Allowed(purpose, target.host, target.port) in self._allowed

    def client(self, purpose: Purpose, *, seconds: float = 10.0, most_bytes: int = 1024 * 1024) -> httpx.AsyncClient:
        """A client for this purpose: no redirects, no proxies and no credentials of this machine."""
        return httpx.AsyncClient(
            transport=_Checked(self, purpose, seconds, most_bytes),
            timeout=seconds,
            follow_redirects=False,
            trust_env=False,
            headers={"Accept-Encoding": "identity", "User-Agent": "Pulse"},
        )

    @property
    def trust(self) -> ssl.SSLContext:
        """Whose certificates are believed: the public authorities, and those that this machine adds. Read once."""
        if self._trust is None:
            self._trust = httpx.create_ssl_context(trust_env=False)
            self._trust.load_default_certs()
        return self._trust

    async def places(self, purpose: Purpose, url: httpx.URL) -> list[str]:
        """The addresses that a connection may go to. Raises OutboundRefused, httpx.ConnectError."""
        target = self._target(purpose, url)
        try:
            addresses = await self._addresses(target)
        except OSError as error:
            raise _unknown(target) from error
        return self._looked_at(target, addresses)

    def _target(self, purpose: Purpose, url: httpx.URL) -> Target:
        target = target_of(purpose, str(url))
        if isinstance(target, str):
            raise OutboundRefused(target)
        return target

    def _looked_at(self, target: Target, addresses: list[str]) -> list[str]:
        if not addresses:
            raise _unknown(target)
        if sentence := refusal(target, addresses, self._allowed):
            raise OutboundRefused(sentence)
        return addresses

    async def _addresses(self, target: Target) -> list[str]:
        if literal(target.host):
            return [target.host]
        async with asyncio.timeout(_RESOLVE_SECONDS):
            return await asyncio.get_running_loop().run_in_executor(
                self._resolvers, self._resolve, target.host, target.port
            )


class _Checked(httpx.AsyncBaseTransport):
    """Sends each request to the first address of its name that answers, and lets it take no longer than it may."""

    def __init__(self, outbound: OutboundClient, purpose: Purpose, seconds: float, most_bytes: int) -> None:
        self._outbound, self._purpose, self._seconds, self._most = outbound, purpose, seconds, most_bytes
        self._inner = MeasuredTransport(outbound.trust, limits=_LIMITS, most_bytes=most_bytes + _MOST_BEFORE)

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        ends = asyncio.get_running_loop().time() + self._seconds
        try:
            async with asyncio.timeout_at(ends):
                answer = await self._sent(request)
        except TimeoutError as error:
            raise httpx.ReadTimeout("it took too long") from error
        # What is packed is not unpacked here: a small answer would become one without an end.
        headers = [(name, value) for name, value in answer.headers.raw if name.lower() != b"content-encoding"]
        body = _Bounded(answer, self._most, ends)
        return httpx.Response(answer.status_code, headers=headers, stream=body, request=request)

    async def _sent(self, request: httpx.Request) -> httpx.Response:
        places = await self._outbound.places(self._purpose, request.url)
        # A place that swallows what is sent to it leaves time for the next.
        seconds = self._seconds / len(places)
        for place in places[:-1]:
            try:
                return await self._inner.handle_async_request(_at(request, place, seconds))
            except (httpx.ConnectError, httpx.ConnectTimeout):
                continue
        return await self._inner.handle_async_request(_at(request, places[-1], seconds))

    async def aclose(self) -> None:
        await self._inner.aclose()


class _Bounded(httpx.AsyncByteStream):
    """The bytes of an answer, up to so many and until that moment."""

    def __init__(self, answer: httpx.Response, most: int, ends: float) -> None:
        self._answer, self._most, self._ends = answer, most, ends

    async def __aiter__(self) -> AsyncIterator[bytes]:
        read, chunks = 0, self._answer.aiter_raw()
        while True:
            try:
                async with asyncio.timeout_at(self._ends):
                    chunk = await anext(chunks, None)
            except TimeoutError as error:
                raise httpx.ReadTimeout("it took too long") from error
            if chunk is None:
                return
            read += len(chunk)
            if read > self._most:
                raise TooLarge(f"the answer is over {self._most} bytes")
            yield chunk

    async def aclose(self) -> None:
        await self._answer.aclose()


def resolved(host: str, port: int) -> list[str]:
    """Every address of a name, each once, in the order that the machine prefers. Raises OSError."""
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(address[0]) for *_, address in found))


def _at(request: httpx.Request, place: str, connect_seconds: float) -> httpx.Request:
    """The same request, sent to an address; the Host header and the certificate's name stay what they were."""
    extensions = {
        **request.extensions,
        "sni_hostname": request.url.raw_host.decode("ascii"),
        "timeout": {**request.extensions.get("timeout", {}), "connect": connect_seconds},
    }
    return httpx.Request(
        request.method,
        request.url.copy_with(host=place),
        headers=request.headers,
        stream=request.stream,
        extensions=extensions,
    )


def _unknown(target: Target) -> httpx.ConnectError:
    return httpx.ConnectError(f"No address is known for {target.host}")
