"""The pages behind a subscription to incidents: asking for it, confirming it, ending it. None needs a script.

Opening a link does nothing but show a button, because programs that look at mails open links; its POST does it. Such
a POST may come from anywhere: mail programs send it by themselves (RFC 8058), webhooks by a program, and no cookie
counts, only the link's own secret.
"""

from __future__ import annotations

import html
from collections.abc import Awaitable, Callable

from fastapi import APIRouter, Request
from starlette.responses import HTMLResponse, RedirectResponse, Response

from pulse_dash.api.docs import POLICY
from pulse_dash.api.principals import call_of, count_address, headers_of
from pulse_dash.api.problems import status_of
from pulse_dash.api.session_forms import form_of, from_elsewhere, from_our_page
from pulse_dash.core import status_subscriptions
from pulse_dash.core.access import Anonymous
from pulse_dash.core.errors import Gone, Invalid, PulseError
from pulse_dash.core.mail_addresses import LONGEST
from pulse_dash.core.status_subscriptions import CONFIRM, UNSUBSCRIBE
from pulse_dash.core.work import Work
from pulse_dash.services import Services

router = APIRouter(include_in_schema=False)

PATH = "/status/subscriptions"
_HEADERS = {
    "Content-Security-Policy": f"{POLICY}; form-action 'self'",
    "Cache-Control": "no-store",
    "Referrer-Policy": "no-referrer",
}
_DOCUMENT = """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="robots" content="noindex"><meta name="color-scheme" content="light dark">
<title>{title} · Pulse status</title>
<script src="/theme.js"></script>
<link rel="icon" href="/favicon.svg" type="image/svg+xml">
{styles}
</head>
<body class="status-body">
<main class="status-page">
<header class="status-head"><img src="/logo.svg" alt="" width="28" height="28"><span>Pulse status</span></header>
<h1>{title}</h1><p class="status-sentence">{sentence}</p>{content}
<footer class="quiet"><a href="/status">The status page</a> · <a href="/docs/status">How it works</a></footer>
</main>
</body>
</html>
"""
_STYLES = "".join(
    f'<link rel="stylesheet" href="/{name}.css">' for name in ("served", "tokens", "fonts", "pulse", "parts", "status")
)
_OVER = "This link is over"
_ASK_AGAIN = "It was used already, is older than seven days, or a newer one was sent. Ask for another if you want to."


def form(email: str = "", *, wrong: str = "") -> str:
    """What an address is asked with; also a part of the status page itself."""
    notice = f'<div class="notice notice-bad" role="alert">{html.escape(wrong)}</div>' if wrong else ""
    return (
        f'{notice}<form action="{PATH}" method="post" class="status-subscribe">'
        '<div class="field"><label for="email">Email</label>'
        '<input class="input" id="email" name="email" type="email" autocomplete="email" required '
        f'maxlength="{LONGEST}" value="{html.escape(email[:LONGEST], quote=True)}"></div>'
        '<button class="button button-primary">Tell me</button></form>'
    )


@router.get(PATH)
async def asked() -> Response:
    """After the form: what follows now."""
    sentence = "If the address can be told, a mail is on its way. Open its link to confirm; it works for seven days."
    return _page("Look into your mail", sentence)


@router.post(PATH)
async def ask(request: Request) -> Response:
    """The form of the status page, from our own pages alone."""
    services: Services = request.app.state.services
    if not from_our_page(request, services.settings):
        return from_elsewhere(request)
    email = ""
    try:
        email = (await form_of(request)).get("email", "")
        await status_subscriptions.by_mail(_counted(request), email)
    except PulseError as error:
        wrong = "This is no email address." if isinstance(error, Invalid) else error.detail
        sentence = "One mail asks you to confirm, and each one after holds a link that ends them."
        return _page("Be told of incidents", sentence, form(email, wrong=wrong), status=status_of(error))
    return RedirectResponse(PATH, 303)


@router.get(CONFIRM)
async def shown(request: Request, token: str = "") -> Response:
    """A button, and nothing done."""

    async def look(work: Work) -> Response:
        found = await status_subscriptions.look(work, token)
        sentence = (
            f"<bdi>{html.escape(found.target)}</bdi> is told when an incident or maintenance begins, goes on or ends."
        )
        return _page("Be told of incidents?", sentence, _button(CONFIRM, token, "Yes, tell me"))

    return await _answered(request, look)


@router.post(CONFIRM)
async def confirm(request: Request, token: str = "") -> Response:
    async def do(work: Work) -> Response:
        await status_subscriptions.confirm(work, await _token(request, token))
        return _page("You will be told", "Each message holds a link that ends them.")

    return await _answered(request, do)


@router.get(UNSUBSCRIBE)
async def shown_end(request: Request, token: str = "") -> Response:
    """A button, and nothing done."""

    async def look(work: Work) -> Response:
        found = await status_subscriptions.look_at_end(work, token)
        if found is None:
            return _ended()
        sentence = f"<bdi>{html.escape(found.target)}</bdi> is then told of no incidents, and Pulse forgets it."
        return _page("Be told no longer?", sentence, _button(UNSUBSCRIBE, token, "Tell me no longer"))

    return await _answered(request, look)


@router.post(UNSUBSCRIBE)
async def end(request: Request, token: str = "") -> Response:
    """The button of the page, and the one that mail programs show by themselves."""

    async def do(work: Work) -> Response:
        await status_subscriptions.unsubscribe(work, await _token(request, token))
        return _ended()

    return await _answered(request, do)


async def _answered(request: Request, answer: Callable[[Work], Awaitable[Response]]) -> Response:
    try:
        return await answer(_counted(request))
    except Gone:
        return _page(_OVER, _ASK_AGAIN, status=410)
    except PulseError as error:
        return _page("That did not work", html.escape(error.detail), status=status_of(error))


def _counted(request: Request) -> Work:
    services: Services = request.app.state.services
    work = services.as_(Anonymous(), call_of(request.scope, services.settings, headers_of(request.scope)))
    count_address(work, request.scope)
    return work


async def _token(request: Request, named: str) -> str:
    """From the link itself, or from the page's own form."""
    return named or (await form_of(request)).get("token", "")


def _ended() -> Response:
    return _page("You are told no longer", "No message about incidents follows, and Pulse kept nothing of you.")


def _button(path: str, token: str, words: str) -> str:
    return (
        f'<form action="{path}" method="post">'
        f'<input type="hidden" name="token" value="{html.escape(token, quote=True)}">'
        f'<button class="button button-primary">{words}</button></form>'
    )


def _page(title: str, sentence: str, content: str = "", *, status: int = 200) -> Response:
    body = _DOCUMENT.format(styles=_STYLES, title=title, sentence=sentence, content=content)
    return HTMLResponse(body, status, headers=_HEADERS)
