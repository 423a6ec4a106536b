"""The mails of a Pulse without a mail server, for who develops on the same machine. Elsewhere there is no such page."""

from __future__ import annotations

import html
import re

from fastapi import APIRouter, Request
from starlette.responses import HTMLResponse, Response

from pulse_dash.api.docs import POLICY
from pulse_dash.api.health import from_this_machine
from pulse_dash.core import mails
from pulse_dash.core.errors import NotFound
from pulse_dash.core.mail import Mail
from pulse_dash.services import Services

router = APIRouter(include_in_schema=False)

_LINK = re.compile(r"https?://[^\s<>\"]+")
_DOCUMENT = """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<title>Outbox · Pulse</title>
<link rel="icon" href="/favicon.svg">
<link rel="stylesheet" href="/tokens.css"><link rel="stylesheet" href="/fonts.css">
<link rel="stylesheet" href="/docs.css">
<script src="/theme.js"></script>
</head>
<body>
<nav aria-label="Pulse"><a class="home" href="/">Pulse</a></nav>
<main><h1>Outbox</h1><p>No mail server is set, so what would be mailed lies here, on this machine alone, until Pulse
stops.</p>{mails}</main>
</body>
</html>
"""
_EMPTY = "<p>Nothing yet. A forgotten password sends a mail; an invitation's link stands on the page Team.</p>"


@router.get("/outbox")
async def outbox(request: Request) -> Response:
    """The newest first."""
    services: Services = request.app.state.services
    kept = await mails.outbox(services.system("the outbox")) if from_this_machine(request, services) else None
    if kept is None:
        raise NotFound
    body = _DOCUMENT.format(mails="".join(_shown(mail) for mail in kept) or _EMPTY)
    headers = {"Content-Security-Policy": POLICY, "Cache-Control": "no-store", "Referrer-Policy": "no-referrer"}
    return HTMLResponse(body, headers=headers)


def _shown(mail: Mail) -> str:
    text = _LINK.sub(lambda link: f'<a href="{link[0]}">{link[0]}</a>', html.escape(mail.text))
    return f"<h2>{html.escape(mail.subject)}</h2><p>To {html.escape(mail.to)}</p><pre tabindex='0'>{text}</pre>"
