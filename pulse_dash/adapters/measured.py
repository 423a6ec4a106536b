"""Connections on which only so many bytes are read, whatever they are; each serves one request.

httpx counts nothing that comes before an answer: a server that said "103 Early Hints" without end kept a core busy.
"""

from __future__ import annotations

import ssl
from typing import Any, cast

import httpcore
import httpx


class MeasuredTransport(httpx.AsyncHTTPTransport):
    """httpx's own, on connections of which no more than `most_bytes` are read. They must not be kept."""

    def __init__(self, trust: ssl.SSLContext, *, limits: httpx.Limits, most_bytes: int) -> None:
        super().__init__(verify=trust, limits=limits, trust_env=False)
        # httpx takes no backend, so the pool that it made is replaced by the same with one of ours.
        self._pool = httpcore.AsyncConnectionPool(
            ssl_context=trust,
            max_connections=limits.max_connections,
            max_keepalive_connections=limits.max_keepalive_connections,
            network_backend=_Measured(most_bytes),
        )


class _Measured(httpcore.AsyncNetworkBackend):
    """Connections on which only so many bytes are read; each serves one request."""

    def __init__(self, most: int) -> None:
        self._most, self._backend = most, cast("httpcore.AsyncNetworkBackend", httpcore.AnyIOBackend())

    async def connect_tcp(self, *args: Any, **kwargs: Any) -> httpcore.AsyncNetworkStream:
        return _MeasuredStream(await self._backend.connect_tcp(*args, **kwargs), self._most)

    async def sleep(self, seconds: float) -> None:
        await self._backend.sleep(seconds)


class _MeasuredStream(httpcore.AsyncNetworkStream):
    def __init__(self, stream: httpcore.AsyncNetworkStream, most: int) -> None:
        self._stream, self._left, self._most = stream, most, most

    async def read(self, max_bytes: int, timeout: float | None = None) -> bytes:  # noqa: ASYNC109 - httpcore's own
        came = await self._stream.read(max_bytes, timeout)
        self._left -= len(came)
        if self._left < 0:
            raise httpcore.ReadError("more than anybody wants to read")
        return came

    async def write(self, buffer: bytes, timeout: float | None = None) -> None:  # noqa: ASYNC109
        await self._stream.write(buffer, timeout)

    async def aclose(self) -> None:
        await self._stream.aclose()

    async def start_tls(
        self,
        ssl_context: ssl.SSLContext,
        server_hostname: str | None = None,
        timeout: float | None = None,  # noqa: ASYNC109
    ) -> httpcore.AsyncNetworkStream:
        return _MeasuredStream(await self._stream.start_tls(ssl_context, server_hostname, timeout), self._most)

    def get_extra_info(self, info: str) -> Any:
        return self._stream.get_extra_info(info)
