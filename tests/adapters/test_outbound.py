"""The way out: it goes where it looked, follows nothing, reads no more and waits no longer than it may."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx
import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID

from pulse_dash.adapters.outbound import OutboundClient, TooLarge
from pulse_dash.core.errors import Invalid
from pulse_dash.core.outbound import Allowed, OutboundRefused, Purpose


@asynccontextmanager
async def server(
    answer: bytes, *, then_wait: bool = False, tls: ssl.SSLContext | None = None
) -> AsyncIterator[tuple[int, list[bytes]]]:
    """Something on loopback that answers every request with these bytes; its port, and the heads that came."""
    heads: list[bytes] = []
    over = asyncio.Event()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        heads.append(await reader.readuntil(b"\r\n\r\n"))
        writer.write(answer)
        if then_wait:
            await over.wait()
        writer.close()

    running = await asyncio.start_server(serve, "127.0.0.1", 0, ssl=tls)
    try:
        yield running.sockets[0].getsockname()[1], heads
    finally:
        over.set()
        running.close()
        await running.wait_closed()
        await asyncio.sleep(0.05)


def ok(body: bytes, *headers: bytes) -> bytes:
    return b"\r\n".join([b"HTTP/1.1 200 OK", b"Content-Length: %d" % len(body), *headers, b"", body])


async def fetched(out: OutboundClient, url: str, purpose: Purpose = Purpose.WEBHOOK, **bounds: float) -> httpx.Response:
    """What a client of this way out is answered."""
    async with out.client(purpose, **bounds) as client:  # type: ignore[arg-type]
        return await client.get(url)


def way_out(port: int, *addresses: str) -> OutboundClient:
    """Everything resolves to these addresses; `inside` may be gone to although it is private."""
    allowed = frozenset({Allowed(Purpose.WEBHOOK, "inside", port)})
    return OutboundClient(allowed, lambda *_: [*(addresses or ("127.0.0.1",))])


NEVER = ["http://127.0.0.1", "http://[::1]", "http://[::ffff:127.0.0.1]", "http://169.254.169.254/latest", "http://0"]
NEVER += ["http://2130706433", "http://0x7f.1", "http://localhost", "http://LOCALHOST."]


@pytest.mark.parametrize("url", NEVER)
async def test_this_machine_is_refused_when_it_is_named_and_when_it_is_gone_to(url: str) -> None:
    real = OutboundClient()

    with pytest.raises(Invalid) as refused:
        await real.check(Purpose.WEBHOOK, url, field="url")
    assert refused.value.errors[0].field == "url"
    with pytest.raises(OutboundRefused):
        await fetched(real, url)


async def test_a_name_that_turned_private_after_it_was_named_leads_nowhere() -> None:
    answers = iter([["8.8.8.8"], ["127.0.0.1"]])
    turning = OutboundClient(resolve=lambda *_: next(answers))
    await turning.check(Purpose.WEBHOOK, "http://example.com", field="url")

    with pytest.raises(OutboundRefused):
        await fetched(turning, "http://example.com")


async def test_it_resolves_once_for_a_connection_and_keeps_the_name_in_the_host_header() -> None:
    asked: list[str] = []
    async with server(ok(b"hello")) as (port, heads):

        def resolve(host: str, _: int) -> list[str]:
            asked.append(host)
            return ["127.0.0.1"]

        out = OutboundClient(frozenset({Allowed(Purpose.WEBHOOK, "inside", port)}), resolve)
        answer = await fetched(out, f"http://inside:{port}/x")

    assert (answer.text, asked) == ("hello", ["inside"])
    assert f"Host: inside:{port}".encode() in heads[0]


async def test_what_is_allowed_for_webhooks_is_not_allowed_for_storage() -> None:
    async with server(ok(b"")) as (port, heads):
        with pytest.raises(OutboundRefused):
            await fetched(way_out(port), f"http://inside:{port}", Purpose.STORAGE)
    assert heads == []


async def test_the_next_address_is_tried_where_one_does_not_answer() -> None:
    async with server(ok(b"hello")) as (port, _):
        out = way_out(port, "127.0.0.2", "127.0.0.1")
        assert (await fetched(out, f"http://inside:{port}")).text == "hello"


async def test_a_redirect_is_an_answer_and_is_not_followed() -> None:
    moved = b"HTTP/1.1 307 Moved\r\nLocation: http://127.0.0.1/\r\nContent-Length: 0\r\n\r\n"
    async with server(moved) as (port, heads):
        answer = await fetched(way_out(port), f"http://inside:{port}")
    assert (answer.status_code, len(heads)) == (307, 1)


async def test_an_answer_without_end_is_not_read_to_its_end() -> None:
    async with server(b"HTTP/1.1 200 OK\r\n\r\n" + b"x" * 5000, then_wait=True) as (port, _):
        with pytest.raises(TooLarge):
            await fetched(way_out(port), f"http://inside:{port}", most_bytes=4096)


async def test_an_answer_that_comes_too_slowly_is_not_waited_for() -> None:
    for begun in (b"", b"HTTP/1.1 200 OK\r\n\r\nx"):
        async with server(begun, then_wait=True) as (port, _):
            with pytest.raises(httpx.TimeoutException):
                await fetched(way_out(port), f"http://inside:{port}", seconds=0.2)


async def test_what_is_packed_is_not_unpacked() -> None:
    async with server(ok(b"\x1f\x8b not really", b"Content-Encoding: gzip")) as (port, heads):
        answer = await fetched(way_out(port), f"http://inside:{port}")
    assert answer.content == b"\x1f\x8b not really"
    assert b"accept-encoding: identity" in heads[0].lower()


async def test_no_proxy_and_no_credentials_of_this_machine_are_used(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")
    async with server(ok(b"straight")) as (port, heads):
        assert (await fetched(way_out(port), f"http://inside:{port}")).text == "straight"
    assert b"authorization" not in heads[0].lower()


async def test_a_certificate_must_speak_of_the_name_and_not_of_the_address(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate(tmp_path, "inside")))
    asked: list[str | None] = []
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(tmp_path / "certificate.pem", tmp_path / "key.pem")
    context.sni_callback = lambda _, name, __: asked.append(name)
    async with server(ok(b"hello"), tls=context) as (port, _):
        places = frozenset(Allowed(Purpose.WEBHOOK, name, port) for name in ("inside", "other"))
        out = OutboundClient(places, lambda *_: ["127.0.0.1"])
        answer = await fetched(out, f"https://inside:{port}")
        with pytest.raises(httpx.ConnectError, match="certificate"):
            await fetched(out, f"https://other:{port}")

    assert (answer.text, asked) == ("hello", ["inside", "other"])


def certificate(folder: Path, name: str) -> Path:
    """A certificate for this name that signs itself, with its key beside it."""
    key, now = ec.generate_private_key(ec.SECP256R1()), datetime.now(UTC)
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    made = (
        x509.CertificateBuilder(subject, subject, key.public_key(), 1)
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(name)]), critical=False)
        .sign(key, SHA256())
    )
    private = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    (folder / "key.pem").write_bytes(private)
    (folder / "certificate.pem").write_bytes(made.public_bytes(Encoding.PEM))
    return folder / "certificate.pem"


async def test_a_name_that_nobody_knows_is_taken_and_leads_nowhere_yet() -> None:
    def unknown(*_: object) -> list[str]:
        raise OSError("no such name")

    out = OutboundClient(resolve=unknown)
    await out.check(Purpose.WEBHOOK, "https://soon.example.com", field="url")
    with pytest.raises(httpx.ConnectError, match=r"soon\.example\.com"):
        await fetched(out, "https://soon.example.com")
