"""ETag and If-Match: a document's version over HTTP (RFC 9110, 8.8.3 and 13.1.1)."""

from __future__ import annotations

import re
from typing import Annotated

from fastapi import Header, Response

from pulse_dash.core.errors import PreconditionFailed

_TAG = re.compile(r'"v(\d{1,9})"')

IfMatch = Annotated[str | None, Header(alias="If-Match", description="An ETag that was answered before, or `*`.")]


def tag(response: Response, version: int) -> None:
    """Say which version the answer shows."""
    response.headers["ETag"] = f'"v{version}"'


def version_of(if_match: str | None) -> int | None:
    """The version that the caller demands; None when any will do. Raises PreconditionFailed for a foreign tag."""
    if if_match is None or if_match.strip() == "*":
        return None
    found = _TAG.fullmatch(if_match.strip())
    if found is None:
        raise PreconditionFailed
    return int(found[1])
