"""`Idempotency-Key` over HTTP: a mark beneath a route that creates. What a key that comes again means is core's.

The mark runs after everything that may refuse the request was asked, so a repeated answer reaches only who may have it.
"""

from __future__ import annotations

import inspect
from collections.abc import Awaitable, Callable
from functools import wraps
from typing import Annotated, Any

import orjson
from fastapi import Header, Request, Response
from pydantic import BaseModel, Field

from pulse_dash.core import idempotency

REPEATED = "Idempotent-Replayed"

Key = Annotated[
    str | None,
    Header(
        alias="Idempotency-Key",
        min_length=1,
        max_length=255,
        pattern=r"^[!-~]+$",
        description="The same key and body within 24 hours: one effect, and the same answer again.",
    ),
]

ShownOnce = Annotated[
    str | None, Field(description="A secret; null in an answer that is repeated after more than ten minutes.")
]


def idempotent(endpoint: Callable[..., Awaitable[BaseModel]]) -> Callable[..., Awaitable[Any]]:
    """Let an endpoint that takes `work` honour `Idempotency-Key`."""
    own = inspect.signature(endpoint, eval_str=True)

    @wraps(endpoint)
    async def marked(**given: Any) -> Any:
        key: str | None = given["idempotency_key"]
        asked = {name: given[name] for name in own.parameters}
        if key is None:
            return await endpoint(**asked)
        request: Request = given["request"]

        async def do() -> dict[str, Any]:
            return (await endpoint(**asked)).model_dump(mode="json")

        body = orjson.dumps(request.scope["state"].get("json", {}), option=orjson.OPT_SORT_KEYS).decode()
        answered = await idempotency.once(given["work"], key=key, route=request.url.path, body=body, do=do)
        if answered.repeated:
            given["response"].headers[REPEATED] = "true"
        return answered.answer

    added = [each for each in _ADDED if each.name not in own.parameters]
    marked.__signature__ = own.replace(parameters=[*own.parameters.values(), *added])  # type: ignore[attr-defined]
    return marked


_ADDED = tuple(
    inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY, annotation=kind, default=default)
    for name, kind, default in (
        ("request", Request, inspect.Parameter.empty),
        ("response", Response, inspect.Parameter.empty),
        ("idempotency_key", Key, None),
    )
)
