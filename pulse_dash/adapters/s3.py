"""S3 and what speaks like it (docs.aws.amazon.com/AmazonS3/latest/API), spoken by boto3 over our own way out.

It translates calls and errors; whose bucket it is and what lies in it is told in core. boto3 gets both keys each time
and sends nothing itself, so it can fall back neither to the machine's own credentials nor to its proxies.
"""

from __future__ import annotations

import asyncio
import io
import threading
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import httpx
from botocore.awsrequest import AWSResponse  # pyright: ignore[reportMissingTypeStubs]
from botocore.config import Config  # pyright: ignore[reportMissingTypeStubs]
from botocore.exceptions import BotoCoreError, ClientError  # pyright: ignore[reportMissingTypeStubs]

from pulse_dash.core.errors import NotFound, PulseError, Unavailable
from pulse_dash.core.outbound import Outbound, Purpose
from pulse_dash.core.storage import Bucket

_SECONDS = 10.0
_MOST_BYTES = 8 * 1024 * 1024
_CONFIG = Config(
    signature_version="s3v4",
    # A bucket's name stays out of the host: what OUTBOUND_ALLOW names, and certificates speak of, is the endpoint.
    s3={"addressing_style": "path"},
    retries={"total_max_attempts": 1},
    request_checksum_calculation="when_required",
    response_checksum_validation="when_required",
    ignore_configured_endpoint_urls=True,
)
_SAYS: Mapping[str, str] = {
    "NoSuchBucket": "There is no bucket {bucket} at this address. Check its name, or make it.",
    "InvalidAccessKeyId": "The storage does not know this access key. Copy it again from your provider.",
    "SignatureDoesNotMatch": "The storage refuses the secret access key. Copy it again from your provider.",
    "AccessDenied": "These keys may not do this in {bucket}. They need to read, write and delete objects there.",
    "PermanentRedirect": "The bucket {bucket} lives in another region. Name that region.",
    "AuthorizationHeaderMalformed": "The bucket {bucket} lives in another region. Name that region.",
    "RequestTimeTooSkewed": "The clock of this machine differs from the storage's by more than it takes.",
}


class S3Bucket:
    """One bucket; the client is made at the first call, in a thread, because making one takes a moment."""

    def __init__(self, bucket: Bucket, outbound: Outbound) -> None:
        self._bucket = bucket
        self._outbound = outbound
        self._client: Any = None
        self._making = threading.Lock()

    async def write(self, key: str, body: bytes) -> None:
        """Store an object, over one of the same key."""
        await self._do(lambda client: client.put_object(Bucket=self._bucket.name, Key=key, Body=body))

    async def read(self, key: str) -> bytes:
        """A small object whole."""
        return await self._do(lambda client: client.get_object(Bucket=self._bucket.name, Key=key)["Body"].read())

    async def delete(self, key: str) -> None:
        """Remove an object; nothing happens where it is gone already."""
        await self._do(lambda client: client.delete_object(Bucket=self._bucket.name, Key=key))

    async def _do(self, call: Callable[[Any], Any]) -> Any:
        loop = asyncio.get_running_loop()
        try:
            return await asyncio.to_thread(lambda: call(self._made(loop)))
        except PulseError:
            raise
        except ClientError as error:
            raise self._ours(error) from error
        except (httpx.HTTPError, BotoCoreError, TimeoutError) as error:
            where = httpx.URL(self._bucket.endpoint).host
            raise Unavailable("storage", f"No answer comes from {where}: {error or 'it took too long'}.") from error

    def _made(self, loop: asyncio.AbstractEventLoop) -> Any:
        with self._making:
            if self._client is None:
                self._client = _client(self._bucket)
                # Whatever answers this event is taken as what was sent over HTTP, and boto3 sends nothing.
                self._client.meta.events.register("before-send.s3", self._sender(loop))
        return self._client

    def _sender(self, loop: asyncio.AbstractEventLoop) -> Callable[..., Any]:
        def send(request: Any, **_: Any) -> Any:
            sent = asyncio.run_coroutine_threadsafe(self._send(request), loop)
            return sent.result(_SECONDS * 2)

        return send

    async def _send(self, request: Any) -> Any:
        async with self._outbound.client(Purpose.STORAGE, seconds=_SECONDS, most_bytes=_MOST_BYTES) as client:
            headers = {name: _text(value) for name, value in request.headers.items()}
            answer = await client.request(request.method, request.url, headers=headers, content=_bytes(request.body))
        raw: Any = _Raw(answer.content)
        return AWSResponse(request.url, answer.status_code, httpx.Headers(answer.headers), raw)

    def _ours(self, error: Any) -> PulseError:
        code = str(error.response.get("Error", {}).get("Code", ""))
        if code == "NoSuchKey":
            return NotFound("There is no such object in the bucket.")
        status = error.response.get("ResponseMetadata", {}).get("HTTPStatusCode")
        says = _SAYS.get(code) or ("AccessDenied" if status == 403 else "") or f"The storage answers {code or status}."
        return Unavailable("storage", _SAYS.get(says, says).format(bucket=self._bucket.name))


class NoStorage:
    """Stands where no bucket is configured; everything asked of it says so."""

    async def write(self, key: str, body: bytes) -> None:
        raise self._unavailable()

    async def read(self, key: str) -> bytes:
        raise self._unavailable()

    async def delete(self, key: str) -> None:
        raise self._unavailable()

    def _unavailable(self) -> Unavailable:
        sentence = "No storage is configured. Give the project a bucket of its own, or set R2_BUCKET_NAME and the keys."
        return Unavailable("storage", sentence)


class _Raw(io.BytesIO):
    """An answer's body as botocore reads it."""

    def stream(self, *_: Any, **__: Any) -> Iterator[bytes]:
        if body := self.read():
            yield body


def _client(bucket: Bucket) -> Any:
    # It takes a moment and twenty megabytes, which an installation without storage does not pay.
    import boto3  # noqa: PLC0415 # pyright: ignore[reportMissingTypeStubs]
    import botocore.session  # noqa: PLC0415 # pyright: ignore[reportMissingTypeStubs]

    # No profile and no file of this machine's user has a say.
    alone: Any = botocore.session.Session({"profile": (None, None, None, None), "config_file": (None, None, "", None)})
    session: Any = boto3.Session(botocore_session=alone)
    return session.client(
        "s3",
        endpoint_url=bucket.endpoint,
        region_name=bucket.region,
        aws_access_key_id=bucket.access_key_id,
        aws_secret_access_key=bucket.secret_access_key.reveal(),
        config=_CONFIG,
    )


def _text(value: Any) -> str:
    return value.decode("latin-1") if isinstance(value, bytes) else str(value)


def _bytes(body: Any) -> bytes:
    if body is None:
        return b""
    return body if isinstance(body, bytes) else bytes(body.read())
