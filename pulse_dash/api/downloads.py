"""Files that a browser downloads: the one place where the dashboard's cookie counts for a route under /v1.

It reads and never changes, so the cookie opens nothing that another site could make a browser do.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Annotated

from fastapi import Depends, Request
from starlette.responses import Response

from pulse_dash.api.principals import authenticate
from pulse_dash.api.session_forms import visitor
from pulse_dash.core.access import Anonymous
from pulse_dash.core.errors import Unauthenticated
from pulse_dash.core.work import Work
from pulse_dash.services import Services

# A link on a page of ours, or an address that somebody typed; programs without a browser send no such header.
_OURS = ("same-origin", "none", None)


class Csv(Response):
    """A CSV file."""

    media_type = "text/csv"


def csv_file(name: str, lines: Iterable[str]) -> Csv:
    """The lines as a file of that name, which is ours and no tenant's."""
    return Csv("".join(lines), headers={"Content-Disposition": f'attachment; filename="{name}.csv"'})


async def _downloading(request: Request) -> Work:
    services: Services = request.app.state.services
    work = await authenticate(services, request.scope)
    if isinstance(work.actor, Anonymous) and request.headers.get("sec-fetch-site") in _OURS:
        work = work.acting_as(await visitor(work, services.settings, request))
    if isinstance(work.actor, Anonymous):
        raise Unauthenticated
    return work


Downloading = Annotated[Work, Depends(_downloading)]
"""A caller with good credentials, or the person whose dashboard asks for a file; without either 401."""
