"""How Pulse writes its log: one JSON object a line in production, coloured lines for a person in development."""

from __future__ import annotations

import asyncio
import json
import logging
import sys
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any, BinaryIO

import orjson
import structlog


def _for_a_person() -> structlog.typing.Processor:
    return structlog.dev.ConsoleRenderer(colors=sys.stderr.isatty(), exception_formatter=structlog.dev.plain_traceback)


class _RequestLines:
    """Where the lines of requests go: through structlog, or in production straight into the same stream."""

    def __init__(self) -> None:
        self.stream: BinaryIO | None = None
        self._waiting: list[bytes] = []
        self._moment = ""

    @property
    def moment(self) -> str:
        """When the first line of this turn of the event loop was written, in UTC."""
        if not self._waiting:
            self._moment = datetime.now(UTC).isoformat().replace("+00:00", "Z")
        return self._moment

    def write(self, stream: BinaryIO, line: bytes) -> None:
        """Lines of one turn of the event loop leave together: each call into the kernel lets other threads go first."""
        if not self._waiting:
            asyncio.get_running_loop().call_soon(self._flush, stream)
        self._waiting.append(line)

    def _flush(self, stream: BinaryIO) -> None:
        lines, self._waiting = self._waiting, []
        stream.write(b"\n".join(lines) + b"\n")
        stream.flush()


_lines = _RequestLines()


def request(told: dict[str, Any]) -> None:
    """Write the line of one answered request.

    In production it looks like every other line and does not pass through structlog, where it would cost three times
    as much: there is one for each token."""
    if _lines.stream is None:
        log = structlog.get_logger("pulse.request")
        # Whoever asks about an answer of ours that failed finds its id, also where only warnings are shown.
        (log.warning if told["status"] >= 500 else log.info)("request", **told)
        return
    told["event"], told["level"], told["timestamp"] = "request", "info", _lines.moment
    _lines.write(_lines.stream, _as_json(told))


def _as_json(event: Any, default: Callable[[Any], Any] = str) -> bytes:
    try:
        return orjson.dumps(event, default=default, option=orjson.OPT_UTC_Z)
    except orjson.JSONEncodeError:
        # Half of a surrogate pair, which a path may hold: the standard library writes it as an escape.
        return json.dumps(event, default=default).encode()


def set_up(*, production: bool, quiet: bool = False) -> None:
    """Set up structlog and let the libraries' logging pass through it; `quiet` shows warnings and worse only."""
    level = logging.WARNING if quiet else logging.INFO
    shared: list[structlog.typing.Processor] = [
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
    ]
    renderer: list[structlog.typing.Processor] = [_for_a_person()]
    factory: Any = structlog.PrintLoggerFactory(sys.stderr)
    if production:
        # Bytes all the way: a request's line costs half of what it costs as text.
        renderer = [structlog.processors.format_exc_info, structlog.processors.JSONRenderer(_as_json)]
        factory = structlog.BytesLoggerFactory(sys.stderr.buffer)
    _lines.stream = sys.stderr.buffer if production and not quiet else None
    structlog.configure(
        processors=[*shared, *renderer],
        wrapper_class=structlog.make_filtering_bound_logger(level),
        logger_factory=factory,
        cache_logger_on_first_use=True,
    )
    logging.basicConfig(level=logging.WARNING, stream=sys.stderr, format="%(levelname)s %(name)s %(message)s")
