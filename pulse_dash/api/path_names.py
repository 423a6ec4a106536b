"""Names in paths: a `/` inside a name is sent as %2F and stays part of that name.

Servers decode a path before any route sees it, so that a room called a/b would look like two parts. It knows how such
a name passes the routes; what is named is told by them.
"""

from __future__ import annotations

import re
from typing import Annotated
from urllib.parse import unquote

from pydantic import BeforeValidator
from starlette.types import ASGIApp, Receive, Scope, Send

# Half of a surrogate pair, which no decoded path holds.
_SLASH = "\udc2f"
_ENCODED = re.compile(rb"%2[fF]")


def _whole(name: object) -> object:
    return name.replace(_SLASH, "/") if isinstance(name, str) else name


PathName = Annotated[str, BeforeValidator(_whole)]
"""A name that people gave, as a part of a path."""


class PathNames:
    """Keeps an encoded slash apart from those that part the path, below the prefixes whose routes take a PathName."""

    def __init__(self, app: ASGIApp, *prefixes: str) -> None:
        self._app = app
        self._prefixes = prefixes

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and scope["path"].startswith(self._prefixes):
            raw: bytes = scope.get("raw_path") or b""
            if _ENCODED.search(raw):
                path = _SLASH.join(unquote(part.decode("latin-1")) for part in _ENCODED.split(raw))
                scope = {**scope, "path": path}
        await self._app(scope, receive, send)
