"""How Pulse writes its log: one JSON object a line in production, coloured lines for a person in development."""

from __future__ import annotations

import json
import logging
import sys
from typing import Any

import orjson
import structlog


def _for_a_person() -> structlog.typing.Processor:
    return structlog.dev.ConsoleRenderer(colors=sys.stderr.isatty(), exception_formatter=structlog.dev.plain_traceback)


def _as_json(event: Any, **options: Any) -> bytes:
    try:
        return orjson.dumps(event, **options)
    except orjson.JSONEncodeError:
        # Half of a surrogate pair, which a path may hold: the standard library writes it as an escape.
        return json.dumps(event, **options).encode()


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
    structlog.configure(
        processors=[*shared, *renderer],
        wrapper_class=structlog.make_filtering_bound_logger(level),
        logger_factory=factory,
        cache_logger_on_first_use=True,
    )
    logging.basicConfig(level=logging.WARNING, stream=sys.stderr, format="%(levelname)s %(name)s %(message)s")
