"""The page behind an invitation's link: whom it is for, into what, and the one form that fits who opened it.

It is served whole and runs no script, so that it needs neither a session nor a socket, and its link's secret is told
to nobody (`Referrer-Policy: no-referrer`). What the form does is told by session_forms.
"""

from __future__ import annotations

import html
from collections.abc import Mapping
from urllib.parse import quote

from fastapi import APIRouter, Request
from starlette.responses import HTMLResponse, Response

from pulse_dash.api.docs import POLICY
from pulse_dash.api.principals import call_of, headers_of
from pulse_dash.api.session_forms import visitor
from pulse_dash.core import joining
from pulse_dash.core.access import Anonymous, UserActor
from pulse_dash.core.invitations import InvitationSpent
from pulse_dash.core.names import NAME_LENGTH
from pulse_dash.core.passwords import PASSWORD_LENGTH
from pulse_dash.services import Services

router = APIRouter(include_in_schema=False)

PATH = "/invitations/accept"
_HEADERS = {
    "Content-Security-Policy": f"{POLICY}; form-action 'self'",
    "Cache-Control": "no-store",
    "Referrer-Policy": "no-referrer",
}
_SAID: Mapping[str, str] = {
    "invalid": "Something in the form could not be taken. Your name must not be empty; the password has 10 to 128 "
    "characters and is none of the most common ones.",
    "sign_in_to_accept": "This address has an account. Sign in with it first.",
    "address_unverified": "Confirm your own address first, with the link that was mailed to you.",
    "signup_closed": "This installation takes no new accounts. Ask whoever runs it.",
    "rate_limited": "Too many tries from here. Wait a minute, then try again.",
}
_OTHERWISE = "That did not work. Try again."
_DOCUMENT = """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="robots" content="noindex"><meta name="color-scheme" content="light dark">
<title>Invitation · Pulse</title>
<script src="/theme.js"></script>
<link rel="icon" href="/favicon.svg" type="image/svg+xml">
{styles}
</head>
<body>
<div class="door"><main class="door-form"><div class="door-column">
<div class="door-brand"><img src="/logo.svg" alt="" class="logo" width="28" height="28"><span>Pulse</span></div>
<div class="door-words"><h1>{title}</h1><p class="quiet">{sentence}</p></div>
{notice}{content}
</div></main>
<aside class="door-panel"><img src="/wave.svg" alt="" class="wave" width="548" height="192">
<p>Rooms, keys and tokens, on your own machines.</p></aside></div>
</body>
</html>
"""
_STYLES = "".join(
    f'<link rel="stylesheet" href="/{name}.css">'
    for name in ("served", "tokens", "fonts", "pulse", "shell", "parts", "pages")
)


@router.get(PATH)
async def page(request: Request, token: str = "", error: str = "", name: str = "") -> Response:
    """One of five: over, for the person signed in, for somebody else, sign in first, or a new account."""
    services: Services = request.app.state.services
    work = services.as_(Anonymous(), call_of(request.scope, services.settings, headers_of(request.scope)))
    person = await visitor(work, services.settings, request)
    try:
        invitation, organization = await joining.look(work, token)
    except InvitationSpent:
        return _answer(
            "This invitation is over",
            "It was used already, has run out or was taken back. Ask whoever invited you for a new one; they see it "
            "in Pulse under Team.",
            _way("/", "Go to the dashboard"),
            status=410,
        )
    into = f"<bdi>{_text(organization.name)}</bdi>"
    title = f"Join {into}"
    sentence = f"As {_text(invitation.role)}, with <bdi>{_text(invitation.email)}</bdi>."
    if isinstance(person, UserActor) and person.email != invitation.email:
        return _answer(
            "This invitation is for somebody else",
            f"It is for <bdi>{_text(invitation.email)}</bdi>, and you are signed in as "
            f"<bdi>{_text(person.email)}</bdi>. Nothing was changed. Sign out, then open the link again.",
            '<form action="/session/end" method="post" class="door-fields">'
            '<button class="button button-wide">Sign out</button></form>',
        )
    if isinstance(person, UserActor):
        return _answer(title, sentence, _form(token, "", f"Join {into}"), error=error)
    if await joining.has_account(work, invitation):
        back = quote(f"{PATH}?token={token}", safe="")
        return _answer(title, sentence, _way(f"/login?next={back}", "Sign in to join", primary=True), error=error)
    return _answer(title, sentence, _form(token, _new_account(name), "Create the account and join"), error=error)


def _new_account(name: str) -> str:
    return (
        '<div class="field"><label for="name">Your name</label>'
        f'<input class="input" id="name" name="name" autocomplete="name" required autofocus maxlength="{NAME_LENGTH}" '
        f'value="{_text(name[:NAME_LENGTH])}"></div>'
        '<div class="field"><label for="password">Password</label>'
        '<input class="input" id="password" name="password" type="password" autocomplete="new-password" required '
        f'minlength="{PASSWORD_LENGTH.start}" maxlength="{PASSWORD_LENGTH.stop - 1}" aria-describedby="password-hint">'
        '<p class="hint" id="password-hint">10 characters or more. A sentence is fine.</p></div>'
    )


def _form(token: str, fields: str, does: str) -> str:
    return (
        '<form action="/session/accept" method="post" class="door-fields">'
        f'{fields}<input type="hidden" name="token" value="{_text(token)}">'
        f'<button class="button button-primary button-wide">{does}</button></form>'
    )


def _way(href: str, words: str, *, primary: bool = False) -> str:
    kind = "button button-primary button-wide" if primary else "button button-wide"
    return f'<a class="{kind}" href="{_text(href)}">{words}</a>'


def _answer(title: str, sentence: str, content: str, *, error: str = "", status: int = 200) -> Response:
    said = f'<div class="notice notice-bad" role="alert">{_SAID.get(error, _OTHERWISE)}</div>' if error else ""
    body = _DOCUMENT.format(styles=_STYLES, title=title, sentence=sentence, notice=said, content=content)
    return HTMLResponse(body, status, headers=_HEADERS)


def _text(text: str) -> str:
    """Text of tenants, for an element or an attribute in quotes."""
    return html.escape(text, quote=True)
