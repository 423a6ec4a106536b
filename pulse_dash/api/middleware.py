"""What stands before every API route, in pure ASGI: bounded JSON bodies, limits' headers, one log line."""

from __future__ import annotations

import time
from collections.abc import Iterable
from itertools import islice
from typing import Any, cast

import orjson
import structlog
from starlette.requests import ClientDisconnect
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from pulse_dash import logs
from pulse_dash.api.principals import allowance_headers
from pulse_dash.api.problems import Refused, crash, problem_response, request_id
from pulse_dash.api.request_metrics import METRICS
from pulse_dash.core.errors import PulseError

log = structlog.get_logger("pulse.request")

LARGEST_BODY = 1024 * 1024
DEEPEST_BODY = 64
# Far more than any body of ours; what is wrong with each is told by pydantic, and that takes microseconds.
MOST_VALUES = 10_000
_OPEN = ("/health", "/ready", "/status", "/api/v2/", "/v1/status")
_UNSAFE = frozenset({"POST", "PUT", "PATCH", "DELETE"})
_METHODS = _UNSAFE | {"GET", "HEAD", "OPTIONS"}


class Accounted:
    """One log line and one count a request; a fault below becomes a problem that tells its id and nothing else."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        scope.setdefault("state", {})
        began, status, answered = time.perf_counter(), 0, False

        async def watched(message: Message) -> None:
            nonlocal status, answered
            if message["type"] == "http.response.start":
                status = message["status"]
                allowance = scope["state"].get("allowance")
                if allowance is not None:
                    message["headers"] = [*message["headers"], *allowance_headers(allowance)]
            elif message["type"] == "http.response.body":
                answered = not message.get("more_body", False)
            await send(message)

        try:
            await self._app(scope, receive, watched)
        except PulseError as error:
            await problem_response(error, request_id(scope))(scope, receive, watched)
        except Exception:  # the outermost boundary of the API: whatever is left is a fault of ours, told by its id
            log.exception("request.crashed", request_id=request_id(scope), path=scope["path"])
            if status and not answered:
                # Half an answer must not look like a whole one: the server breaks the connection.
                raise
            if not status:
                await crash(request_id(scope)).response()(scope, receive, watched)
        finally:
            account(scope, status, time.perf_counter() - began)


def account(scope: Scope, status: int, seconds: float) -> None:
    """Count one answered request and write its line; `status` is 0 where nothing was answered."""
    state = scope["state"]
    method = scope["method"] if scope["method"] in _METHODS else "other"
    METRICS.answered(method, state.get("route", "other"), status, seconds)
    logs.request(
        {
            "request_id": state.get("request_id", ""),
            "method": method,
            "path": scope["path"],
            "status": status,
            "ms": int(seconds * 100_000) / 100,
            "principal": state.get("principal", ""),
        }
    )


class Routed:
    """Keeps which route answered where the log and the metrics find it: in the state, which copies of a scope share."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            await self._app(scope, receive, send)
        finally:
            if "route" in scope:
                scope["state"]["route"] = scope["route"].path


class JsonBodies:
    """Reads every body under /v1 as JSON, whatever its Content-Type, before anything else happens with it.

    Too large is 413, and not a JSON object or nested beyond any of ours is 400 at once; what was parsed stands in the
    request's state."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["method"] not in _UNSAFE or not scope["path"].startswith("/v1/"):
            await self._app(scope, receive, send)
            return
        try:
            body = await read_body(scope, receive)
            if body:
                scope["state"]["json"] = object_of(body)
                scope["headers"] = _as_json(scope["headers"])
        except ClientDisconnect:
            # Half a body is no body: taken as an empty one, it would regenerate another key than it names.
            return
        except Refused as refused:
            await refused.answer(request_id(scope)).response()(scope, receive, send)
            return
        await self._app(scope, _replay(body, receive), send)


class OpenHeads:
    """Answers HEAD as GET without its body, where anybody may look and a look changes nothing: so monitors ask."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["method"] != "HEAD" or not scope["path"].startswith(_OPEN):
            await self._app(scope, receive, send)
            return

        async def without_body(message: Message) -> None:
            if message["type"] == "http.response.body":
                message = {**message, "body": b""}
            await send(message)

        await self._app({**scope, "method": "GET"}, receive, without_body)


def object_of(body: bytes) -> dict[str, Any]:
    """The JSON object that a body holds. Raises Refused."""
    try:
        parsed: Any = orjson.loads(body)
    except orjson.JSONDecodeError as error:
        detail = f"The body is not JSON: {error.msg} (line {error.lineno}, column {error.colno})."
        raise Refused(400, "malformed_json", detail) from error
    if not isinstance(parsed, dict):
        raise Refused(400, "not_an_object", "The body must be a JSON object.")
    if len(body) > MOST_VALUES and _is_vast(parsed):
        raise Refused(400, "malformed_json", f"The body holds more than {MOST_VALUES:,} values.")
    if _is_deep(body, parsed):
        raise Refused(400, "malformed_json", f"The body is nested deeper than {DEEPEST_BODY}.")
    return cast("dict[str, Any]", parsed)


async def read_body(scope: Scope, receive: Receive) -> bytes:
    """The whole body; one that is too large is read to that point and no further.

    Raises Refused, ClientDisconnect."""
    length = _length_of(scope["headers"])
    if length is not None and length > LARGEST_BODY:
        raise too_large()
    chunks: list[bytes] = []
    size = 0
    # The server says only with the next message that there is none; with a length told, nobody needs to wait for it.
    while size != length:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise ClientDisconnect
        chunk: bytes = message.get("body", b"")
        size += len(chunk)
        if size > LARGEST_BODY:
            raise too_large()
        chunks.append(chunk)
        if not message.get("more_body", False):
            break
    return chunks[0] if len(chunks) == 1 else b"".join(chunks)


def _length_of(headers: Iterable[tuple[bytes, bytes]]) -> int | None:
    """The body's length as its Content-Length tells it, which the server holds the caller to; None without one."""
    for name, value in headers:
        if name == b"content-length" and value.isdigit():
            # Python refuses to read a number of thousands of digits; a length of ten is too large already.
            return int(value) if len(value) <= 9 else LARGEST_BODY + 1
    return None


def too_large() -> Refused:
    """The refusal of a body beyond `LARGEST_BODY`."""
    return Refused(413, "body_too_large", "The body is larger than 1 MiB.")


def _is_deep(body: bytes, parsed: Any) -> bool:
    """Whether it is nested deeper than any body of ours: what writes JSON again gives up at a depth of its own."""
    if body.count(b"[") + body.count(b"{") <= DEEPEST_BODY:
        return False
    level: list[Any] = [parsed]
    for _ in range(DEEPEST_BODY):
        level = [each for outer in level for each in _inside(outer) if isinstance(each, dict | list)]
        if not level:
            return False
    return True


def _is_vast(parsed: Any) -> bool:
    """Whether it holds more values than any body of ours."""
    found = 0
    level: list[Any] = [parsed]
    while level and found <= MOST_VALUES:
        inside = list(islice((each for outer in level for each in _inside(outer)), MOST_VALUES + 1))
        found += len(inside)
        level = [each for each in inside if isinstance(each, dict | list)]
    return found > MOST_VALUES


def _inside(value: dict[str, Any] | list[Any]) -> Iterable[Any]:
    return value.values() if isinstance(value, dict) else value


def _as_json(headers: list[tuple[bytes, bytes]]) -> list[tuple[bytes, bytes]]:
    return [*(header for header in headers if header[0] != b"content-type"), (b"content-type", b"application/json")]


def _replay(body: bytes, receive: Receive) -> Receive:
    given = False

    async def again() -> Message:
        nonlocal given
        if given:
            return await receive()
        given = True
        return {"type": "http.request", "body": body, "more_body": False}

    return again
